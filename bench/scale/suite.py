"""The scale suite: several nodes over PostgreSQL, millions of sessions, and revocation across nodes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from bench import facts
from bench.faults.tables import stores
from bench.report import Report
from bench.scale import capacity, growth, load, revocation, tables, targets
from bench.scale.cheap import CHEAP
from bench.scale.engines import Postgres
from bench.scale.growth import Size
from bench.scale.load import Run, Stores
from bench.scale.nodes import Setup, running
from bench.scale.processes import ending
from bench.scale.redis import Redis
from bench.scale.revocation import Delays
from bench.tables import Table, facts_table, targets_table

T = TypeVar("T")

PARTS = ("scale-load", "growth", "across-nodes")


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    loading: load.Effort
    growing: load.Effort
    sizes: tuple[int, ...]
    times: int
    """Calls of each operation of a storage."""
    ending: revocation.Effort


FULL = Effort(
    loading=load.Effort(rounds=3, seconds=2.0),
    growing=load.Effort(rounds=3, seconds=2.0, kinds=growth.KINDS),
    sizes=(10_000, 1_000_000),
    times=1_000,
    ending=revocation.Effort(many=1_000, few=20),
)
QUICK = Effort(
    loading=load.Effort(rounds=1, seconds=2.0),
    growing=load.Effort(rounds=1, seconds=2.0, kinds=growth.KINDS),
    sizes=(10_000, 100_000),
    times=200,
    ending=revocation.Effort(many=100, few=5),
)


def run(report: Report, parts: Collection[str], *, quick: bool, sessions: int | None = None) -> None:
    """Measure the parts that are asked for, growth up to so many sessions."""
    effort = QUICK if quick else FULL
    sizes = (
        effort.sizes
        if sessions is None
        else tuple(sorted({*(s for s in effort.sizes if s < sessions), sessions}))
    )
    found = facts.machine_facts() | {
        "suite": "scale",
        "served by": facts.versions(("starlette", "uvicorn", "uvloop", "httptools", "psycopg")),
        "stores": stores(),
        "effort": "quick" if quick else "full",
    }
    report.data["scale facts"] = found
    report.show(facts_table(found, []))
    runs, grown, delays = list[Run](), list[Size](), list[Delays]()
    with tempfile.TemporaryDirectory(prefix="coatcheck-bench-") as name, _stores(Path(name)) as both:
        directory = Path(name)
        if "scale-load" in parts:
            runs = _load(report, directory / "load", both, effort=effort)
        if "across-nodes" in parts:
            delays = _revocation(report, directory / "revocation", both, effort=effort)
        if "growth" in parts:
            grown = _growth(report, directory / "growth", both, effort=effort, sizes=sizes)
    if needs := capacity.needs(runs, grown):
        report.data["capacity"] = [asdict(each) for each in needs]
        report.show(capacity.table(needs))
    judged = targets.judge(runs, grown, delays)
    report.data["scale targets"] = [asdict(target) | {"verdict": target.verdict} for target in judged]
    report.show(targets_table(judged))


@contextmanager
def _stores(directory: Path) -> Iterator[Stores]:
    directory.chmod(0o755)  # PostgreSQL runs as somebody else
    postgres = Postgres(directory / "postgres")
    redis = Redis(directory / "redis")
    with ending(postgres, redis):
        postgres.initialise()
        redis.start()
        yield Stores(postgres, redis)


def _load(report: Report, directory: Path, both: Stores, *, effort: Effort) -> list[Run]:
    assert both.postgres is not None
    assert both.redis is not None
    runs = []
    only = Stores(both.postgres)
    plan: list[tuple[Setup, Stores]] = [
        (Setup(name=tables.ONE_SQLITE, database="coatcheck.db"), Stores()),
        (Setup(name=tables.WORKERS, database="coatcheck.db", workers=4), Stores()),
        (Setup(name=tables.ONE, database=both.postgres.url("one")), only),
        (Setup(name=tables.THREE, database=both.postgres.url("three"), nodes=3), only),
        (
            Setup(
                name=tables.WITH_REDIS, database=both.postgres.url("redis"), nodes=3, more=_with(both.redis)
            ),
            both,
        ),
    ]
    for number, (setup, stores_of) in enumerate(plan):
        place = directory / str(number)
        database = setup.database.rpartition("/")[2]
        if stores_of.postgres:
            both.postgres.create(database)
        else:
            place.mkdir(parents=True)
            setup = _in(setup, place)  # noqa: PLW2901 -- the same, where it plays
        measured = _attempt(
            report, setup.name, partial(load.measure, setup, place, stores_of, effort=effort.loading)
        )
        if measured is not None:
            runs.append(measured)
        if stores_of.postgres:
            both.postgres.drop(database)
    report.data["scale load"] = [asdict(each) for each in runs]
    report.show(*tables.load_tables(runs))
    return runs


def _with(redis: Redis) -> dict[str, str]:
    return {"COATCHECK_REDIS": redis.url}


def _in(setup: Setup, place: Path) -> Setup:
    return Setup(name=setup.name, database=str(place / setup.database), workers=setup.workers)


def _growth(
    report: Report, directory: Path, both: Stores, *, effort: Effort, sizes: tuple[int, ...]
) -> list[Size]:
    assert both.postgres is not None
    found = []
    for sessions in sizes:
        place = directory / str(sessions)
        way = partial(
            growth.measure_postgres,
            both.postgres,
            place,
            sessions,
            effort=effort.growing,
            times=effort.times,
            explain=sessions == sizes[-1],
        )
        found.append(_attempt(report, f"PostgreSQL, {sessions:,} sessions", way))
    for sessions in [size for size in sizes if size <= 1_000_000]:
        place = directory / f"sqlite-{sessions}"
        sqlite = partial(growth.measure_sqlite, place, sessions, effort=effort.growing, times=effort.times)
        found.append(_attempt(report, f"SQLite, {sessions:,} sessions", sqlite))
    grown = [each for each in found if each is not None]
    report.data["growth"] = [asdict(each) for each in grown]
    report.show(*tables.growth_tables(grown))
    return grown


def _revocation(report: Report, directory: Path, both: Stores, *, effort: Effort) -> list[Delays]:
    assert both.postgres is not None
    assert both.redis is not None
    found = list[Delays]()
    for name, stores_of, more in (
        ("PostgreSQL", Stores(both.postgres), {}),
        ("PostgreSQL and Redis", both, _with(both.redis)),
    ):
        both.postgres.create("revocation")
        setup = Setup(name=name, database=both.postgres.url("revocation"), nodes=3, more={**CHEAP, **more})
        way = partial(_end, setup, directory / name.replace(" ", "-"), stores_of, effort=effort)
        found += _attempt(report, name, way) or []
        both.postgres.drop("revocation")
    report.data["revocation across nodes"] = [asdict(each) for each in found]
    report.show(tables.revocation_table(found))
    return found


def _end(setup: Setup, directory: Path, stores_of: Stores, *, effort: Effort) -> list[Delays]:
    with running(setup, directory) as site:
        return revocation.measure(site, stores_of, effort=effort.ending)


def _attempt(report: Report, name: str, act: Callable[[], T]) -> T | None:
    print(f"{name} ...", flush=True)
    try:
        return act()
    except Exception as error:  # noqa: BLE001 -- a failure is a result, to be shown
        report.show(Table(name, ["", ""], [], [f"FAILED: {type(error).__name__}: {error}"]))
        return None
