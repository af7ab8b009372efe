"""The faults suite: what is done to nodes, stores, network, disk and clock, and what clients lose by it."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from bench import facts
from bench.faults import scenarios, tables, targets
from bench.faults.disk import disk
from bench.faults.mailbox import Mailbox, mailbox
from bench.faults.network import Cable, cable
from bench.faults.stage import Fault, Outcome, Stage
from bench.report import Report
from bench.scale.cheap import CHEAP
from bench.scale.engines import Postgres
from bench.scale.nodes import Setup, running
from bench.scale.processes import ending
from bench.scale.redis import Redis
from bench.scale.seeding import seed
from bench.tables import facts_table, targets_table

PARTS = ("fault-nodes", "fault-postgres", "fault-network", "fault-redis", "fault-disk", "fault-clock")
_SMALL = {
    "shared_buffers": "64MB",
    "max_wal_size": "32MB",
    "min_wal_size": "2MB",
    "effective_cache_size": "1GB",
}
_DISK_MB, _SQLITE_MB = 160, 24

Scenario = tuple[str, Fault]


def run(report: Report, parts: Collection[str], *, quick: bool) -> None:
    """Play what is asked for."""
    found = facts.machine_facts() | {
        "suite": "faults",
        "served by": facts.versions(("uvicorn", "psycopg")),
        "stores": tables.stores(),
    }
    report.data["faults facts"] = found
    report.show(facts_table(found, []))
    with tempfile.TemporaryDirectory(prefix="coatcheck-bench-") as directory:
        Path(directory).chmod(0o755)  # PostgreSQL runs as somebody else
        outcomes = asyncio.run(_all(Path(directory), parts, seconds=8.0 if quick else 20.0))
    report.data["faults suite"] = [_data(each) for each in outcomes]
    report.show(*tables.outcome_tables(outcomes))
    judged = targets.judge(outcomes)
    report.data["faults targets"] = [asdict(target) | {"verdict": target.verdict} for target in judged]
    report.show(targets_table(judged))


def _data(outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(outcome)
    del found["journal"]["successes"]
    return found


async def _all(directory: Path, parts: Collection[str], *, seconds: float) -> list[Outcome]:
    outcomes = list[Outcome]()
    async with mailbox() as box:
        plays: list[tuple[set[str], Callable[[], Awaitable[list[Outcome]]]]] = [
            ({*PARTS[:3]}, partial(_on_postgres, directory / "postgres", box, parts, seconds=seconds)),
            ({"fault-redis"}, partial(_with_redis, directory / "redis", box, seconds=seconds)),
            ({"fault-clock"}, partial(_with_false_clock, directory / "clock", box)),
            ({"fault-disk"}, partial(_on_small_disk, directory / "disk", box)),
            ({"fault-disk"}, partial(_sqlite_on_small_disk, directory / "sqlite", box)),
        ]
        for words, play in plays:
            if words & set(parts):
                try:
                    outcomes += await play()
                except Exception as error:  # noqa: BLE001 -- a failure is a result, to be shown
                    why = f"{type(error).__name__}: {error}"
                    outcomes.append(Outcome(", ".join(sorted(words)), failure=why))
    return outcomes


async def _on_postgres(
    directory: Path, box: Mailbox, parts: Collection[str], *, seconds: float
) -> list[Outcome]:
    with ExitStack() as stack:
        way: Cable | None = None
        if "fault-network" in parts:
            way = stack.enter_context(cable())
        postgres = stack.enter_context(_postgres(directory, way))
        setup = Setup(name="three nodes", database=postgres.url(), nodes=3, mail_port=box.port, more=CHEAP)

        def plan(stage: Stage) -> Iterator[Scenario]:
            if "fault-nodes" in parts:
                yield "nothing", scenarios.nothing(5.0)
                yield (
                    f"kill -9 of nodes, one after the other, {seconds:.0f} s",
                    scenarios.kill_nodes(stage.site, seconds),
                )
            if "fault-postgres" in parts:
                yield "restart of PostgreSQL", scenarios.restart_postgres(postgres)
                yield "kill -9 of PostgreSQL", scenarios.kill_postgres(postgres)
            if way is not None:
                yield "the cable to PostgreSQL is pulled, 5 s", scenarios.cut(way)
                node = stage.site.nodes[0]
                node.end()
                node.start(COATCHECK_DATABASE=postgres.url(host=way.side))
                yield "one of three nodes is cut off from PostgreSQL, 5 s", scenarios.cut_off(way)

        return await _play(setup, directory, box, plan)


async def _with_redis(directory: Path, box: Mailbox, *, seconds: float) -> list[Outcome]:
    redis = Redis(directory / "store")
    with _postgres(directory, None) as postgres, ending(redis):
        redis.start()
        more = {**CHEAP, "COATCHECK_REDIS": redis.url}
        name = "three nodes with Redis"
        setup = Setup(name=name, database=postgres.url(), nodes=3, mail_port=box.port, more=more)

        def plan(stage: Stage) -> Iterator[Scenario]:
            yield f"kill -9 of Redis, again and again, {seconds:.0f} s", scenarios.kill_redis(redis, seconds)
            yield "Redis stands still, 5 s", scenarios.pause_redis(redis)
            yield "kill -9 of nodes with Redis, 8 s", scenarios.kill_nodes(stage.site, 8.0)
            yield "kill -9 of PostgreSQL beside Redis", scenarios.kill_postgres(postgres)

        return await _play(setup, directory, box, plan)


async def _with_false_clock(directory: Path, box: Mailbox) -> list[Outcome]:
    clock = directory / "clock"
    with _postgres(directory, None) as postgres:
        setup = Setup(name="three nodes", database=postgres.url(), nodes=3, mail_port=box.port, more=CHEAP)
        variables = scenarios.false_clock(clock)

        def plan(stage: Stage) -> Iterator[Scenario]:
            node = stage.site.nodes[0]
            node.end()
            node.start(**variables)
            yield "the clock of one node jumps 1 h ahead, 5 s", scenarios.jump(clock, "+3600")
            yield "the clock of one node jumps 1 h back, 5 s", scenarios.jump(clock, "-3600")

        return await _play(setup, directory, box, plan)


async def _on_small_disk(directory: Path, box: Mailbox) -> list[Outcome]:
    with (
        disk(directory / "mount", megabytes=_DISK_MB) as small,
        _postgres(small.place, None, **_SMALL) as postgres,
    ):
        setup = Setup(name="three nodes", database=postgres.url(), nodes=3, mail_port=box.port, more=CHEAP)

        def plan(_: Stage) -> Iterator[Scenario]:
            yield "the disk of PostgreSQL is full, 6 s", scenarios.fill_disk(small, postgres)

        return await _play(setup, directory, box, plan)


async def _sqlite_on_small_disk(directory: Path, box: Mailbox) -> list[Outcome]:
    with disk(directory / "mount", megabytes=_SQLITE_MB) as small:
        file = small.place / "coatcheck.db"
        setup = Setup(name="one node on SQLite", database=str(file), mail_port=box.port, more=CHEAP)

        def plan(_: Stage) -> Iterator[Scenario]:
            yield "the disk of SQLite is full, 6 s (one node)", scenarios.fill_disk(small, None)

        return await _play(setup, directory, box, plan)


async def _play(
    setup: Setup, directory: Path, box: Mailbox, plan: Callable[[Stage], Iterator[Scenario]]
) -> list[Outcome]:
    loop = asyncio.get_running_loop()
    people = await loop.run_in_executor(None, partial(seed, setup, directory, people=1, sessions=0, chains=0))
    starting = running(setup, directory)
    site = await loop.run_in_executor(None, starting.__enter__)
    outcomes = []
    try:
        stage = Stage(site, people, box)
        for name, fault in plan(stage):
            print(f"{name} ...", flush=True)
            outcomes.append(await stage.play(name, fault))
    finally:
        await loop.run_in_executor(None, partial(starting.__exit__, None, None, None))
        _keep_logs(directory, setup)
    return outcomes


def _keep_logs(directory: Path, setup: Setup) -> None:
    """Copy what nodes wrote to where it can be read afterwards, if that is wished."""
    if wished := os.environ.get("BENCH_LOGS"):
        for log in directory.glob("node-*.log"):
            place = Path(wished) / f"{directory.name}-{setup.name.replace(' ', '-')}-{log.name}"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(log.read_bytes())


@contextmanager
def _postgres(directory: Path, way: Cable | None, **settings: str) -> Iterator[Postgres]:
    host, within = ("127.0.0.1", ()) if way is None else (way.address, way.within)
    postgres = Postgres(directory / "server", host=host, within=within, **settings)
    directory.mkdir(parents=True, exist_ok=True)
    with ending(postgres):
        # On a small disk the log is cut into small pieces: else the first of them would not be full in time.
        postgres.initialise(*(["--wal-segsize=1"] if settings else []))
        yield postgres
