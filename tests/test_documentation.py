"""Every example in README.md and docs/ runs and prints what it says.

One test per page. Its blocks run in order and share names and a fresh directory: ``python`` must not raise;
``pycon`` is a transcript as for ``doctest``; ``console`` is one of ``$ coatcheck`` lines, each of which must
succeed (show a failure by adding ``|| echo "exit status $?"``). In what is printed, ``...`` is anything.
"""

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(python|pycon|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Block(NamedTuple):
    """A fenced example and the line of the page on which it starts."""

    kind: str
    source: str
    line: int


def blocks(text: str) -> Iterator[Block]:
    for match in FENCE.finditer(text):
        yield Block(match[1], match[2], text.count("\n", 0, match.start(2)))


def run_python(block: Block, page: str, names: dict[str, Any]) -> None:
    # The blank lines make a traceback show the line of the page.
    exec(compile("\n" * block.line + block.source, page, "exec"), names)  # noqa: S102


def run_transcript(block: Block, page: str, names: dict[str, Any]) -> None:
    examples = doctest.DocTestParser().get_examples(block.source, page)
    test = doctest.DocTest(examples, names, page, page, block.line, block.source)
    report: list[str] = []
    doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=report.append, clear_globs=False)
    assert not report, "".join(report)
    names.update(test.globs)  # the test ran in a copy


def run_console(block: Block, page: str, directory: Path) -> None:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for command, expected in re.findall(r"^\$ (.*\n)((?:(?!\$ ).*\n)*)", block.source, re.MULTILINE):
        shell = ["bash", "-o", "pipefail", "-c", f"exec 2>&1; {command}"]
        ran = subprocess.run(
            shell, cwd=directory, env=environment, stdout=subprocess.PIPE, text=True, check=False
        )
        matches = doctest.OutputChecker().check_output(expected, ran.stdout, OPTIONS)
        story = f"{page}:{block.line}: $ {command}--- expected\n{expected}--- printed\n{ran.stdout}"
        assert matches, story
        assert ran.returncode == 0, f"{story}--- exit status {ran.returncode}"


def run_page(text: str, page: str, directory: Path) -> int:
    """Run all the examples of a page; the number of them."""
    names: dict[str, Any] = {"__name__": "__main__"}
    found = list(blocks(text))
    for block in found:
        if block.kind == "python":
            run_python(block, page, names)
        elif block.kind == "pycon":
            run_transcript(block, page, names)
        else:
            run_console(block, page, directory)
    return len(found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of_a_page_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    ran = run_page(text, str(page.relative_to(ROOT)), tmp_path)
    assert ran == len(re.findall(r"^```(?:py|con)", text, re.MULTILINE)), "an example with a wrong fence"


@pytest.mark.parametrize(
    "text, error",
    [
        ("```python\nraise KeyError\n```\n", KeyError),
        ("```pycon\n>>> 1 + 1\n3\n```\n", AssertionError),
        ("```console\n$ echo one\ntwo\n```\n", AssertionError),
        ("```console\n$ false\n```\n", AssertionError),
    ],
)
def test_a_wrong_example_fails(text: str, error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(error):
        run_page(text, "page.md", tmp_path)


def test_the_blocks_of_a_page_share_names_and_directory(tmp_path: Path) -> None:
    text = (
        "```python\nx = 1\n```\n```pycon\n>>> y = x + 1\n>>> y\n2\n```\n```python\nassert y == 2\n```\n"
        "```console\n$ echo some words > file\n$ cat file | tr a-z A-Z\nSOME ...\n```\n"
    )
    assert run_page(text, "page.md", tmp_path) == 4
