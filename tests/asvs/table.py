"""The rows of the checklist, the tests that show them, and the page that tells of both.

``python -m tests.asvs.table`` writes the page anew.
"""

import ast
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "asvs.md"
CHAPTERS = {
    "3": "V3, web frontend",
    "4": "V4, APIs",
    "6": "V6, authentication",
    "7": "V7, sessions",
    "8": "V8, authorization",
    "9": "V9, self-contained tokens",
    "10": "V10, OAuth and OpenID Connect",
    "11": "V11, cryptography",
    "13": "V13, configuration: services and secrets",
    "14": "V14, data protection: credentials",
    "16": "V16, logging and errors",
}
Status = Literal["holds", "partly", "not-applicable", "later"]
WORDS: dict[Status, str] = {
    "holds": "holds",
    "partly": "partly",
    "not-applicable": "does not apply",
    "later": "later",
}
HEAD = """# The security checklist

The [OWASP Application Security Verification Standard 5.0](https://owasp.org/www-project-application-security-verification-standard/)
is a list of what an application must do to be called secure. These are its rows about web pages, authentication,
sessions, authorization, tokens and OAuth (V3 and V6 to V10 as far as they can concern a library, and rows of other
chapters that touch them), in our own short words, and how Coatcheck stands to each of them. Whatever holds, wholly or
partly, has tests that carry the number of the row: a row without one would fail the test-suite. Nobody else has
verified this.
"""


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A row of the standard."""

    id: str
    level: Literal[1, 2, 3]
    wording: str
    status: Status
    note: str

    @property
    def needs_test(self) -> bool:
        return self.status in {"holds", "partly"}


def read_rows() -> list[Row]:
    table = tomllib.loads((HERE / "rows.toml").read_text(encoding="utf-8"))
    return msgspec.convert(table["row"], list[Row])


def marked_rows(source: str) -> Iterator[str]:
    """Yield the rows that ``pytest.mark.asvs`` names in a file of tests."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                match decorator:
                    case ast.Call(func=ast.Attribute(attr="asvs"), args=[ast.Constant(value=str(row))]):
                        yield row


def count_tests() -> Counter[str]:
    """Return how many tests each row has."""
    files = sorted(HERE.parent.rglob("test_*.py"))
    return Counter(row for file in files for row in marked_rows(file.read_text(encoding="utf-8")))


def render(rows: list[Row]) -> str:
    """Return the page."""
    counts = Counter(row.status for row in rows)
    told = (
        f"Of {len(rows)} rows, {counts['holds']} hold, {counts['partly']} hold partly, {counts['not-applicable']} do "
        f"not apply, and {counts['later']} wait for what is still to be built."
    )
    lines = [HEAD, told]
    for number, title in CHAPTERS.items():
        lines += [
            "",
            f"## {title}",
            "",
            "| row | level | what it asks for | | how |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| {row.id} | {row.level} | {row.wording} | {WORDS[row.status]} | {row.note} |"
            for row in rows
            if row.id.startswith(f"{number}.")
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(render(read_rows()), encoding="utf-8")
