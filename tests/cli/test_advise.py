"""``coatcheck advise``: from a file, on a terminal, and what a person and a program see."""

import json
import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from coatcheck.advice.case_file import read_case
from coatcheck.advice.model import Case
from coatcheck.advice.questions import QUESTIONS
from coatcheck.cli import advise, asking
from tests.cli.conftest import Run

CLIENTS, HIDDEN = QUESTIONS[0], next(question for question in QUESTIONS if question.name == "hidden")


def test_a_file_is_enough(run: Run, tmp_path: Path) -> None:
    (tmp_path / "case.toml").write_text('clients = ["browser"]')
    shown = run("advise", "case.toml")
    lines = [line.strip() for line in shown.stdout.splitlines()]
    assert shown.exit_code == 0
    assert "Pages in a browser  The session cookie" in lines
    assert "✓  You do not need JWTs" in lines
    assert "RFC 10017 section 7.1; NIST SP 800-63B-4 section 5.1.1" in lines
    assert 'base_url = "https://app.example.com"' in lines
    assert "auth = Auth(app)  # pages at /auth, settings from coatcheck.toml" in lines


def test_what_gives_is_shown_first(run: Run) -> None:
    given = 'clients = ["mobile"]\nverifiers = ["services"]\noffline = "verifiers"'
    lines = [line.strip() for line in run("advise", "-", given=given).stdout.splitlines()]
    assert lines[1] == "What does not go together"
    assert '→  sign_out: "Within an hour", not "At once: within a second"' in lines


def test_a_credential_is_explained_once(run: Run) -> None:
    shown = run("advise", "-", given='clients = ["browser", "spa"]').stdout
    assert shown.count("A random identifier in a __Host- cookie") == 1


def test_lines_to_copy_are_not_broken_or_set_in(run: Run) -> None:
    shown = run("advise", "-", given='clients = ["cli"]', env={"COLUMNS": "40"}).stdout.splitlines()
    assert any(line.startswith("coatcheck client add") and line.endswith("/api") for line in shown)


def test_something_else_than_coatcheck_comes_without_settings(run: Run) -> None:
    shown = run("advise", "-", given='clients = ["browser"]\nsign_in = "proxy"').stdout
    assert "Not Coatcheck: the proxy that you have" in shown
    assert "coatcheck.toml" not in shown


def test_a_program_gets_all_of_it(run: Run) -> None:
    told = json.loads(run("advise", "-", "--json", given='clients = ["browser", "machine"]').stdout)
    assert [each["credential"]["id"] for each in told["clients"]] == ["session-cookie", "machine-key"]
    assert told["asked"]["clients"] == ["browser", "machine"]
    assert told["configuration"]["toml"].startswith('mode = "production"\n')
    assert {"document": "RFC 10017", "section": "7.1"} in told["clients"][0]["sources"]


def test_the_answers_are_saved_and_read_again(run: Run, tmp_path: Path) -> None:
    shown = run("advise", "-", "--write", "case.toml", given='clients = ["spa"]\nhosts = "domains"')
    assert shown.stderr == "The answers are in case.toml.\n"
    assert read_case((tmp_path / "case.toml").read_bytes()) == Case(clients=("spa",), hosts="domains")
    assert run("advise", "case.toml").stdout == shown.stdout


def test_no_file_is_overwritten_unless_told_to(run: Run, tmp_path: Path) -> None:
    (tmp_path / "case.toml").write_text("mine")
    given = 'clients = ["spa"]'
    refused = run("advise", "-", "--write", "case.toml", given=given)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "[unwritable_output]" in refused.stderr
    assert (tmp_path / "case.toml").read_text() == "mine"
    assert run("advise", "-", "--write", "case.toml", "--force", given=given).exit_code == 0
    assert "[wrong_usage]" in run("advise", "-", "--write", "", given=given).stderr


@pytest.mark.parametrize(
    "given, code, says",
    [
        ('client = ["spa"]', "invalid_case", "Did you mean clients?"),
        ("clients = [", "invalid_case", "The file is no TOML"),
        ("", "unreadable_input", "Standard input is empty"),
        ("#" * 70_000, "invalid_case", "more than 65,536 octets"),
    ],
    ids=["unknown", "no toml", "empty", "large"],
)
def test_what_cannot_be_read_is_one_line(run: Run, given: str, code: str, says: str) -> None:
    shown = run("advise", "-", given=given)
    assert (shown.exit_code, shown.stdout, shown.stderr.count("\n")) == (2, "", 1)
    assert f"[{code}]" in shown.stderr
    assert says in shown.stderr


def test_a_file_that_is_not_there_is_named(run: Run) -> None:
    assert "'none.toml' cannot be read" in run("advise", "none.toml").stderr


def test_without_a_terminal_and_a_file_it_says_what_to_give(run: Run) -> None:
    shown = run("advise")
    assert shown.exit_code == 2
    assert 'The shortest is: clients = ["browser"] [wrong_usage]' in shown.stderr


# --- questions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, answer",
    [
        ("", "browser"),
        ("  \n", "browser"),
        ("2", "spa"),
        ("3, 1", "browser,mobile"),
        ("3 1 3", "browser,mobile"),
        ("Agent", "agent"),
        ("7", None),
        ("0", None),
        ("-", None),
        ("x", None),
        ("1,x", None),
        ("\x1b[A", None),
    ],
    ids=range(12),
)
def test_an_answer_is_numbers_names_or_nothing(text: str, answer: str | None) -> None:
    assert asking.read_choice(CLIENTS, text, usual="browser") == answer


