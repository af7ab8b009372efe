"""What is said of a report, where the figures are others than on the machine of whoever wrote this."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from coatcheck.cli.compare_text import show
from coatcheck.comparison import credentials, facts, new_process
from coatcheck.comparison.claims import default_claims
from coatcheck.comparison.credentials import make_issuance
from coatcheck.comparison.designs import OWN_TOKEN
from coatcheck.comparison.errors import ClaimsError, ComparisonError
from coatcheck.jose.errors import KeyUseError
from tests.comparison.reports import report, window


@pytest.mark.parametrize(
    "rate, said", [(10, "does not decide here"), (100_000, "keeps 5 cores busy, and the quickest 0.4")]
)
def test_whether_the_time_of_a_check_decides_depends_on_the_load(rate: float, said: str) -> None:
    assert said in report(rate=rate).summary[0]


def test_windows_that_were_measured_are_said_and_others_are_not_made_up() -> None:
    windows = (
        window("expiry-only", 43_200, longest=86_400),
        window("refresh", 150, longest=300),
        window("session-sqlite", 1e-4),
        window("ledger-services", 0.004),
    )
    said = " ".join(report(windows=windows).summary)
    assert "A token that lives for 24 h and that nobody can revoke works for 12 h" in said
    assert (
        "after 4 ms at the median and 4 ms at most; who asks a store with each request, after 100 µs (SQLite)"
        in said
    )
    alone = " ".join(report(windows=(window("ledger-services", 0.004), window("refresh", None))).summary)
    assert "24 h" not in alone
    assert "who asks" not in alone
    assert "ledger" not in " ".join(report().summary)


def test_staleness_is_said_where_it_was_measured() -> None:
    stale = (
        window("refresh", 150, event="role removed", longest=300),
        window("ledger-services", 0.008, event="role removed"),
    )
    assert any("still counts for 2.5 min" in each for each in report(staleness=stale).summary)
    assert not any("still counts" in each for each in report(staleness=stale[:1]).summary)


def test_credentials_that_are_small_come_near_nothing() -> None:
    assert any(each.startswith("None of the credentials") for each in report().summary)
    large = " ".join(report(length=9000).summary)
    assert "These exceed a usual limit: Browsers, one cookie (4096 B): JWT, HS256" in large
    assert "nginx, one header line (8192 B)" in large


def test_claims_without_anything_personal_bring_no_warning() -> None:
    assert not any("hides nothing" in each for each in report(claims={"plan": "gold"}).summary)
    assert any("can read email, name" in each for each in report().summary)


def test_a_busy_machine_is_said_at_the_end_of_the_summary() -> None:
    busy = report(noise=[[1.0]] * 4 + [[2.0]] * 4)
    assert busy.summary[-1] == busy.noise.verdict
    assert report().noise.verdict not in report().summary


def test_what_was_not_measured_is_shown_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    show(report(windows=(window("refresh", None), window("ledger-services", 0.004))))
    shown = capsys.readouterr().out
    assert "not measured: nobody was there" in shown
    assert "Redis: not measured: it is not there." in shown
    assert "Scaled: run" not in shown


def test_names_are_shown_without_what_would_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    made = report()
    show(replace(made, machine=replace(made.machine, cpu="\x1b[31mred\u202e")))
    assert "\\x1b[31mred\\u202e" in capsys.readouterr().out


@pytest.mark.parametrize("width", [60, 80, 100])
def test_on_a_narrow_terminal_columns_are_left_out_and_no_number_is_cut_off(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = report(windows=(window("refresh", 150, longest=300), window("ledger-services", 0.004)))
    show(made)
    wide = {word for line in capsys.readouterr().out.splitlines() for word in line.split()}
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    show(made)
    lines = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out).splitlines()
    assert not [line for line in lines if len(line) > width]
    tables = [line for line in lines if line.startswith("  ") and not line.startswith(("  *", "   "))]
    numbers = {word for line in tables for word in line.split() if word[0].isdigit()}
    assert numbers <= wide
    assert any("Too narrow for:" in line for line in lines)


# --- the machine --------------------------------------------------------------------------------------------


def test_the_processor_is_named_by_the_system_or_by_python(tmp_path: Path) -> None:
    described = tmp_path / "cpuinfo"
    described.write_text("processor\t: 0\nmodel name\t: Fast One 3000\n")
    assert facts._cpu_model(described) == "Fast One 3000"
    assert facts._cpu_model(tmp_path / "nowhere")


def test_what_a_system_does_not_say_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.delattr("os.getloadavg", raising=False)
    monkeypatch.setattr(facts, "_PACKAGES", ("coatcheck", "no-such-distribution"))
    found = facts.machine_facts(command="", quick=False, began=1_800_000_000.9, seconds=1.0, load=None)
    assert found.usable_cores == found.cores
    assert facts.load_average() is None
    assert "no-such-distribution" not in found.versions
    assert found.measured_at == "2027-01-15T08:00:00Z"


# --- what fails ---------------------------------------------------------------------------------------------


def test_claims_of_which_no_token_can_be_made_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise KeyUseError("for some reason")

    monkeypatch.setattr(credentials, "Issuance", fail)
    with pytest.raises(ClaimsError, match="for some reason"):
        make_issuance(default_claims())


def test_a_process_that_fails_is_told() -> None:
    issuance = make_issuance(default_claims())
    issuance.audience = "somebody else"
    with pytest.raises(ComparisonError, match="has failed"):
        asyncio.run(new_process.measure_beginnings(issuance, rounds=1, on_round=lambda: None))


def test_a_process_that_is_waited_for_ends_with_whoever_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[asyncio.subprocess.Process] = []
    start = asyncio.create_subprocess_exec

    async def sleeping(program: str, *_: str, **options: Any) -> asyncio.subprocess.Process:
        started.append(await start(program, "-c", "import time; time.sleep(60)", **options))
        return started[0]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", sleeping)

    async def run() -> None:
        async with asyncio.timeout(0.2):
            await new_process.measure_beginnings(
                make_issuance(default_claims()), rounds=1, on_round=lambda: None
            )

    with pytest.raises(TimeoutError):
        asyncio.run(run())
    assert started[0].returncode is not None


def test_nothing_secret_is_shown_of_what_holds_keys() -> None:
    issuance = make_issuance(default_claims())
    key, _ = issuance.tokens["jwt-hs256"].private
    shown = " ".join(map(repr, issuance.tokens.values()))
    assert key["k"] not in shown
    assert "jwt-hs256" in shown
    assert OWN_TOKEN not in issuance.tokens
