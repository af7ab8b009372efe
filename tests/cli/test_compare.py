"""``coatcheck compare``."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import Result

from coatcheck.cli import compare as command
from coatcheck.cli.interruption import leave_nothing_behind
from coatcheck.comparison import run as comparison
from coatcheck.comparison.designs import WAYS
from coatcheck.comparison.model import Report
from tests.cli.conftest import Run
from tests.comparison.paces import TINY
from tests.comparison.reports import report, window

PASSWORD = "hunter2-which-nobody-may-see"


@pytest.fixture(scope="module")
def made() -> Report:
    """A report that nobody has measured."""
    return report(
        windows=tuple(window(each.id, 0.01) for each in WAYS),
        staleness=(window("session-sqlite", 0.01, event="role removed"),),
    )


@pytest.fixture
def ordered(made: Report, monkeypatch: pytest.MonkeyPatch) -> list[comparison.Order]:
    """What was asked for; nothing is measured."""
    orders: list[comparison.Order] = []

    async def compare(order: comparison.Order, *, on_step: comparison.OnStep) -> Report:
        orders.append(order)
        on_step(1, 1, "Checks")
        return made

    monkeypatch.setattr(comparison, "compare", compare)
    return orders


def test_the_text_begins_with_what_it_means_and_has_all_sections(
    run: Run, ordered: list[comparison.Order], made: Report
) -> None:
    result = run("compare")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "Sessions and tokens, measured on this machine"
    assert lines[1] == f"  * {made.summary[0]}"
    for title in (
        "Size, and",
        "One check",
        "One look-up",
        "After sign-out",
        "A role that",
        "Limits",
        "Measured",
    ):
        assert any(line.startswith(title) for line in lines)
    for design in made.designs:
        assert any(line.startswith(f"  {design.name}") for line in lines)
    assert "Redis: not measured: it is not there." in result.stdout
    assert ordered[0].requests_per_second == 100
    assert ordered[0].pace == comparison.FULL
    assert not ordered[0].stores


def test_what_is_asked_for_is_what_is_measured(
    run: Run, ordered: list[comparison.Order], tmp_path: Path
) -> None:
    folder = tmp_path / "private folder"
    folder.mkdir()
    (folder / "claims.json").write_text('{"sub": "ada"}')
    address = f"redis://me:{PASSWORD}@cache.example/0"
    result = run(
        *("compare", "--quick", "--claims", str(folder / "claims.json")),
        *("--requests-per-second", "2.5", "--store", "sqlite", "--store", address),
    )
    assert result.exit_code == 0
    (order,) = ordered
    assert order.subject.given == {"sub": "ada"}
    assert order.requests_per_second == 2.5
    assert order.stores == (address,)
    assert order.pace == comparison.QUICK
    assert order.command == (
        "coatcheck compare --claims claims.json --requests-per-second 2.5 "
        "--store sqlite --store redis://me@cache.example/0 --quick"
    )
    assert PASSWORD not in repr(order)
    assert PASSWORD not in result.output


def test_an_address_may_be_in_a_variable(run: Run, ordered: list[comparison.Order]) -> None:
    address = f"postgresql://me:{PASSWORD}@db.example/app"
    result = run("compare", "--store-env", "WHERE", env={"WHERE": address})
    assert result.exit_code == 0
    assert ordered[0].stores == (address,)
    assert ordered[0].command.endswith("--store postgresql://me@db.example/app")
    assert PASSWORD not in result.output


def test_claims_may_come_from_standard_input(run: Run, ordered: list[comparison.Order]) -> None:
    assert run("compare", "--claims", "-", given='{"plan": "gold"}').exit_code == 0
    assert ordered[0].subject.given == {"plan": "gold"}


def test_figures_are_written_to_a_file_and_to_standard_output(
    run: Run, ordered: list[comparison.Order], made: Report, tmp_path: Path
) -> None:
    result = run("compare", "--json", "figures.json")
    assert "The figures are in figures.json." in result.stderr
    assert msgspec.json.decode((tmp_path / "figures.json").read_bytes(), type=Report) == made
    printed = run("compare", "--json", "-")
    assert msgspec.json.decode(printed.stdout, type=Report) == made
    assert json.loads(printed.stdout)["schema"] == 1
    assert len(ordered) == 2


def test_a_page_is_written(run: Run, ordered: list[comparison.Order], tmp_path: Path) -> None:
    result = run("compare", "--html", "page.html")
    assert result.exit_code == 0
    assert (tmp_path / "page.html").read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html>")
    assert "open it in a browser" in result.stderr
    assert ordered


@pytest.mark.parametrize("option", ["--json", "--html"])
def test_a_file_is_not_overwritten_unless_that_is_wished_and_that_is_told_first(
    run: Run, ordered: list[comparison.Order], tmp_path: Path, option: str
) -> None:
    (tmp_path / "there").write_text("mine")
    result = run("compare", option, "there")
    assert result.exit_code == 2
    assert "--force overwrites it" in result.stderr
    assert (tmp_path / "there").read_text() == "mine"
    assert not ordered
    assert run("compare", option, "there", "--force").exit_code == 0
    assert (tmp_path / "there").read_text() != "mine"


@pytest.mark.parametrize(
    "arguments, code",
    [
        (("--requests-per-second", "0"), "wrong_usage"),
        (("--requests-per-second", "-1"), "wrong_usage"),
        (("--requests-per-second", "nan"), "wrong_usage"),
        (("--requests-per-second", "inf"), "wrong_usage"),
        (("--requests-per-second", "1e10"), "wrong_usage"),
        (("--requests-per-second", "many"), "wrong_usage"),
        (("--html", "-"), "wrong_usage"),
        (("--html", "same", "--json", "same"), "wrong_usage"),
        (("--html", ""), "wrong_usage"),
        (("--store", ""), "wrong_usage"),
        (("--claims", ""), "wrong_usage"),
        (("--store-env", ""), "unreadable_input"),
        (("--store-env", "NOT_SET_AT_ALL"), "unreadable_input"),
        (("--json", "nowhere/report.json"), "unwritable_output"),
        (("--html", "nowhere/page.html"), "unwritable_output"),
        (("--claims", "nowhere.json"), "unreadable_input"),
        (("--claims", "."), "unreadable_input"),
        (("--store", f"mysql://me:{PASSWORD}@host"), "store_unusable"),
        (("--store", "sqlite:///file.db"), "store_unusable"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_what_cannot_be_done_is_told_in_one_line(
    run: Run, ordered: list[comparison.Order], arguments: tuple[str, ...], code: str
) -> None:
    result = run("compare", *arguments)
    assert result.exit_code == 2
    assert not ordered
    assert result.stdout == ""
    assert result.stderr.startswith("coatcheck: ")
    assert result.stderr.endswith(f"[{code}]\n")
    assert result.stderr.count("\n") == 1
    assert PASSWORD not in result.stderr


@pytest.mark.parametrize(
    "content",
    [b"[]", b'{"a": 1, "a": 2}', b'{"a": NaN}', b"\xff", b'{"a": "' + b"x" * 70_000 + b'"}'],
    ids=["a list", "a name twice", "NaN", "not text", "too large"],
)
def test_claims_that_are_none_are_told_before_anything_is_measured(
    run: Run, ordered: list[comparison.Order], content: bytes, tmp_path: Path
) -> None:
    (tmp_path / "claims.json").write_bytes(content)
    result = run("compare", "--claims", "claims.json")
    assert result.exit_code == 2
    assert "[invalid_claims]" in result.stderr
    assert not ordered


def test_a_store_that_cannot_be_reached_is_told_before_anything_is_measured(run: Run) -> None:
    result = run("compare", "--quick", "--store", f"postgresql://me:{PASSWORD}@127.0.0.1:1/db")
    assert result.exit_code == 2
    assert "PostgreSQL at postgresql://me@127.0.0.1:1/db cannot be used" in result.stderr
    assert "[store_unusable]" in result.stderr
    assert PASSWORD not in result.output


def test_progress_is_shown_on_a_terminal_only(
    run: Run,
    ordered: list[comparison.Order],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "Checks" not in run("compare", "--json", "-").stderr
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with command._progress() as on_step:
        on_step(1, 2, "Checks")
    assert "Checks" in capsys.readouterr().err
    assert ordered


def test_help_says_what_is_done_to_a_store(run: Run) -> None:
    result: Result = run("compare", "--help")
    assert "is removed again" in " ".join(result.stdout.split())


def test_the_command_measures_writes_and_leaves_nothing_behind(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setattr(comparison, "QUICK", TINY)
    result = run("compare", "--quick", "--json", "report.json", "--html", "page.html")
    assert result.exit_code == 0, result.stderr
    assert "Coatcheck, other processes" in result.stdout
    assert "PostgreSQL: not measured: no address was given" in result.stdout
    measured = msgspec.json.decode((tmp_path / "report.json").read_bytes(), type=Report)
    assert measured.machine.command == "coatcheck compare --requests-per-second 100 --quick"
    assert measured.machine.quick
    assert (tmp_path / "page.html").stat().st_size > 10_000
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_ends_it_finds_nothing_left_behind(how: signal.Signals, tmp_path: Path) -> None:
    process = _started(tmp_path)
    temporary = tmp_path / "temporary"
    while not list(temporary.iterdir()):  # the file of SQLite is the first that is made
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.02)
    process.send_signal(how)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert output == ""
    assert list(temporary.iterdir()) == []


def test_a_signal_ends_it_even_where_an_interrupt_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: dict[int, Any] = {}
    monkeypatch.setattr(signal, "signal", lambda number, handler: handlers.update({number: handler}))
    leave_nothing_behind()
    monkeypatch.setattr(signal, "getsignal", lambda _: signal.SIG_IGN)
    with pytest.raises(KeyboardInterrupt):
        handlers[signal.SIGTERM](signal.SIGTERM, None)


def _started(tmp_path: Path) -> "subprocess.Popen[str]":
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment: dict[str, Any] = {**os.environ, "TMPDIR": str(temporary)}
    return subprocess.Popen(
        [sys.executable, "-m", "coatcheck", "compare", "--quick"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