@pytest.mark.parametrize(
    "text, answer", [("y", "true"), ("NO", "false"), ("1 2", None), ("-", None)], ids=["y", "no", "both", "-"]
)
def test_yes_and_no_are_answers_where_these_are_asked_for(text: str, answer: str | None) -> None:
    assert asking.read_choice(HIDDEN, text, usual="false") == answer


def test_none_is_an_answer_where_none_may_be() -> None:
    verifiers = next(question for question in QUESTIONS if question.name == "verifiers")
    assert asking.read_choice(verifiers, "-", usual="services") == ""


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch, run: Run) -> Callable[..., Result]:
    """Answer the questions with these lines, as if they came from a terminal."""
    monkeypatch.setattr("coatcheck.cli.sources.is_terminal", lambda: True)
    return lambda *lines: run("advise", "--write", "case.toml", given="".join(lines))


def asked_in(path: Path) -> Case:
    return read_case((path / "case.toml").read_bytes())


def test_enter_all_the_way_is_the_usual_case(type_in: Callable[..., Result], tmp_path: Path) -> None:
    shown = type_in("\n" * 9)
    assert shown.exit_code == 0
    assert asked_in(tmp_path) == Case(clients=("browser",))
    assert "1. What calls you?" in shown.stderr
    assert "Each kind of client gets the credential that it can keep best." in shown.stderr
    assert "What calls you?" not in shown.stdout
    assert "backend" not in shown.stderr


def test_answers_lead_to_the_questions_that_matter(type_in: Callable[..., Result], tmp_path: Path) -> None:
    shown = type_in("2\n", "1\n", "3\n", "no\n", "2\n", "1,3\n", "\n", "y\n", "\n", "5\n")
    assert "Can the single-page app have a program of yours on its own host?" in shown.stderr
    assert asked_in(tmp_path) == Case(
        clients=("spa",),
        hosts="domains",
        backend=False,
        sign_out="a-minute",
        verifiers=("services", "third-parties"),
        hidden=True,
        framework="flask",
    )


def test_there_is_a_way_back_that_remembers_what_was_answered(
    type_in: Callable[..., Result], tmp_path: Path
) -> None:
    # The first question has nothing before it; then back from the third to the first, which is answered anew.
    shown = type_in("b\n", "2\n", "\n", "b\n", "back\n", "1,2\n", *"\n" * 8)
    assert shown.exit_code == 0
    assert "[2], several with commas" in shown.stderr
    assert asked_in(tmp_path).clients == ("browser", "spa")


def test_a_question_that_matters_no_more_is_forgotten(type_in: Callable[..., Result], tmp_path: Path) -> None:
    # A page app on two domains without a backend; then back, and it is one host after all.
    shown = type_in("2\n", "\n", "3\n", "no\n", "b\n", "b\n", "1\n", *"\n" * 6)
    assert shown.exit_code == 0
    assert asked_in(tmp_path) == Case(clients=("spa",))


def test_what_is_no_answer_is_asked_again(type_in: Callable[..., Result], tmp_path: Path) -> None:
    shown = type_in("9\n", "1\n", *"\n" * 8)
    assert shown.stderr.count("That is none of them: type a number from 1 to 6.") == 1
    assert asked_in(tmp_path) == Case(clients=("browser",))


def test_a_terminal_that_is_closed_ends_it(type_in: Callable[..., Result], tmp_path: Path) -> None:
    shown = type_in("1\n")
    assert shown.exit_code == 130
    assert "Interrupted" in shown.stderr
    assert not (tmp_path / "case.toml").exists()


def test_octets_that_are_no_text_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def readline(self) -> str:
            return b"\xff".decode()

    monkeypatch.setattr(sys, "stdin", Broken())
    assert asking._read_line("") == "?"


def test_ctrl_c_on_a_real_terminal_ends_it_without_a_word() -> None:
    process, terminal = pty.fork()
    if process == 0:  # pragma: no cover - becomes the program
        os.execv(sys.executable, [sys.executable, "-m", "coatcheck", "advise"])  # noqa: S606
    seen = read_until(terminal, b"several with commas: ")
    os.write(terminal, b"\x03")
    seen += read_until(terminal, None)
    _, status = os.waitpid(process, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 130
    assert b"What calls you?" in seen
    assert b"Traceback" not in seen


def read_until(terminal: int, end: bytes | None) -> bytes:
    """Read until something is seen, or the other side is closed."""
    seen = b""
    while end is None or end not in seen:
        ready, _, _ = select.select([terminal], [], [], 60)
        assert ready, seen
        try:
            octets = os.read(terminal, 4096)
        except OSError:  # what Linux says when the other side is closed
            octets = b""
        if not octets:
            assert end is None, seen
            break
        seen += octets
    return seen


def test_help_is_quick_because_nothing_of_it_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, coatcheck.cli.app; print([name for name in sys.modules if 'coatcheck.advice' in name])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed == "[]\n"
    assert advise.__all__ == ["advise"]
