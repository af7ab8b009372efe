"""``coatcheck audit``: what a person sees, what a program reads, and the exit status."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import Result

from coatcheck.audit import reading
from coatcheck.cli import audit as commands
from coatcheck.cli import sources
from tests.audit.recordings import GOOD_COOKIE, SESSION, entry, har
from tests.cli.conftest import Run

BAD = har(entry(got={"Set-Cookie": f"session={SESSION}"}), entry(sent={"Cookie": f"x=1; session={SESSION}"}))
GOOD = har(entry(got={"Set-Cookie": GOOD_COOKIE, "Cache-Control": "no-store"}))
LOW = har(entry(got={"Set-Cookie": GOOD_COOKIE.replace("__Host-", ""), "Cache-Control": "no-store"}))


@pytest.fixture
def bad(tmp_path: Path) -> str:
    (tmp_path / "bad.har").write_bytes(BAD)
    return "bad.har"


def refused(shown: Result, code: str) -> None:
    assert shown.exit_code == 2
    assert shown.stderr.count("\n") == 1
    assert f"[{code}]" in shown.stderr
    assert not shown.stdout


def test_a_person_sees_what_is_wrong_where_and_what_to_do(run: Run, bad: str) -> None:
    shown = run("audit", bad)
    lines = [line.strip() for line in shown.stdout.splitlines()]
    assert shown.exit_code == 1
    assert lines[0] == "bad.har: HAR of WebInspector 1, 2 exchanges, 1 host"
    assert "HIGH" in lines
    assert "✗  A session cookie can be read by page scripts [cookie-without-httponly]" in lines
    assert (
        'cookie "session" of app.example: Set-Cookie session=kT9v… (32 characters): without HttpOnly' in lines
    )
    assert "entry 1: GET https://app.example/" in lines
    assert "→  Set the cookie HttpOnly. (rfc6265bis-22 section 4.1.2.6, ASVS 3.3.4)" in lines
    assert "Taken for sessions or tokens: session." in lines
    assert "Other cookies, not judged (--session-cookie NAME if one is): x." in lines
    assert lines[-1] == "2 high, 1 medium, 2 low, 1 info"
    assert SESSION not in shown.stdout


def test_nothing_wrong_is_said_in_a_line(run: Run) -> None:
    shown = run("audit", "-", given=GOOD)
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[0] == "stdin: HAR of WebInspector 1, 1 exchange, 1 host"
    assert shown.stdout.splitlines()[-1] == "Nothing was found."


def test_a_token_is_named_as_such(run: Run) -> None:
    shown = run("audit", "-", given="Bearer eyJhbGciOiJub25lIn0.e30.")
    assert shown.exit_code == 1
    assert shown.stdout.splitlines()[0] == "stdin: one token"
    assert "entry" not in shown.stdout


def test_headers_are_named_as_such(run: Run) -> None:
    assert (
        run("audit", "-", given="HTTP/1.1 200 OK\n\n").stdout.splitlines()[0] == "stdin: headers, 1 exchange"
    )


@pytest.mark.parametrize(
    "given, limit, status",
    [
        (BAD, "high", 1),
        (BAD, "never", 0),
        (LOW, "high", 0),
        (LOW, "medium", 0),
        (LOW, "low", 1),
        (LOW, "info", 1),
        (GOOD, "info", 0),
    ],
    ids=["bad-high", "bad-never", "low-high", "low-medium", "low-low", "low-info", "good-info"],
)
def test_the_exit_status_is_for_a_pipeline(run: Run, given: bytes, limit: str, status: int) -> None:
    assert run("audit", "-", "--fail-on", limit, given=given).exit_code == status


def test_json_is_for_programs(run: Run, bad: str) -> None:
    read = json.loads(run("audit", bad, "--json").stdout)
    assert read["file"] == "bad.har"
    assert read["counts"] == {"high": 2, "medium": 1, "low": 2, "info": 1}
    assert read["findings"][0].keys() == {
        *(
            "rule",
            "severity",
            "title",
            "subject",
            "evidence",
            "where",
            "also",
            "fix",
            "sources",
            "fingerprint",
        )
    }


def test_sarif_is_for_code_scanning(run: Run, bad: str, tmp_path: Path) -> None:
    shown = run("audit", str(tmp_path / bad), "--sarif")
    assert shown.exit_code == 1
    read = json.loads(shown.stdout)
    assert read["version"] == "2.1.0"
    location = read["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "bad.har"


def test_a_file_elsewhere_is_shown_by_its_name_alone(
    run: Run, bad: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    assert run("audit", f"../{bad}").stdout.startswith("bad.har: ")


def test_what_is_not_recognised_can_be_named(run: Run) -> None:
    made = har(
        entry(got={"Set-Cookie": f"x={SESSION}"}),
        entry("https://app.example/leave", sent={"Cookie": f"x={SESSION}"}, status=302, second=None),
        entry("https://app.example/me", sent={"Cookie": f"x={SESSION}"}),
    )
    assert run("audit", "-", given=made).exit_code == 0
    shown = run("audit", "-", "--session-cookie", "x", "--sign-out", "/leave", "--fail-on", "low", given=made)
    assert shown.exit_code == 1
    assert "cookie-without-httponly" in shown.stdout
    assert "alive-after-sign-out" in shown.stdout


def test_many_findings_of_a_rule_are_cut_on_the_terminal(run: Run) -> None:
    made = har(*(entry(f"https://app.example/a{each}?access_token={SESSION}") for each in range(20)))
    assert "and 12 more, which --json shows" in run("audit", "-", given=made).stdout


def test_a_terminal_is_not_steered(run: Run) -> None:
    made = har(entry(got={"Set-Cookie": "\u202e\x1b[2Jsession=abcdefgh12345678"}))
    shown = run("audit", "-", given=made).stdout
    assert "\u202e" not in shown
    assert "\x1b" not in shown
    assert r"\x1b[2Jsession" in shown


@pytest.mark.parametrize(
    "arguments, code",
    [
        (["missing.har"], "unreadable_input"),
        (["."], "unreadable_input"),
        (["a\0b"], "unreadable_input"),
        (["-", "--json", "--sarif"], "wrong_usage"),
        (["-", "--sign-out", ""], "wrong_usage"),
        (["-", "--fail-on", "sometimes"], "wrong_usage"),
        ([], "wrong_usage"),
    ],
    ids=["missing", "directory", "nul", "both", "empty", "limit", "nothing"],
)
def test_what_cannot_be_done_ends_with_2_and_one_line(run: Run, arguments: list[str], code: str) -> None:
    refused(run("audit", *arguments, given=GOOD), code)


@pytest.mark.parametrize(
    "given, code",
    [(b"", "unreadable_recording"), (b"{}", "unreadable_recording"), (b"x" * 2_000, "recording_too_large")],
    ids=["empty", "no-har", "large"],
)
def test_what_cannot_be_read_ends_with_2_and_one_line(
    run: Run, given: bytes, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_OCTETS", 1_000)
    refused(run("audit", "-", given=given), code)


def test_the_help_of_all_commands_loads_nothing_of_an_audit() -> None:
    program = (
        "import sys; from coatcheck.cli.app import app; print('coatcheck.audit.auditing' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_without_standard_input_nothing_is_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "sys", SimpleNamespace(stdin=None))
    refused(run("audit", "-"), "unreadable_input")


def test_a_person_who_types_is_told_how_to_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "is_terminal", lambda: True)
    shown = run("audit", "-", given=GOOD)
    assert "Ctrl-D" in shown.stderr
    assert shown.exit_code == 0


def test_a_file_on_another_drive_is_shown_by_its_name(
    run: Run, bad: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> str:
        raise ValueError(path)

    monkeypatch.setattr("os.path.relpath", refuse)
    assert run("audit", bad).stdout.startswith("bad.har: ")
