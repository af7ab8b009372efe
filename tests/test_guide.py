"""The guide to sessions and tokens claims nothing that no test proves."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GUIDE = ROOT / "docs" / "sessions-and-tokens.md"
SECTION = re.compile(r"^### ([^\n]+)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
PROOF = re.compile(r"^- `(tests/[\w/]+\.py)(?:::(\w+))?`$", re.MULTILINE)
CLASSICS = (
    *("CSRF", "XSS", "large", "stale", "revoked", "look-up", "scale", "one domain", "replay"),
    *("Downstream", "key", "read it", "everywhere", "Refresh"),
)
OBJECTIONS = dict(SECTION.findall(GUIDE.read_text(encoding="utf-8")))


def names_of_tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_the_classic_objections_are_all_there() -> None:
    said = " ".join(OBJECTIONS)
    assert [each for each in CLASSICS if each not in said] == []


@pytest.mark.parametrize("objection", OBJECTIONS)
def test_every_objection_names_tests_that_there_are(objection: str) -> None:
    proofs = PROOF.findall(OBJECTIONS[objection])
    assert proofs
    for path, name in proofs:
        tests = names_of_tests(ROOT / path)
        assert tests
        assert not name or name in tests, f"{path}::{name}"
