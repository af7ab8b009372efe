"""Every example in README.md and docs/ runs and prints what it says.

One test per page. Its blocks run in order and share names and a fresh directory: ``python`` must not raise, and is
written to a file instead if its first line is a comment that names one; ``pycon`` is a transcript as for ``doctest``;
``console`` is one of ``$`` lines, each of which must succeed (show a failure by adding ``|| echo "exit status $?"``).
In what is printed, ``...`` is anything. A command that serves goes on until the page ends, on a port of its own in the
place of 8000, and what it has printed by then is what the page must show. What only the test has to do, such as to
follow a link in a mail, stands in a comment of HTML.
"""

import asyncio
import doctest
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from coatcheck.integrations.fastapi import Auth

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(python|pycon|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\w+\.py)\n")
SERVING = re.compile(r"(?:uvicorn|coatcheck (?:dev|serve)) ?")
PORT = re.compile(r"(?<=localhost:)8000")
HAS_CURL = shutil.which("curl") is not None
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Block(NamedTuple):
    """A fenced example and the line of the page on which it starts."""

    kind: str
    source: str
    line: int


def blocks(text: str) -> Iterator[Block]:
    for match in FENCE.finditer(text):
        yield Block(match[1], match[2], text.count("\n", 0, match.start(2)))


def agree(expected: str, printed: str) -> bool:
    return doctest.OutputChecker().check_output(expected, printed, OPTIONS)


class Server:
    """A command that serves, on a port of its own."""

    def __init__(self, command: str, expected: str, directory: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = str(probe.getsockname()[1])
        self._expected = expected
        self._output = directory / "server.log"
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [*command.split(), "--port", self.port],
                cwd=directory,
                env=environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self._process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(self.port))) == 0:
                    return
            time.sleep(0.05)
        self.close()
        raise AssertionError(f"it does not serve: {self._output.read_text()}")

    def printed(self) -> str:
        return self._output.read_text(encoding="utf-8").replace(f":{self.port}", ":8000")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(30)

    def check(self) -> None:
        self.close()
        assert agree(self._expected, self.printed()), (
            f"--- expected\n{self._expected}--- printed\n{self.printed()}"
        )


def environment() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # Not measured by coverage: every command is a process of its own, and would take twice as long.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return kept | {"PATH": path, "PYTHONUNBUFFERED": "1"}


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


def run_command(command: str, directory: Path, *, port: str) -> subprocess.CompletedProcess[str]:
    shell = ["bash", "-o", "pipefail", "-c", f"exec 2>&1; {PORT.sub(port, command)}"]
    ran = subprocess.run(
        shell, cwd=directory, env=environment(), stdout=subprocess.PIPE, text=True, check=False
    )
    ran.stdout = ran.stdout.replace(f":{port}", ":8000")
    return ran


class Page:
    """A page whose examples run."""

    def __init__(self, name: str, directory: Path) -> None:
        self._name = name
        self._directory = directory
        self._names: dict[str, Any] = {"__name__": "__main__"}
        self._server: Server | None = None

    def run(self, block: Block) -> None:
        file = FILE.match(block.source)
        if block.kind == "console":
            self._run_console(block)
        elif block.kind == "pycon":
            run_transcript(block, self._name, self._names)
        elif file is not None:
            (self._directory / file[1]).write_text(block.source, encoding="utf-8")
        else:
            run_python(block, self._name, self._names)

    def _run_console(self, block: Block) -> None:
        lines = re.findall(r"^\$ ((?:.*\\\n)*.*\n)((?:(?!\$ ).*\n)*)", block.source, re.MULTILINE)
        for command, expected in lines:
            if SERVING.match(command):
                assert self._server is None, "a page has one server"
                self._server = Server(command, expected, self._directory)
                continue
            ran = run_command(
                command, self._directory, port="8000" if self._server is None else self._server.port
            )
            story = (
                f"{self._name}:{block.line}: $ {command}--- expected\n{expected}--- printed\n{ran.stdout}"
                f"{'' if self._server is None else '--- the server ' + self._server.printed()}"
            )
            assert agree(expected, ran.stdout), story
            assert ran.returncode == 0, f"{story}--- exit status {ran.returncode}"

    def check(self) -> None:
        if self._server is not None:
            self._server.check()

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for value in self._names.values():
            if isinstance(value, Auth):
                asyncio.run(value.server.close())


def run_page(text: str, name: str, directory: Path) -> int:
    """Run all the examples of a page; the number of them."""
    found = list(blocks(text))
    with closing(Page(name, directory)) as page:
        for block in found:
            page.run(block)
        page.check()
    return len(found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_examples_of_a_page_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    if "$ curl" in text and not HAS_CURL:
        pytest.skip("there is no curl on this machine")
    ran = run_page(text, str(page.relative_to(ROOT)), tmp_path)
    assert ran == len(re.findall(r"^```(?:py|con)", text, re.MULTILINE)), "an example with a wrong fence"


@pytest.mark.parametrize(
    "text, error",
    [
        ("```python\nraise KeyError\n```\n", KeyError),
        ("```pycon\n>>> 1 + 1\n3\n```\n", AssertionError),
        ("```console\n$ echo one\ntwo\n```\n", AssertionError),
        ("```console\n$ false\n```\n", AssertionError),
        ("```console\n$ uvicorn nothing:app\n```\n", AssertionError),
        ("```console\n$ coatcheck dev\nother words\n```\n", AssertionError),
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


@pytest.mark.skipif(not HAS_CURL, reason="there is no curl on this machine")
def test_a_server_runs_as_long_as_its_page(tmp_path: Path) -> None:
    text = (
        "```console\n$ coatcheck dev\n...localhost:8000...\n```\n"
        "```console\n$ curl -s -o page -w '%{http_code}\\n' \\\n    http://localhost:8000/auth/sign-in\n200\n```\n"
    )
    assert run_page(text, "page.md", tmp_path) == 2
