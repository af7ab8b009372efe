"""The ledger suite: what a verification costs, how soon revocation is known, and what faults do to that."""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import facts, harness
from bench.harness import Row
from bench.ledger import delay, faults, plot, routes, sizes, tables, targets, verifying
from bench.ledger.delay import Delays
from bench.ledger.faults import Faults
from bench.ledger.routes import Calls
from bench.ledger.watchers import Plan
from bench.report import Report
from bench.tables import Table, facts_table, targets_table
from bench.web import cores
from bench.web.environment import PEERS, ROOT, prepare

PARTS = ("verifier", "route", "delay", "feed-faults", "size")
_PLOT = ROOT / "build" / "bench" / "revocation-delay.svg"
_CALLS = 200


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    races: harness.Effort
    tokens: int
    """How many remembered tokens to weigh."""
    rounds: int
    crowds: tuple[tuple[int, int], ...]
    """Verifiers, and processes for them; the last are judged."""
    revocations: int
    pause: float
    """Seconds from one revocation to the next."""
    warm: int
    partition: float
    batch: int
    """Revocations for each fault."""
    watched: int
    """Verifiers for the faults."""
    lists: int


FULL = Effort(
    races=harness.FULL,
    tokens=4_000,
    rounds=31,
    crowds=((1, 1), (10, 2), (100, 4)),
    revocations=1_000,
    pause=0.05,
    warm=1_000,
    partition=30.0,
    batch=50,
    watched=100,
    lists=21,
)
QUICK = Effort(
    races=harness.QUICK,
    tokens=2_000,
    rounds=7,
    crowds=((10, 2), (100, 4)),
    revocations=100,
    pause=0.05,
    warm=20,
    partition=8.0,
    batch=10,
    watched=20,
    lists=5,
)


def run(report: Report, parts: Collection[str], *, quick: bool) -> None:
    """Measure the parts that are asked for."""
    effort = QUICK if quick else FULL
    found = facts.machine_facts() | {"suite": "ledger", "effort": "quick" if quick else "full"}
    report.data["ledger facts"] = found
    report.show(facts_table(found, []))
    row = calls = crowd = broken = None
    with tempfile.TemporaryDirectory(prefix="coatcheck-bench-") as name:
        if "verifier" in parts:
            row = _verifier(report, effort)
        if "route" in parts:
            calls = _route(report, effort, _place(name, "route"))
        if "delay" in parts:
            crowd = _delay(report, effort, Path(name))
        if "feed-faults" in parts:
            broken = _faults(report, effort, _place(name, "faults"))
        if "size" in parts:
            _size(report, effort, _place(name, "size"))
    judged = targets.judge(row, calls, crowd, broken)
    report.data["ledger targets"] = [asdict(target) | {"verdict": target.verdict} for target in judged]
    report.show(targets_table(judged))


def _place(name: str, part: str) -> Path:
    place = Path(name) / part
    place.mkdir()
    return place


def _verifier(report: Report, effort: Effort) -> Row:
    row, length = verifying.race(effort.races)
    weight = verifying.weigh(entries=verifying.MANY, tokens=effort.tokens)
    report.data["verifier"] = {"row": asdict(row), "token": length, "memory": asdict(weight)}
    report.show(tables.verifier_table(row, length, weight))
    return row


def _route(report: Report, effort: Effort, place: Path) -> Calls:
    environment = prepare()
    with cores.load_core():
        calls = routes.measure(environment, place, rounds=effort.rounds, calls=_CALLS)
    report.data["route"] = asdict(calls) | {
        "versions": {name: environment.versions.get(name) for name in PEERS}
    }
    report.show(tables.route_table(calls))
    return calls


def _delay(report: Report, effort: Effort, directory: Path) -> Delays | None:
    runs = []
    for verifiers, processes in effort.crowds:
        plan = Plan(verifiers, processes, effort.warm, asking=False)
        place = _place(str(directory), f"delay-{verifiers}")
        try:
            runs.append(delay.measure(place, plan=plan, revocations=effort.revocations, pause=effort.pause))
        except Exception as error:  # noqa: BLE001 -- a failure is a result, to be shown
            report.show(_failed(f"{verifiers} verifiers", error))
    report.data["delay"] = [asdict(run) for run in runs]
    if not runs:
        return None
    report.show(tables.delay_table(runs))
    plot.write(_PLOT, runs, limits=targets.LIMITS_MS)
    print(f"The distribution: {_PLOT.relative_to(ROOT)}\n")
    return runs[-1]


def _faults(report: Report, effort: Effort, place: Path) -> Faults | None:
    try:
        found = faults.measure(place, seconds=effort.partition, batch=effort.batch, verifiers=effort.watched)
    except Exception as error:  # noqa: BLE001 -- as above
        report.show(_failed("faults", error))
        return None
    report.data["faults"] = asdict(found)
    report.show(tables.fault_table(found))
    return found


def _size(report: Report, effort: Effort, place: Path) -> None:
    downloads = sizes.downloads(place, entries=10_000, revocations=50)
    lists = sizes.status_lists(rounds=effort.lists)
    report.data["size"] = [*map(asdict, downloads), *map(asdict, lists)]
    report.show(*tables.size_tables(downloads, lists))


def _failed(what: str, error: Exception) -> Table:
    return Table(what, ["", ""], [], [f"FAILED: {type(error).__name__}: {error}"])
