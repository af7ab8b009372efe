"""The feed in one process: what readers get, in which order, and who is cut off."""

import asyncio
import logging
import math
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from coatcheck.errors import CoatcheckError
from coatcheck.flows.ending import ADMINISTRATOR, Reason, revoke
from coatcheck.flows.errors import FeedUnavailableError
from coatcheck.flows.feed import Feed
from coatcheck.flows.feed_policy import FeedPolicy
from coatcheck.flows.feed_reader import Reader
from coatcheck.flows.model import Service
from coatcheck.jose import Claims, jwt
from coatcheck.revocation.errors import MalformedEntryError
from coatcheck.revocation.model import Draft, Facts, Position
from coatcheck.revocation.wire import AUDIENCE, TYPE
from coatcheck.storage.errors import StorageBusyError
from coatcheck.storage.sqlite import SQLiteStorage

from .world import ISSUER, ManualClock, World, access_token, asynchronous, cookie

NONCE = "a-nonce-of-sixteen"
QUICK = FeedPolicy(heartbeat=timedelta(milliseconds=20))
NEVER = timedelta(hours=1)
QUIET = FeedPolicy(heartbeat=NEVER)
DEAF = FeedPolicy(heartbeat=NEVER, poll=NEVER)  # it hears only of what its own process commits


class EventClaims(Claims):
    event: str
    seq: int
    mark: str
    now: float
    after: str | None = None
    upto: str | None = None
    entries: tuple[tuple[str, str, float | None, float], ...] = ()
    done: bool = False
    part: int = 0
    nonce: str | None = None
    heartbeat: float | None = None
    snapshot: str | None = None
    keys: str | None = None


@dataclass
class Event:
    id: str | None
    claims: EventClaims
    text: bytes

    @property
    def values(self) -> list[str]:
        return [value for _, value, _, _ in self.claims.entries]


class Listener:
    """A reader as the web serves it, and its other end."""

    def __init__(self, world: World, feed: Feed, reader: Reader) -> None:
        self.world = world
        self.feed = feed
        self.reader = reader
        self.chunks = reader.chunks()
        self.unpack = zlib.decompressobj(31) if reader.packs else None
        self.text = b""
        self.cut_off = asyncio.Event()
        reader.on_cut(self.cut_off.set)

    async def next(self) -> Event:
        async with asyncio.timeout(5):
            while b"\n\n" not in self.text:
                octets = await anext(self.chunks)
                self.text += octets if self.unpack is None else self.unpack.decompress(octets)
        block, _, self.text = self.text.partition(b"\n\n")
        fields = dict(line.split(": ", 1) for line in block.decode().split("\n"))
        claims = await self.verified(fields["data"])
        assert claims.event == fields["event"]
        position = fields.get("id")
        assert position in (None, f"{claims.seq}.{claims.mark}")
        return Event(position, claims, block)

    async def verified(self, token: str) -> EventClaims:
        verifier = jwt.Verifier(
            await self.world.context.access_tokens.key_set(),
            issuer=ISSUER,
            audience=AUDIENCE,
            typ=TYPE,
            claims=EventClaims,
            require=("iat",),
            clock=self.world.clock,
        )
        return verifier.verify(token).claims

    async def caught_up(self) -> "Listener":
        """Read up to where it joins the others."""
        hello = await self.next()
        while hello.claims.snapshot and not (await self.next()).claims.done:
            pass
        chunks = self.chunks
        task = asyncio.ensure_future(anext(chunks, b""))
        while self.reader not in self.feed._live:
            if task.done():
                self.chunks = _with(task, chunks)
                await self.next()
                task = asyncio.ensure_future(anext(chunks, b""))
            await asyncio.sleep(0)
        self.chunks = _with(task, chunks)
        return self

    async def rest(self) -> list[Event]:
        """Everything up to the end of the stream."""
        events = []
        with suppress(StopAsyncIteration):
            while True:
                events.append(await self.next())
        assert self.unpack is None or self.unpack.eof
        return events


