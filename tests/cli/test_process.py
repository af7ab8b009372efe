"""The command as a process: pipes, terminals, signals, and a machine without the extra."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from coatcheck.cli import app as tree
from coatcheck.cli import failures, main, sources, text, times
from coatcheck.cli.errors import InputError, UsageError
from coatcheck.jose import Key

Run = Callable[..., Result]
COMMAND = [sys.executable, "-m", "coatcheck"]


def start(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, **options)


# Without the extra

BLOCKED = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {name!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name={missing!r})
sys.meta_path.insert(0, Block())
from coatcheck.cli import main
assert "typer" not in sys.modules and "rich" not in sys.modules
main()
"""


@pytest.mark.parametrize("name", ["typer", "rich"])
def test_without_the_extra_the_command_says_what_to_install(name: str) -> None:
    program = BLOCKED.format(name=name, missing=name)
    arguments = ["token", "inspect", "e30.e30."]
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == 'coatcheck: The command line needs its extra: pip install "coatcheck[cli]"\n'


def test_another_missing_module_is_not_hidden() -> None:
    program = BLOCKED.format(name="typer", missing="something_else")
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "something_else" not in ran.stdout
    assert "ModuleNotFoundError" in ran.stderr
    assert "pip install" not in ran.stderr


def test_main_runs_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "argv", ["coatcheck", "--version"])
    monkeypatch.setattr(sys, "stdout", written)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0
    assert written.getvalue() == f"coatcheck {version('coatcheck')}\n"


# Help and wrong usage


@pytest.mark.parametrize("arguments", [(), ("token",), ("key",), ("--help",), ("token", "sign", "-h")])
def test_help_is_shown_where_nothing_is_asked_for(run: Run, arguments: tuple[str, ...]) -> None:
    shown = run(*arguments)
    assert shown.exit_code == 0
    assert shown.stdout.startswith("Usage: ")


@pytest.mark.parametrize("arguments", [("tokn",), ("token", "x\x1b[0m"), ("--no",), ("key", "generate")])
def test_wrong_usage_is_one_line_and_status_2(run: Run, arguments: tuple[str, ...]) -> None:
    shown = run(*arguments)
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert shown.stderr.startswith("coatcheck: ")
    assert shown.stderr.count("\n") == 1
    assert "--help" in shown.stderr
    assert "\x1b" not in shown.stderr


# Files


def test_what_cannot_be_read_is_named_in_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    cases = {
        ("--file", "missing\x1b[2J"): "there is no such file",
        ("--file", "."): "it is a directory",
        ("--file", "binary"): "binary, not the text of a token",
        ("--file", "/dev/zero"): "larger than 1 MiB",
        ("--file", "a\0b"): "NUL",
        ("--file", "x" * 300): "cannot be read",
        ("--token-env", "MISSING"): "not set",
        ("-", "--file", "x"): "exactly one",
        ("",): "is empty",
        (): "exactly one",
    }
    for arguments, words in cases.items():
        shown = run("token", "inspect", *arguments)
        assert (shown.exit_code, shown.stdout) == (2, "")
        assert words in shown.stderr
        assert shown.stderr.count("\n") == 1
        assert "\x1b" not in shown.stderr


def test_a_closed_standard_input_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError):
        sources.read_source("-")


