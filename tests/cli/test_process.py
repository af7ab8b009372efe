"""The command as a process: pipes, terminals, signals, and a machine without the extra."""

import io
import json
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from coatcheck.cli import app as tree
from coatcheck.cli import failures, main, sources, text, times
from coatcheck.cli.errors import InputError, UsageError
from coatcheck.cli.interruption import ends_at_once
from coatcheck.jose import Key
from coatcheck.jose.algorithms import KEY_ENCRYPTION, SIGNATURE

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
    assert (ran.returncode, ran.stdout) == (2, "")
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
    assert "--help [wrong_usage]" in shown.stderr
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
        (): "Standard input is empty",
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


SILENCE = 5.0  # seconds
MOST_SILENCES = 12


def on_terminal(
    arguments: list[str], environment: dict[str, str], interrupt_at: tuple[bytes, ...] = (b"with Ctrl-D",)
) -> tuple[int, str]:
    """Run the command on a pseudo-terminal; its status and all that it showed."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdin=terminal, stdout=terminal, stderr=terminal, env=os.environ | environment
    )
    os.close(terminal)
    shown = b""
    interrupted = False
    silences = 0
    while True:
        if not select.select([controller], [], [], SILENCE)[0]:
            silences += 1
            if silences == MOST_SILENCES:
                process.kill()  # the test shall fail, not wait for ever
            elif (
                interrupted
            ):  # Python misses one that comes just before it begins to read: a person tries again
                process.send_signal(signal.SIGINT)
            continue
        try:
            chunk = os.read(controller, 4096)
        except OSError:  # the other side is closed
            break
        if not chunk:
            break
        shown += chunk
        if not interrupted and any(words in shown for words in interrupt_at):
            interrupted = True
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
    shown = on_terminal(["token", "inspect", token], {"TERM": "xterm", "COLUMNS": str(width)})[1]
    shown = re.sub(r"\x1b\[[\d;]*m", "", shown)
    assert max(map(len, shown.splitlines())) <= min(width, 100)


def test_no_line_ends_in_blanks_and_none_is_broken_that_nobody_reads(token: str, tmp_path: Path) -> None:
    for options in ({}, {"TERM": "xterm", "NO_COLOR": "", "COLUMNS": "60"}):
        shown = on_terminal(["token", "inspect", token], options)[1]
        for line in shown.splitlines():
            plain = re.sub(r"\x1b\[[\d;]*m", "", line)
            assert plain == plain.rstrip(" ")
            assert not re.search(r"\x1b\[[1-9][\d;]*m *\x1b\[0m", line)
            assert not re.search(r" \x1b\[0m$", line)
    piped = start("token", "inspect", token, env=os.environ | {"COLUMNS": "40"}).stdout
    assert piped.splitlines()[1] == "Not verified: this shows what the token says, not whether it is true."
    assert piped == re.sub(r" +$", "", piped, flags=re.MULTILINE)


def test_an_interruption_ends_quietly() -> None:
    status, shown = on_terminal(["token", "inspect", "-"], {"TERM": "dumb"})
    assert status == 130
    assert "Traceback" not in shown
    assert shown.endswith("\r\n\r\n")


def test_an_interruption_at_a_prompt_leaves_the_line(key: Key, tmp_path: Path) -> None:
    (tmp_path / "k.pem").write_bytes(key.to_private_pem(password=b"open sesame"))
    arguments = ["key", "show", str(tmp_path / "k.pem")]
    status, shown = on_terminal(arguments, {"TERM": "dumb"}, (b"Password of the key:",))
    assert status == 130
    assert shown.endswith("\r\n")


def test_an_interruption_ends_the_making_of_a_key_at_once() -> None:
    arguments = [*COMMAND, "key", "generate", "RS256", "--bits", "16384"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=5) in {-signal.SIGINT, 130}


@pytest.mark.parametrize("handler", [signal.default_int_handler, signal.SIG_IGN])
def test_the_handling_of_interruptions_is_put_back(handler: Any) -> None:
    before = signal.signal(signal.SIGINT, handler)
    try:
        with ends_at_once():
            inside = signal.getsignal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert inside is (signal.SIG_IGN if handler is signal.SIG_IGN else signal.SIG_DFL)


# Closed streams and standard input


@pytest.mark.parametrize("arguments", ["token verify {} --key-env K", "--version", "key generate ES256"])
def test_a_closed_standard_output_is_one_line_and_status_2(token: str, key: Key, arguments: str) -> None:
    command = shlex.join([*COMMAND, *arguments.format(token).split()])
    environment = os.environ | {"K": json.dumps(key.to_jwk())}
    ran = subprocess.run(
        ["/bin/sh", "-c", f"{command} >&-"], capture_output=True, text=True, check=False, env=environment
    )
    assert ran.returncode == 2
    assert ran.stderr == "coatcheck: There is no standard output. [unwritable_output]\n"


def test_a_closed_standard_error_lets_nothing_slip_into_the_output() -> None:
    command = shlex.join([*COMMAND, "key", "generate", "EdDSA"])
    ran = subprocess.run(["/bin/sh", "-c", f"{command} 2>&-"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0
    assert json.loads(ran.stdout)["alg"] == "EdDSA"


def test_what_is_piped_in_is_read_without_being_asked_for(run: Run, token: str, key: Key) -> None:
    env = {"K": json.dumps(key.to_jwk()), "P": "open sesame"}
    assert run("token", "inspect", given=token).stdout == run("token", "inspect", token).stdout
    assert '"JWT"' in run("token", "verify", "--key-env", "K", given=token, env=env).stdout
    letter = run("token", "encrypt", "--password-env", "P", given="x", env=env).stdout
    assert run("token", "decrypt", "--password-env", "P", given=letter, env=env).stdout == "x"
    assert "TOKEN (- for" in run("token", "verify", "--key", "-", given=env["K"]).stderr


@pytest.mark.parametrize("arguments", [["inspect"], ["decrypt"], ["encrypt"]])
def test_a_terminal_is_not_read_without_being_asked_for(arguments: list[str]) -> None:
    status, shown = on_terminal(["token", *arguments], {})
    assert status == 2
    assert "(- for standard input)" in shown


# A file where a token belongs


@pytest.mark.parametrize("name", ["token.jwt", "it's.my.token", "token"])
def test_the_name_of_a_file_in_place_of_a_token_is_noticed(
    run: Run, token: str, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text(token)
    for command in (("inspect",), ("verify", "--key-env", "K"), ("decrypt", "--password-env", "K")):
        shown = run("token", command[0], name, *command[1:], env={"K": "open sesame"})
        assert shown.exit_code == 2
        assert shown.stderr == (
            f"coatcheck: {name!r} is a file: use --file {shlex.quote(name)} [wrong_usage]\n"
        )
    short = "e30.e30.e30"
    (tmp_path / short).write_text("a file of that name")
    assert run("token", "inspect", short).exit_code == 0


def test_text_in_utf_16_is_called_by_its_name(run: Run, token: str, key: Key, tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(token.encode("utf-16"))
    (tmp_path / "k").write_bytes(json.dumps(key.to_jwk()).encode("utf-16"))
    assert "The token is text in UTF-16: save it as UTF-8." in run("token", "inspect", "--file", "t").stderr
    assert "The key is text in UTF-16: save it as UTF-8." in run("key", "show", "k").stderr


# Summaries


@pytest.mark.parametrize(
    "group",
    [(), *((name,) for name in ("user", "session", "client", "api", "permission", "role", "token", "key"))],
)
def test_no_summary_is_cut_off(run: Run, group: tuple[str, ...]) -> None:
    shown = run(*group, "--help", env={"COLUMNS": "80"}).stdout
    listed = shown.partition("Commands:")[2]
    assert listed
    assert "..." not in listed


def test_the_algorithms_are_listed(run: Run) -> None:
    words = set(re.split(r"[\s,.:]+", run("key", "generate", "--help").stdout))
    table: dict[str, Any] = {**SIGNATURE, **KEY_ENCRYPTION}
    assert {row.name for row in table.values() if not row.deprecated and not row.takes_password} <= words
    assert not {row.name for row in table.values() if row.deprecated or row.takes_password} & words


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
        (7199.6, "2 hours"),
        (7169, "119 minutes"),
        (172_799, "2 days"),
        (119.6, "2 minutes"),
        (3599.7, "1 hour"),
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