async def _with(first: "asyncio.Future[bytes]", rest: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    if chunk := await first:
        yield chunk
    async for chunk in rest:
        yield chunk


@asynccontextmanager
async def listening(
    world: World,
    feed: Feed,
    *,
    service: Service | None = None,
    packs: bool = False,
    position: str | None = None,
) -> AsyncIterator[Listener]:
    reader = feed.admit(service, packs=packs)
    known = None if position is None else Position.parse(position)
    reader.begin(feed.history(reader, nonce=NONCE, position=known))
    try:
        yield Listener(world, feed, reader)
    finally:
        reader.close()
        reader.close()  # harmless


async def end(world: World, *values: str) -> None:
    async with world.storage.transaction() as records:
        named = [("session", value) for value in values]
        await revoke(world.context, records, named, reason=Reason.SIGNED_OUT, actor=ADMINISTRATOR)  # type: ignore[arg-type]


@asynchronous
async def test_a_reader_is_greeted_gets_a_snapshot_and_then_what_is_committed(world: World) -> None:
    await end(world, "before")
    feed = Feed(world.context, policy=DEAF)
    async with listening(world, feed) as listener:
        hello = await listener.next()
        assert (hello.claims.event, hello.claims.nonce, hello.id) == ("hello", NONCE, None)
        assert hello.claims.snapshot
        assert hello.claims.heartbeat == NEVER.total_seconds()
        assert hello.claims.now == world.clock.now
        assert hello.claims.keys == await world.context.access_tokens.keys.digest()
        snapshot = await listener.next()
        assert (snapshot.claims.event, snapshot.claims.done, snapshot.claims.part) == ("snapshot", True, 0)
        assert snapshot.claims.snapshot == hello.claims.snapshot
        assert (snapshot.claims.seq, snapshot.claims.mark) == (hello.claims.seq, hello.claims.mark)
        assert (snapshot.claims.after, snapshot.claims.upto) == ("0.", snapshot.id)
        assert snapshot.values == ["before"]
        assert (await listener.next()).claims.event == "heartbeat"  # that is all
        following = asyncio.ensure_future(listener.next())
        await asyncio.sleep(0.01)
        await end(world, "first", "second")
        entries = await following
        assert (entries.claims.event, entries.claims.after) == ("entries", snapshot.id)
        assert entries.values == ["first", "second"]  # committed together, sent together
        (kind, _, cutoff, until), _ = entries.claims.entries
        assert (kind, cutoff, until) == ("session", None, world.context.ledger.policy.until(world.clock.now))
        await end(world, "third")
        assert (await listener.next()).claims.after == entries.id


@asynchronous
async def test_an_empty_ledger_is_a_snapshot_too(world: World) -> None:
    async with listening(world, Feed(world.context, policy=DEAF)) as listener:
        await listener.next()
        snapshot = await listener.next()
        assert (snapshot.id, snapshot.values, snapshot.claims.done) == ("0.", [], True)


@asynchronous
async def test_who_has_read_an_empty_ledger_goes_on_from_there(world: World) -> None:
    feed = Feed(world.context, policy=DEAF)
    async with listening(world, feed, position="0.") as listener:
        hello = await listener.next()
        assert (hello.id, hello.claims.snapshot) == ("0.", None)
    await end(world, "first")
    async with listening(world, feed, position="0.") as listener:
        assert (await listener.next()).claims.snapshot


@asynchronous
async def test_one_event_is_signed_once_and_is_the_same_for_all(world: World) -> None:
    feed = Feed(world.context, policy=DEAF)
    async with listening(world, feed) as one, listening(world, feed, packs=True) as other:
        await one.caught_up()
        await other.caught_up()
        await end(world, "first")
        event = await one.next()
        assert (await other.next()).text == event.text
        await end(world, "second")
        following = await one.next()
        # Who comes back gets the very same too.
        async with listening(world, feed, position=event.id, packs=True) as again:
            await again.next()
            assert (await again.next()).text == following.text


@asynchronous
async def test_what_somebody_missed_is_read_from_the_storage(world: World) -> None:
    feed = Feed(world.context, policy=msgspec.structs.replace(DEAF, part=2))
    async with listening(world, feed) as listener:
        await listener.caught_up()
        await end(world, "first")
        seen = await listener.next()
    await end(world, "second", "third")
    await end(world, "fourth")
    async with listening(world, feed, position=seen.id) as listener:
        hello = await listener.next()
        assert (hello.id, hello.claims.snapshot) == (seen.id, None)
        one, two = await listener.next(), await listener.next()
        assert (one.values, one.claims.after) == (["second", "third"], seen.id)
        assert (two.values, two.claims.after) == (["fourth"], one.id)
        await end(world, "fifth")
        assert (await listener.next()).claims.after == two.id


@asynchronous
async def test_what_comes_during_a_snapshot_comes_after_it(world: World) -> None:
    await end(world, *[f"session-{number}" for number in range(7)])
    feed = Feed(world.context, policy=msgspec.structs.replace(DEAF, part=3, snapshot_octets=2000))
    async with listening(world, feed) as listener:
        hello = await listener.next()
        parts = [await listener.next()]
        await end(world, "meanwhile")
        parts += [await listener.next(), await listener.next()]
        assert [len(part.values) for part in parts] == [3, 3, 1]
        assert [part.claims.part for part in parts] == [0, 1, 2]
        assert [part.claims.done for part in parts] == [False, False, True]
        assert [part.id is None for part in parts] == [True, True, False]
        assert [part.claims.after for part in parts] == ["0.", *(part.claims.upto for part in parts[:-1])]
        assert parts[-1].claims.upto == parts[-1].id
        assert {part.claims.snapshot for part in parts} == {hello.claims.snapshot}
        entries = await listener.next()
        assert (entries.values, entries.claims.after) == (["meanwhile"], parts[-1].id)
        # Another gets the same one, what was kept of it and what was not, and then what came after it.
        async with listening(world, feed) as second:
            events = [await second.next() for _ in range(5)]
            assert events[0].claims.snapshot == hello.claims.snapshot
            assert events[1].text == parts[0].text
            assert [event.values for event in events[1:]] == [*(part.values for part in parts), ["meanwhile"]]


@asynchronous
async def test_a_snapshot_lets_others_have_their_turn(world: World) -> None:
    await end(world, *[f"session-{number}" for number in range(50)])
    feed = Feed(world.context, policy=msgspec.structs.replace(DEAF, part=5))
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    async with listening(world, feed) as listener:
        await listener.caught_up()
    assert turns >= 10
    counting.cancel()


@asynchronous
async def test_a_snapshot_leaves_out_what_is_of_no_use_any_more(world: World) -> None:
    await end(world, "old", "old too", "old as well")
    world.clock.advance(world.context.ledger.policy.until(0.0))
    await end(world, "new")
    feed = Feed(world.context, policy=msgspec.structs.replace(DEAF, part=2))
    async with listening(world, feed) as listener:
        await listener.next()
        snapshot = await listener.next()
        assert (snapshot.values, snapshot.claims.done) == (["new"], True)


@asynchronous
async def test_a_snapshot_that_is_too_old_for_others_is_made_again(world: World) -> None:
    await end(world, "first")
    feed = Feed(world.context, policy=msgspec.structs.replace(DEAF, snapshot_age=timedelta(0)))
    async with listening(world, feed) as listener:
        hello = await listener.next()
        await end(world, "second")
        async with listening(world, feed) as other:
            assert (await other.next()).claims.snapshot != hello.claims.snapshot  # nobody mixes their parts
            assert (await other.next()).values == ["first", "second"]


@asynchronous
async def test_a_restored_ledger_is_told_of_and_says_what_to_do(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await end(world, "first")
    feed = Feed(world.context, policy=DEAF)
    for position in ("7.AAAAAAAAAAA", "1.AAAAAAAAAAA"):
        async with listening(world, feed, position=position) as listener:
            assert (await listener.next()).claims.snapshot
    (record,) = [record for record in caplog.records if record.name == "coatcheck.feed"]
    assert record.levelno == logging.WARNING
    assert "7.AAAAAAAAAAA" in record.getMessage()
    assert "without a key" in record.getMessage()
    assert "coatcheck revoke everything" in record.getMessage()


@asynchronous
async def test_who_makes_up_a_position_neither_fills_the_log_nor_uses_up_the_warning(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()
    monkeypatch.setattr("coatcheck.flows.feed.monotonic_clock", clock)
    await end(world, "first")
    feed = Feed(world.context, policy=DEAF)
    stolen, _ = await world.flows.services.add("stolen")
    honest, _ = await world.flows.services.add("honest")

    async def told(service: Service) -> list[str]:
        caplog.clear()
        for _ in range(3):
            async with listening(world, feed, service=service, position="7.AAAAAAAAAAA") as listener:
                await listener.next()
        return [record.args[0] for record in caplog.records if isinstance(record.args, tuple)]  # type: ignore[misc]

    assert await told(stolen) == ["service stolen"]
    assert await told(honest) == ["service honest"]
    clock.advance(59)
    assert await told(stolen) == []
    clock.advance(1)
    assert await told(stolen) == ["service stolen"]
    assert len(feed._warned_at) == 1


@asynchronous
async def test_a_position_that_was_dropped_for_its_age_is_no_reason_for_alarm(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    feed = Feed(world.context, policy=DEAF)
    async with listening(world, feed) as listener:
        await listener.caught_up()
        await end(world, "first")
        seen = await listener.next()
    world.clock.advance(world.context.ledger.policy.until(0.0))
    await end(world, "second")
    await world.storage.records.delete_expired_entries(world.clock.now, limit=10)
    async with listening(world, feed, position=seen.id) as listener:
        assert (await listener.next()).claims.snapshot
    assert not [record for record in caplog.records if record.name == "coatcheck.feed"]


@asynchronous
async def test_entries_that_were_dropped_while_somebody_caught_up_are_passed_over(world: World) -> None:
    feed = Feed(world.context, policy=DEAF)
    async with listening(world, feed) as listener:
        await listener.caught_up()
        await end(world, "first")
        seen = await listener.next()
    await end(world, "second")
    async with listening(world, feed, position=seen.id) as listener:
        await listener.next()
        world.clock.advance(world.context.ledger.policy.until(0.0))
        await end(world, "third")
        await world.storage.records.delete_expired_entries(world.clock.now, limit=10)
        passed = await listener.next()
        assert (passed.values, passed.claims.after) == (["third"], seen.id)


class Forgetful:
    """Records of a ledger whose entries have all been dropped."""

    def __init__(self, world: World) -> None:
        self._records = world.storage.records

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)

    async def list_entries(self, **_: Any) -> list[Any]:
        return []


@asynchronous
async def test_who_catches_up_is_led_on_even_if_nothing_is_left_to_be_told(world: World) -> None:
    feed = Feed(world.context, policy=DEAF)
    async with listening(world, feed) as listener:
        await listener.caught_up()
        await end(world, "first")
        seen = await listener.next()
    await end(world, "second")
    await world.context.ledger.catch_up()
    feed._records = Forgetful(world)
    async with listening(world, feed, position=seen.id) as listener:
        await listener.next()
        passed = await listener.next()
        assert (passed.values, passed.claims.after) == ([], seen.id)
        assert passed.id == str(world.context.ledger.registry.position)


@asynchronous
async def test_a_heartbeat_says_up_to_where_and_with_which_keys(world: World) -> None:
    async with listening(world, Feed(world.context, policy=QUICK)) as listener:
        await listener.caught_up()
        await end(world, "first")
        entries = await listener.next()
        while entries.claims.event != "entries":
            entries = await listener.next()
        beats = [await listener.next(), await listener.next()]
        for beat in beats:
            assert (beat.claims.event, beat.id) == ("heartbeat", None)
            assert f"{beat.claims.seq}.{beat.claims.mark}" == entries.id
            assert beat.claims.keys == await world.context.access_tokens.keys.digest()


@asynchronous
async def test_what_another_process_commits_is_found(sqlite_world: World, database: Path) -> None:
    sibling = sqlite_world.sibling(SQLiteStorage(database))
    async with listening(sqlite_world, Feed(sqlite_world.context, policy=QUIET), packs=True) as listener:
        await listener.caught_up()
        await end(sibling, "elsewhere")
        assert (await listener.next()).values == ["elsewhere"]
    await sibling.close()


@asynchronous
async def test_nobody_is_told_twice_whoever_makes_the_ledger_read(world: World) -> None:
    feed = Feed(world.context, policy=DEAF)
    async with listening(world, feed) as listener:
        await listener.caught_up()
        await end(world, "first")
        await world.context.ledger.catch_up()
        assert (await listener.next()).values == ["first"]
        await end(world, "second")
        assert (await listener.next()).values == ["second"]


@asynchronous
async def test_the_feed_follows_only_while_somebody_reads(world: World) -> None:
    feed = Feed(world.context, policy=QUIET)
    async with listening(world, feed) as one:
        follower = feed._follower
        assert follower is not None
        async with listening(world, feed):
            assert feed.readers == 2
        await one.caught_up()
        assert feed._follower is follower
    assert feed.readers == 0
    assert not feed._live
    with pytest.raises(asyncio.CancelledError):
        await follower


@asynchronous
async def test_who_does_not_read_is_cut_off_and_others_are_not_delayed(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "coatcheck.feed")
    feed = Feed(world.context, policy=msgspec.structs.replace(DEAF, queue=3))
    async with listening(world, feed) as slow, listening(world, feed) as quick:
        await slow.caught_up()
        await quick.caught_up()
        for number in range(6):
            await end(world, f"session-{number}")
            assert (await quick.next()).values == [f"session-{number}"]
            assert slow.cut_off.is_set() == (number >= 4)  # one of which it has taken
        assert len(slow.reader._queue) == 0
        assert not quick.cut_off.is_set()
    assert "too many events wait for it" in caplog.text


@asynchronous
async def test_who_takes_nothing_is_cut_off(world: World) -> None:
    feed = Feed(world.context, policy=msgspec.structs.replace(QUICK, stall=timedelta(0)))
    async with listening(world, feed) as listener:
        await anext(listener.chunks)  # and does not come back for more
        async with asyncio.timeout(5):
            await listener.cut_off.wait()


@asynchronous
async def test_a_removed_service_hears_no_more_from_the_next_heartbeat_on(world: World) -> None:
    service, _ = await world.flows.services.add("one")
    other, _ = await world.flows.services.add("two")
    feed = Feed(world.context, policy=QUICK)
    async with (
        listening(world, feed, service=service) as listener,
        listening(world, feed, service=other) as kept,
    ):
        await listener.caught_up()
        await kept.caught_up()
        await world.flows.services.remove("one")
        events = await listener.rest()
        assert {event.claims.event for event in events} <= {"heartbeat"}
        await end(world, "afterwards")
        while (await kept.next()).values != ["afterwards"]:
            pass
        assert not kept.cut_off.is_set()
        # Who does not even take the end is cut off.
        async with asyncio.timeout(5):
            await listener.cut_off.wait()


@asynchronous
async def test_there_is_a_bound_on_readers(world: World) -> None:
    feed = Feed(world.context, policy=msgspec.structs.replace(DEAF, readers=2))
    async with listening(world, feed), listening(world, feed):
        with pytest.raises(FeedUnavailableError) as refused:
            feed.admit(None, packs=False)
        assert refused.value.retry_after > 0
    async with listening(world, feed):
        pass


@asynchronous
async def test_a_key_in_the_wrong_hands_takes_no_place_from_other_services(world: World) -> None:
    feed = Feed(world.context, policy=msgspec.structs.replace(DEAF, readers_of_one=1))
    stolen, _ = await world.flows.services.add("stolen")
    other, _ = await world.flows.services.add("other")
    first = feed.admit(stolen, packs=False)
    with pytest.raises(FeedUnavailableError):
        feed.admit(stolen, packs=False)
    second = feed.admit(other, packs=False)
    first.close()
    feed.admit(stolen, packs=False).close()
    second.close()


def test_three_keys_in_the_wrong_hands_leave_room_for_others_and_one_service_has_room_for_hundreds() -> None:
    policy = FeedPolicy()
    assert 3 * policy.readers_of_one < policy.readers
    assert policy.readers_of_one >= 200


@asynchronous
async def test_a_row_that_nobody_here_understands_stops_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """A later release, or a hand, writes to the same database."""
    feed = Feed(world.context, policy=msgspec.structs.replace(DEAF, snapshot_age=timedelta(0)))
    async with listening(world, feed) as listener:
        await listener.caught_up()
        await end(world, "first")
        first = await listener.next()
        (entry,) = await world.storage.records.list_entries(after=first.claims.seq - 1, limit=1)
        draft = Draft(**{name: getattr(entry, name) for name in Draft.__struct_fields__})
        strange: list[dict[str, Any]] = [
            {"kind": "device"},
            {"until": math.inf},
            {"value": ""},
            {"value": "x" * 300},
        ]
        await world.storage.records.append_entries(
            [msgspec.structs.replace(draft, mark=f"m{at}", **each) for at, each in enumerate(strange)]
        )
        await end(world, "second")
        entries = (await listener.next()).claims.entries
        while len(entries) < 2:  # they were committed one after the other
            entries += (await listener.next()).claims.entries
        assert [(kind, value) for kind, value, *_ in entries] == [
            ("device", "first"),  # a reader of the later release knows what it is
            ("session", "second"),
        ]
    for position in (None, first.id):
        async with listening(world, feed, position=position) as again:
            await again.next()
            assert (await again.next()).values[-2:] == ["first", "second"]
    assert world.context.ledger.registry.void(Facts(sid="second")) == "session"
    told = [record for record in caplog.records if record.name == "coatcheck.ledger"]
    assert len(told) == 1
    assert "'device'" in told[0].getMessage()


@pytest.mark.parametrize(
    "kind, value",
    [("session", ""), ("session", "x" * 257), ("device", "x"), ("everything", "x")],
    ids=["nothing", "too long", "unknown kind", "more than everything"],
)
@asynchronous
async def test_nothing_is_appended_that_readers_would_choke_on(world: World, kind: Any, value: str) -> None:
    async with world.storage.transaction() as records:
        with pytest.raises(MalformedEntryError):
            await world.context.ledger.append(
                records, [("session", "x"), (kind, value)], reason="signed-out", actor=ADMINISTRATOR
            )
    assert await world.storage.records.list_entries(after=0, limit=9) == []


@pytest.mark.parametrize("packs", [False, True], ids=["plain", "gzip"])
@asynchronous
async def test_the_end_of_the_feed_ends_every_stream_well(world: World, *, packs: bool) -> None:
    await end(world, *[f"session-{number}" for number in range(9)])
    feed = Feed(world.context, policy=msgspec.structs.replace(DEAF, part=2))
    async with (
        listening(world, feed, packs=packs) as live,
        listening(world, feed, packs=packs) as greeted,
        listening(world, feed, packs=packs) as fresh,
    ):
        await live.caught_up()
        await greeted.next()
        await end(world, "the last")
        await world.context.ledger.catch_up()
        feed.close()
        await live.rest()
        assert len(await greeted.rest()) <= 1
        assert len(await fresh.rest()) == 1
        with pytest.raises(FeedUnavailableError):
            feed.admit(None, packs=packs)


@asynchronous
async def test_who_goes_while_catching_up_does_not_join_the_others(world: World) -> None:
    feed = Feed(world.context, policy=DEAF)
    reader = feed.admit(None, packs=False)
    history = feed.history(reader, nonce=NONCE, position=None)
    reader.close()
    assert len([frame async for frame in history]) == 3
    assert not feed._live


@asynchronous
async def test_the_end_of_the_feed_does_not_wait_for_who_takes_nothing(world: World) -> None:
    feed = Feed(world.context, policy=DEAF)
    async with listening(world, feed) as stuck, listening(world, feed) as live:
        await anext(stuck.chunks)  # and does not come back for more
        await live.caught_up()
        feed.close()
        assert stuck.cut_off.is_set()
        assert not live.cut_off.is_set()


@asynchronous
async def test_gzip_gives_each_event_as_it_comes_to_whoever_came_when(world: World) -> None:
    feed = Feed(world.context, policy=DEAF)
    async with listening(world, feed, packs=True) as early:
        await early.caught_up()
        for number in range(5):
            await end(world, f"early-{number}")
            assert (await early.next()).values == [f"early-{number}"]
        async with listening(world, feed, packs=True) as late, listening(world, feed) as plain:
            await late.caught_up()
            await plain.caught_up()
            for number in range(5):
                await end(world, f"late-{number}")
                for listener in (early, late, plain):
                    assert (await listener.next()).values == [f"late-{number}"]
        feed.close()
        await early.rest()


@asynchronous
async def test_another_key_signs_from_the_next_event_on(world: World) -> None:
    feed = Feed(world.context, policy=DEAF)
    async with listening(world, feed) as listener:
        await listener.caught_up()
        await end(world, "first")
        before = await listener.next()
        keys = world.context.access_tokens.keys
        async with world.storage.transaction() as records:
            for key in await keys.stored(records):
                await records.retire_key(key.kid, verifies_until=world.clock.now)
            await records.add_key(keys.make(world.clock.now - 1))
        keys.forget()
        await end(world, "second")
        after = await listener.next()
        assert after.text.split(b"data: ")[1][:100] != before.text.split(b"data: ")[1][:100]
        async with listening(world, feed, position=before.id) as again:
            await again.next()
            assert (await again.next()).values == ["second"]


@asynchronous
async def test_no_secret_reason_or_actor_is_told(world: World) -> None:
    feed = Feed(world.context, policy=DEAF)
    async with listening(world, feed) as listener:
        await listener.caught_up()
        by_cookie = await world.signed_up()
        by_token = await world.signed_in(credential="tokens")
        identity = await world.identity(by_token)
        await world.flows.ending.end_everywhere(identity)
        text = b""
        told: set[str] = set()
        while not told >= {by_cookie.session.id, by_token.session.id}:
            event = await listener.next()
            told.update(event.values)
            text += event.text + msgspec.json.encode(event.claims)
        secrets = [cookie(by_cookie), access_token(by_token), identity.email, identity.id]
        for secret in (*secrets, ADMINISTRATOR, "user:", Reason.ENDED_BY_USER.value):
            assert secret.encode() not in text


class Moody:
    """The records of a storage that is busy now and then."""

    def __init__(self, world: World) -> None:
        self._storage = world.storage
        self.error: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def version(self) -> int:
        if self.error is not None:
            raise self.error
        return self._storage.version()


@asynchronous
async def test_a_busy_storage_delays_the_feed_and_loses_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    moody = Moody(world)
    world.context.ledger._storage = moody
    feed = Feed(world.context, policy=msgspec.structs.replace(QUICK, heartbeat=timedelta(milliseconds=5)))
    async with listening(world, feed) as listener:
        await listener.caught_up()
        moody.error = StorageBusyError(retry_after=1)
        assert isinstance(moody.error, CoatcheckError)
        await end(world, "while it was busy")
        async with asyncio.timeout(5):
            while "held up" not in caplog.text:  # noqa: ASYNC110 - a log cannot be awaited
                await asyncio.sleep(0.005)
        moody.error = None
        event = await listener.next()
        while event.claims.event == "heartbeat":
            event = await listener.next()
        assert event.values == ["while it was busy"]


@asynchronous
async def test_a_feed_that_fails_ends_its_streams_and_the_next_reader_gets_another(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    moody = Moody(world)
    world.context.ledger._storage = moody
    feed = Feed(world.context, policy=QUICK)
    async with listening(world, feed) as listener:
        await listener.caught_up()
        moody.error = RuntimeError("a bug")
        await listener.rest()
    assert "the feed failed" in caplog.text
    moody.error = None
    async with listening(world, feed) as listener:
        await listener.caught_up()
        await end(world, "afterwards")
        while (await listener.next()).values != ["afterwards"]:
            pass