# Pipes, terminals, signals


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_pipe_that_is_closed_early_is_no_error(token: str, options: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        ran = subprocess.run(
            [*COMMAND, "token", "inspect", token, *options], stdout=pipe, stderr=subprocess.PIPE, check=False
        )
    assert (ran.returncode, ran.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_line(token: str) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123
        ran = subprocess.run(
            [*COMMAND, "token", "inspect", token], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ran.returncode == 2
    assert ran.stderr.startswith("coatcheck: No space left on device. [system_error]\n")


def on_terminal(arguments: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Run the command on a pseudo-terminal; its status and all that it showed."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdin=terminal, stdout=terminal, stderr=terminal, env=os.environ | environment
    )
    os.close(terminal)
    shown = b""
    while True:
        try:
            chunk = os.read(controller, 4096)
        except OSError:  # the other side is closed
            break
        if not chunk:
            break
        shown += chunk
        if b"end with Ctrl-D" in shown:
            process.send_signal(signal.SIGINT)
    os.close(controller)
    return process.wait(), shown.decode()


def test_colours_are_for_terminals_that_want_them(token: str) -> None:
    plain = {"TERM": "xterm", "NO_COLOR": "1"}
    coloured = {"TERM": "xterm", "NO_COLOR": "", "COLUMNS": "80"}
    assert "\x1b[36m" in on_terminal(["token", "inspect", token], coloured)[1]
    assert "\x1b[36m" not in on_terminal(["token", "inspect", token], plain)[1]
    assert "\x1b" not in start("token", "inspect", token, env=os.environ | coloured).stdout


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(token: str, width: int) -> None:
    shown = start("token", "inspect", token, env=os.environ | {"COLUMNS": str(width)}).stdout
    assert max(map(len, shown.splitlines())) <= min(width, 100)


def test_an_interruption_ends_quietly() -> None:
    status, shown = on_terminal(["token", "inspect", "-"], {"TERM": "dumb"})
    assert status == 130
    assert "Traceback" not in shown


def test_an_encoding_without_the_signs_gets_others(token: str, key: Key) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "K": json.dumps(key.to_jwk())}
    shown = start("token", "verify", token, "--key-env", "K", env=environment)
    assert shown.returncode == 1
    assert shown.stdout.isascii()
    assert "  x  type" in shown.stdout


def test_input_is_read_from_a_pipe(key: Key) -> None:
    shown = start("key", "thumbprint", "-", input=json.dumps(key.to_jwk()))
    assert shown.stdout == f"{key.thumbprint()}\n"


# Failures that are hard to provoke


@pytest.mark.parametrize(
    "error, status, words",
    [
        (KeyboardInterrupt(), 130, ""),
        (EOFError(), 130, "Interrupted"),
        (OSError(5, "Input/output error"), 2, "Input/output error. [system_error]"),
        (OSError(), 2, "The system refused"),
        (BrokenPipeError(32, "Broken pipe"), 141, ""),
    ],
)
def test_the_system_failing_is_told_in_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, words: str
) -> None:
    def fail(_: str) -> str:
        raise error

    monkeypatch.setattr(tree, "version", fail)
    shown = run("--version")
    assert shown.exit_code == status
    assert words in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_fault_of_our_own_is_not_hidden(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> str:
        raise ZeroDivisionError

    monkeypatch.setattr(tree, "version", fail)
    with pytest.raises(ZeroDivisionError):
        run("--version")


def test_a_line_without_a_code_has_none(capsys: pytest.CaptureFixture[str]) -> None:
    failures.complain("words\n")
    assert capsys.readouterr().err == "coatcheck: words\\n\n"


# Words


@pytest.mark.parametrize(
    "seconds, words",
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (90, "90 seconds"),
        (60, "1 minute"),
        (-180, "3 minutes"),
        (299.7, "5 minutes"),
        (5400, "90 minutes"),
        (3600, "1 hour"),
        (90_000, "25 hours"),
        (86_400 * 3, "3 days"),
        (86_400 * 90, "3 months"),
        (31_557_600 * 2, "2 years"),
    ],
)
def test_spans_are_told_in_one_unit(seconds: float, words: str) -> None:
    assert times.in_words(seconds) == words


@pytest.mark.parametrize("span", ["", "5", "m", "5y", "-5m", "5m ", "1.5h"])
def test_what_is_no_span_is_refused(span: str) -> None:
    with pytest.raises(UsageError):
        times.parse_span(span)


@pytest.mark.parametrize(
    "given, shown",
    [
        ("plain text", "plain text"),
        ("größe 大小 🙂", "größe 大小 🙂"),
        ("a\tb\n", "a\\tb\\n"),
        ("\x9b\u00a0\u2028\ue000", "\\x9b\\xa0\\u2028\\ue000"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_only_what_can_be_seen_is_shown_as_it_is(given: str, shown: str) -> None:
    assert text.visible(given) == shown
