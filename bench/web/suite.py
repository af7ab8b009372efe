"""The web suite: a protected route in coatcheck and in its peers, each alone on one core."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from bench import facts
from bench.harness import Row
from bench.report import Report
from bench.tables import facts_table, targets_table
from bench.web import added, cores, many_sessions, signing_in, starting, tables, targets, throughput
from bench.web.contenders import COOKIE, PROGRAMS
from bench.web.environment import PEERS, Environment, prepare
from bench.web.load import CONNECTIONS

PARTS = ("throughput", "added", "sign-in", "start", "sessions")
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    rounds: int
    seconds: int
    """One sample of a load."""
    added_rounds: int
    sign_in_rounds: int
    sign_ins: int
    starts: int
    sessions: int


FULL = Effort(
    rounds=7,
    seconds=1,
    added_rounds=41,
    sign_in_rounds=5,
    sign_ins=120,
    starts=5,
    sessions=100_000,
)
QUICK = Effort(
    rounds=3,
    seconds=1,
    added_rounds=11,
    sign_in_rounds=3,
    sign_ins=60,
    starts=3,
    sessions=10_000,
)
_CALLS = 200


def run(report: Report, parts: Collection[str], *, quick: bool) -> None:
    """Measure the parts that are asked for."""
    effort, environment = QUICK if quick else FULL, prepare()
    _introduce(report, environment, effort)
    with cores.load_core(), tempfile.TemporaryDirectory(prefix="coatcheck-bench-") as directory:
        measured = _measure(report, parts, environment, effort=effort, directory=Path(directory))
    judged = targets.judge(*measured)
    report.data["web targets"] = [asdict(target) | {"verdict": target.verdict} for target in judged]
    report.show(targets_table(judged))


def _introduce(report: Report, environment: Environment, effort: Effort) -> None:
    found = facts.machine_facts() | {
        "served by": facts.versions(("fastapi", "starlette", "uvicorn", "uvloop", "httptools")),
        "peers": ", ".join(f"{name} {environment.versions.get(name, 'not installed')}" for name in PEERS),
        "waitress": environment.versions.get("waitress", "not installed"),
        "cores": "one for the server, one for wrk" if cores.SEPARATE else "SHARED by server and wrk",
        "effort": f"{effort.rounds} rounds of {effort.seconds} s, {CONNECTIONS} connections",
    }
    report.data["web facts"] = found
    missing = [f"{name} cannot be installed: {why}" for name, why in environment.failures.items()]
    report.show(facts_table(found, missing))


def _measure(
    report: Report, parts: Collection[str], environment: Environment, *, effort: Effort, directory: Path
) -> tuple[throughput.Race | None, Row | None, starting.Starts | None]:
    ours = next(program for program in PROGRAMS if program.name == COOKIE)
    race = row = starts = None
    places = {part: directory / part for part in parts}
    for place in places.values():
        place.mkdir()
    if "throughput" in parts:
        race = throughput.race(
            PROGRAMS,
            environment,
            directory=places["throughput"],
            rounds=effort.rounds,
            seconds=effort.seconds,
        )
        report.data["throughput"] = asdict(race)
        report.show(tables.throughput_table(race, PROGRAMS))
    if "added" in parts:
        row = added.measure(places["added"], rounds=effort.added_rounds, calls=_CALLS)
        report.data["added"] = asdict(row)
        report.show(tables.added_table(row))
    if "sign-in" in parts:
        sign_ins = _attempt(
            lambda: signing_in.measure(
                ours,
                environment,
                directory=places["sign-in"],
                rounds=effort.sign_in_rounds,
                number=effort.sign_ins,
            )
        )
        report.data["sign-in"] = _plain(sign_ins)
        report.show(tables.sign_in_table(sign_ins))
    if "start" in parts:
        starts = starting.measure(PROGRAMS, environment, directory=places["start"], rounds=effort.starts)
        report.data["start"] = asdict(starts)
        report.show(tables.starts_table(starts))
    if "sessions" in parts:
        crowd = _attempt(
            lambda: many_sessions.measure(
                ours,
                environment,
                directory=places["sessions"],
                sessions=effort.sessions,
            )
        )
        report.data["sessions"] = _plain(crowd)
        report.show(tables.crowd_table(crowd))
    return race, row, starts


def _attempt(measure: Callable[[], _Found]) -> _Found | str:
    """What was measured, or why it could not be."""
    try:
        return measure()
    except Exception as error:  # noqa: BLE001 -- a failure is a result, to be shown
        return f"{type(error).__name__}: {error}"


def _plain(found: Any) -> Any:
    return found if isinstance(found, str) else asdict(found)
