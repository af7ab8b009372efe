"""The same requests and the same operations among ten thousand, a million and ten million sessions."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import sleep

from bench.scale import fill, load, operations, plans
from bench.scale.cheap import CHEAP
from bench.scale.engines import Postgres
from bench.scale.load import Effort, Meter, Run, Stores, Way
from bench.scale.nodes import Setup, Site, running
from bench.scale.operations import Operation
from bench.scale.plans import Plan
from bench.scale.processes import memory
from bench.scale.requests import CHECK, ISSUE, REFRESH, SIGN_IN, Sender
from bench.scale.seeding import People, seed
from bench.web.load import Load
from coatcheck.flows.ports import Storage
from coatcheck.storage.sqlite import SQLiteStorage

FIRST_CHECK = "session check, not seen before"
KINDS = (CHECK, FIRST_CHECK, ISSUE, REFRESH, SIGN_IN)
_REMEMBERED = 1_000
_NOT_SEEN = 30_000
_HELD = 10_000
"""So many sessions a node keeps in memory at most."""


@dataclass
class Size:
    """What was measured at one size."""

    engine: str
    sessions: int
    users: int
    filled_in_s: float
    per_session: float
    """Bytes on disk: of its row and its entries in indexes."""
    tables: dict[str, tuple[int, int]]
    """Bytes of tables and of their indexes."""
    run: Run
    operations: dict[str, Operation]
    started_in_s: float | None
    """From the start of a node's process to its first answer."""
    remembered_bytes: float | None = None
    """Of a session that a node remembers."""
    plans: list[Plan] = field(default_factory=list)


def measure_postgres(
    postgres: Postgres, directory: Path, sessions: int, *, effort: Effort, times: int, explain: bool
) -> Size:
    """Fill a database of PostgreSQL, measure, and delete it."""
    from coatcheck.storage.postgres import PostgresStorage  # noqa: PLC0415 -- an extra

    name = f"growth{sessions}"
    postgres.create(name)
    try:
        setup = _setup(postgres.url(name), "PostgreSQL", sessions)
        people = seed(setup, directory, people=300, sessions=0, chains=1)
        before = fill.sizes(postgres, name)["sessions"]
        seconds = fill.fill(postgres, name, sessions)
        tables = fill.sizes(postgres, name)
        sleep(2.0)
        run, remembered, started = _requests(
            setup, directory, people, Stores(postgres), sessions=sessions, effort=effort
        )
        make: Callable[[], Storage] = partial(PostgresStorage, postgres.url(name), pool=2)
        return Size(
            engine="PostgreSQL",
            sessions=sessions,
            users=sessions // fill.EACH,
            filled_in_s=seconds,
            per_session=(sum(tables["sessions"]) - sum(before)) / sessions,
            tables=tables,
            run=run,
            operations=operations.measure(make, sessions, times=times, postgres=postgres),
            started_in_s=started,
            remembered_bytes=remembered,
            plans=plans.explain(postgres, name) if explain else [],
        )
    finally:
        postgres.drop(name)


def measure_sqlite(directory: Path, sessions: int, *, effort: Effort, times: int) -> Size:
    """Fill an SQLite file, measure, and leave it to whoever made the directory."""
    file = directory / f"growth{sessions}.db"
    setup = _setup(str(file), "SQLite", sessions)
    people = seed(setup, directory, people=300, sessions=0, chains=1)
    seconds = fill.fill_sqlite(file, sessions)
    whole = sum(each.stat().st_size for each in directory.glob(f"{file.name}*"))
    run, remembered, started = _requests(setup, directory, people, Stores(), sessions=sessions, effort=effort)
    return Size(
        engine="SQLite",
        sessions=sessions,
        users=sessions // fill.EACH,
        filled_in_s=seconds,
        per_session=whole / sessions,
        tables={},
        run=run,
        operations=operations.measure(partial(SQLiteStorage, file), sessions, times=times, postgres=None),
        started_in_s=started,
        remembered_bytes=remembered,
    )


def _setup(database: str, engine: str, sessions: int) -> Setup:
    return Setup(name=f"{engine}, {sessions:,} sessions", database=database, more=CHEAP)


def _requests(
    setup: Setup, directory: Path, people: People, stores: Stores, *, sessions: int, effort: Effort
) -> tuple[Run, float | None, float | None]:
    chosen = random.Random(sessions)
    # The last quarter: operations beside this end and rotate those before.
    numbers = range(sessions - sessions // 4, sessions)
    found = Run(setup.name, 1)
    try:
        remembered, started = _ask(
            found, setup, directory, people, stores, chosen=chosen, numbers=numbers, effort=effort
        )
    except Exception as error:  # noqa: BLE001 -- a failure is a result, to be shown; the rest can be measured
        found.failures["the node"] = f"{type(error).__name__}: {error}"
        return found, None, None
    return found, remembered, started


def _ask(
    found: Run,
    setup: Setup,
    directory: Path,
    people: People,
    stores: Stores,
    *,
    chosen: random.Random,
    numbers: range,
    effort: Effort,
) -> tuple[float | None, float]:
    with running(setup, directory) as site:
        sender, meter = Sender(site, people, sent=1 << 23), Meter(site, stores)
        people.cookies = [fill.cookie(each) for each in _sample(chosen, numbers, _REMEMBERED)]
        unseen = [fill.cookie(each) for each in _sample(chosen, numbers, _NOT_SEEN)]
        remembered = _weigh(site, sender, unseen)
        ways: dict[str, Way] = load.ways_of(sender)
        if len(unseen) > _HELD:  # else all would be remembered after the first round
            ways[FIRST_CHECK] = lambda seconds: partial(_first_checks, sender, seconds, unseen)
        load.sample_all(found, meter, ways, effort=effort)
        found.resident = memory([node.pid for node in site.nodes])
    return remembered, site.nodes[0].started_in_s


def _sample(chosen: random.Random, numbers: range, count: int) -> list[int]:
    return chosen.sample(numbers, min(count, len(numbers)))


def _weigh(site: Site, sender: Sender, cookies: list[str]) -> float | None:
    """Bytes that a node grows by for a session that it remembers; ``None`` where there are too few to tell."""
    if len(cookies) < _HELD:
        return None
    pids = [node.pid for node in site.nodes]
    sender.check(1.0, cookies[:16])
    before = memory(pids)
    sender.check(12.0, cookies[:_HELD])
    return (memory(pids) - before) / _HELD


def _first_checks(sender: Sender, seconds: float, cookies: list[str]) -> Load:
    return sender.check(seconds, cookies)
