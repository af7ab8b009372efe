"""The ledger of a process: it knows what any process committed, in order, each entry once."""

import asyncio
import math
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from coatcheck.flows import ledger as module
from coatcheck.flows.ending import Reason, revoke
from coatcheck.flows.ledger import Ledger
from coatcheck.flows.ports import Storage
from coatcheck.revocation.model import Entry, Facts
from coatcheck.storage.sqlite import SQLiteStorage
from tests.flows.world import World, asynchronous


@pytest.fixture
def other_process(sqlite_world: World, database: Path) -> Iterator[World]:
    world = sqlite_world.sibling(SQLiteStorage(database, notice=timedelta(0)))
    yield world
    asyncio.run(world.close())


async def end(world: World, *names: str, cutoff: float | None = None) -> None:
    async with world.storage.transaction() as records:
        named = [("session", name) for name in names]
        await revoke(world.context, records, named, reason=Reason.SIGNED_OUT, actor="server", cutoff=cutoff)  # type: ignore[arg-type] # a kind


def follow(world: World) -> list[str]:
    seen: list[str] = []
    world.context.ledger.subscribe(lambda entries: seen.extend(entry.value for entry in entries))
    return seen


@asynchronous
async def test_every_process_is_told_of_every_entry_once_and_in_order(
    sqlite_world: World, other_process: World
) -> None:
    worlds = (sqlite_world, other_process)
    seen = [follow(world) for world in worlds]
    names = [f"session-{number}" for number in range(12)]
    for number, name in enumerate(names):
        await end(worlds[number % 2], name)
        if number % 3 == 0:
            await worlds[number % 2].context.ledger.catch_up()
    for world, told in zip(worlds, seen, strict=True):
        await world.context.ledger.catch_up()
        assert told == names
        assert world.context.ledger.registry.position == await world.storage.records.ledger_head()
        assert all(world.context.ledger.registry.void(Facts(sid=name)) == "session" for name in names)


@asynchronous
async def test_it_reads_nothing_if_nothing_was_committed_and_tells_so(world: World) -> None:
    ledger = world.context.ledger
    assert await ledger.catch_up()
    await quiet(ledger)
    await world.flows.services.add("reports")
    epoch = ledger.registry.epoch
    assert await ledger.catch_up()
    assert ledger.registry.epoch == epoch  # committed, but no entry
    await quiet(ledger)


async def quiet(ledger: Ledger) -> None:
    """Wait until there is nothing to read: where nodes are told of commits, one hears of its own once more."""
    while await ledger.catch_up():  # noqa: ASYNC110 - it is asked, and tells nobody
        await asyncio.sleep(0.005)


@asynchronous
async def test_a_new_process_reads_what_is_there_however_much_it_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"session-{number}" for number in range(25)]
    await end(world, *names)
    monkeypatch.setattr(module, "_BATCH", 10)
    later = world.sibling()
    told = follow(later)
    await later.context.ledger.catch_up()
    assert told == names
    later.hasher.pool.close()


class Slow:
    """A storage whose ledger is read across a network: others go on meanwhile."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.version = storage.version

    @property
    def records(self) -> Any:
        return self

    async def list_entries(self, *, after: int, limit: int) -> list[Entry]:
        for _ in range(after % 3):
            await asyncio.sleep(0)
        entries = await self._storage.records.list_entries(after=after, limit=limit)
        await asyncio.sleep(0)
        return entries


@asynchronous
async def test_tasks_that_read_at_once_tell_of_no_entry_twice_or_too_early(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BATCH", 3)
    slow: Any = Slow(world.storage)
    ledger = Ledger(slow, clock=world.clock)
    told: list[int] = []
    ledger.subscribe(lambda entries: told.extend(entry.seq for entry in entries))

    async def read() -> None:
        for _ in range(5):
            await ledger.catch_up()
            await asyncio.sleep(0)

    async def write() -> None:
        for number in range(20):
            await end(world, f"session-{number}")
            await asyncio.sleep(0)

    await asyncio.gather(write(), *(read() for _ in range(6)))
    await ledger.catch_up()
    entries = await world.storage.records.list_entries(after=0, limit=99)
    assert told == [entry.seq for entry in entries]
    assert ledger.registry.position.seq == told[-1]


@asynchronous
async def test_nothing_named_is_nothing_written(world: World) -> None:
    version = await world.storage.records.ledger_head()
    await end(world)
    assert await world.storage.records.ledger_head() == version


@asynchronous
async def test_an_entry_is_kept_until_all_is_dead_that_was_issued_before_its_cut_off(world: World) -> None:
    policy, now = world.context.ledger.policy, world.clock.now
    for cutoff in (None, now - 100, now + 100):
        await end(world, "session-a", cutoff=cutoff)
    entries = await world.storage.records.list_entries(after=0, limit=9)
    assert [entry.until for entry in entries] == [
        policy.until(now),
        policy.until(now),
        policy.until(now + 100),
    ]


@asynchronous
async def test_what_is_of_no_use_any_more_is_dropped_from_memory(world: World) -> None:
    ledger = world.context.ledger
    await end(world, "session-a")
    await ledger.catch_up()
    ledger.forget()
    assert len(ledger.registry) == 1
    world.clock.now = math.ceil(ledger.policy.until(world.clock.now) / 60) * 60
    ledger.forget()
    assert len(ledger.registry) == 0
