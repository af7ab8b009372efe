"""A snapshot that readers share, however slow they are and whatever is dropped meanwhile."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest

from coatcheck._core import base64url
from coatcheck.flows.feed_packing import Frame
from coatcheck.flows.feed_policy import FeedPolicy
from coatcheck.flows.feed_signing import EventSigner
from coatcheck.flows.feed_snapshot import Snapshot
from coatcheck.revocation.model import Draft

from .world import World, asynchronous

ROOM = (0, 2_000, 6_000, 1_000_000)


def claims(frame: Frame) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(base64url.decode(frame.plain.split(b"data: ")[1].split(b".")[1]))
    return payload


class Slow:
    """A reader that takes a part at a time, and checks that it follows the one before."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.parts: AsyncIterator[Frame] = snapshot.parts()
        self.values: list[str] = []
        self.number, self.upto, self.is_done = 0, "0.", False

    async def take(self) -> None:
        part = claims(await anext(self.parts))
        assert part["snapshot"] == self.snapshot.id
        assert (part["seq"], part["mark"]) == (self.snapshot.position.seq, self.snapshot.position.mark)
        assert (part.get("part", 0), part["after"]) == (self.number, self.upto)
        self.number, self.upto = self.number + 1, part["upto"]
        self.is_done = part.get("done", False)
        assert self.is_done == (self.upto == str(self.snapshot.position))
        self.values += [value for _, value, _, _ in part.get("entries", [])]


async def snapshot_of(world: World, *, octets: int, part: int = 2) -> Snapshot:
    signer = EventSigner(world.context.access_tokens.keys)
    await signer.prepare()
    records = world.storage.records
    policy = FeedPolicy(part=part, snapshot_octets=octets)
    return Snapshot(records, signer, await records.ledger_head(), policy=policy, clock=world.clock)


async def append(world: World, lives: list[float], *, name: str = "session") -> list[str]:
    now = world.clock.now
    drafts = [
        Draft(
            kind="session",
            value=f"{name}-{number}" + "x" * (number % 5 * 50),
            cutoff=None,
            until=now + life,
            reason="signed-out",
            actor="server",
            at=now,
            mark=f"mark-{number}",
        )
        for number, life in enumerate(lives)
    ]
    await world.storage.records.append_entries(drafts)
    return [draft.value for draft in drafts]


@asynchronous
async def test_a_part_that_is_made_again_leaves_no_gap_for_a_slow_reader(world: World) -> None:
    """What it has read ended in another place than what others read after entries had expired."""
    values = await append(world, [3000, 3000, 5, 5, *[3000] * 6])
    for octets in range(1000, 12_000, 100):
        snapshot = await snapshot_of(world, octets=octets)
        slow, before = Slow(snapshot), world.clock.now
        await slow.take()
        await slow.take()
        world.clock.advance(6)
        quick = Slow(snapshot)
        while not quick.is_done:
            await quick.take()
        while not slow.is_done:
            await slow.take()
        assert quick.values == [*values[:2], *values[4:]] or quick.values == values
        assert set(slow.values) >= {*values[:2], *values[4:]}
        world.clock.now = before


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("octets", ROOM)
@asynchronous
async def test_every_reader_gets_every_entry_that_is_of_use_whatever_is_dropped_meanwhile(
    world: World, seed: int, octets: int
) -> None:
    random = Random(seed)  # noqa: S311 - for a schedule
    values = await append(world, [random.choice([5, 15, 25, 3000]) for _ in range(40)])
    until = {each.value: each.until for each in await world.storage.records.list_entries(after=0, limit=99)}
    snapshot = await snapshot_of(world, octets=octets, part=random.choice([1, 2, 3]))
    readers = [Slow(snapshot) for _ in range(4)]
    while reading := [reader for reader in readers if not reader.is_done]:
        match random.choice(["take", "take", "take", "wait", "drop", "append"]):
            case "wait":
                world.clock.advance(random.choice([1, 4]))
            case "drop":
                await world.storage.records.delete_expired_entries(
                    world.clock.now, limit=random.choice([1, 9])
                )
            case "append":
                await append(world, [3000], name="late")
            case _:
                await random.choice(reading).take()
    of_use = [value for value in values if until[value] > world.clock.now]
    for reader in readers:
        assert [value for value in reader.values if value in of_use] == of_use
        assert len(set(reader.values)) == len(reader.values)
        assert not any(value.startswith("late") for value in reader.values)


@asynchronous
async def test_what_is_kept_of_a_snapshot_is_bounded_and_given_to_all_alike(world: World) -> None:
    await append(world, [3000] * 20)
    snapshot = await snapshot_of(world, octets=6_000)
    one = [frame async for frame in snapshot.parts()]
    other = [frame async for frame in snapshot.parts()]
    shared = [ours is theirs for ours, theirs in zip(one, other, strict=True)]
    assert True in shared
    assert False in shared
    assert sum(2 * len(frame.plain) for frame, _ in snapshot._parts.values()) <= 6_000


@asynchronous
async def test_a_snapshot_is_of_the_time_at_which_it_was_begun_however_slowly_it_is_read(
    world: World,
) -> None:
    """Else a reader would take its view to be complete up to a time of which it has heard nothing."""
    await append(world, [3000] * 4)
    begun_at = world.clock.now
    snapshot = await snapshot_of(world, octets=0)
    parts = []
    async for frame in snapshot.parts():
        parts.append(claims(frame))
        world.clock.advance(30)
    assert [part["now"] for part in parts] == [begun_at, begun_at]
