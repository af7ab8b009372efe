"""The feed: the ledger on its way to other services, as it grows.

There is one stream of events for all readers; each event is signed once, compressed once, and put into everybody's
queue. A reader catches up first, by itself: with a snapshot, or with what it has missed. Then it joins the others.

What this process commits, the feed is told of by the storage. What others commit to the same storage it has to look
for, unless the storage is told; it does so only while somebody reads.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Sequence

from .._core.clock import monotonic_clock
from ..errors import CoatcheckError
from ..revocation.model import START, Entry, Position
from ..revocation.wire import FeedEvent, to_wire
from .context import Context
from .errors import FeedUnavailableError
from .feed_packing import Frame, LiveStream
from .feed_policy import FeedPolicy
from .feed_reader import Reader
from .feed_signing import EventSigner
from .feed_snapshot import Snapshot
from .model import Service

__all__ = ["Feed"]

_log = logging.getLogger("coatcheck.feed")
_RETRY_AFTER = 5.0  # seconds
_WARN_AGAIN_AFTER = 60.0  # seconds
_RESTORED = (
    "A reader of the feed (%s) knows the ledger up to %s, and this ledger does not have that: the database seems to"
    " have been restored from a backup. Whatever was revoked since the backup was made is good again, except where a"
    " service remembers it. To end all access that was given until now, run: coatcheck revoke everything"
)


class Feed:
    """The feed of one process.

    It begins to follow the ledger with its first reader, and stops when the last one has gone.

    Attributes:
        policy: How it serves its readers.
    """

    def __init__(self, context: Context, *, policy: FeedPolicy | None = None) -> None:
        self.policy: FeedPolicy = policy or FeedPolicy()
        self._context = context
        self._ledger = context.ledger
        self._records = context.storage.records
        self._signer = EventSigner(context.access_tokens.keys)
        self._signed_with = self._signer.generation
        self._head = self._ledger.registry.position  # the position that the live readers have been led to
        self._pending: list[Entry] = []
        self._recent: deque[tuple[Position, Position, Frame]] = deque(maxlen=self.policy.recent)
        self._snapshot: Snapshot | None = None
        self._readers: set[Reader] = set()
        self._live: dict[Reader, None] = {}  # a set that keeps its order
        self._stream = LiveStream()
        self._follower: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._is_woken = False
        self._is_closed = False
        self._warned_at: dict[str, float] = {}
        self._ledger.subscribe(self._take)
        context.storage.watch(self._wake)

    @property
    def readers(self) -> int:
        """How many readers there are."""
        return len(self._readers)

    # --- readers -------------------------------------------------------------------------------------------

    def admit(self, service: Service | None, *, packs: bool) -> Reader:
        """Take another reader. Whoever asks closes it.

        Args:
            service: The service that reads; ``None`` in development, for one that shows no key.
            packs: Whether it gets gzip.

        Raises:
            FeedUnavailableError: If there are too many, or the server is being stopped.
        """
        if self._is_closed:
            raise FeedUnavailableError(retry_after=_RETRY_AFTER, detail="the server is being stopped")
        service_id = None if service is None else service.id
        # In development, where no key is needed, none gets into the wrong hands.
        of_one = sum(service_id is not None and reader.service_id == service_id for reader in self._readers)
        if len(self._readers) >= self.policy.readers or of_one >= self.policy.readers_of_one:
            raise FeedUnavailableError(
                retry_after=_RETRY_AFTER,
                detail=f"there are {len(self._readers)} readers, {of_one} of this service",
            )
        reader = Reader(
            service_id=service_id,
            name="without a key" if service is None else f"service {service.name}",
            packs=packs,
            most=self.policy.queue,
            close=self._forget,
        )
        self._readers.add(reader)
        if self._follower is None:
            self._follower = asyncio.create_task(self._follow(), name="coatcheck feed")
            self._follower.add_done_callback(self._stopped)
        return reader

    async def history(
        self, reader: Reader, *, nonce: str, position: Position | None
    ) -> AsyncGenerator[Frame]:
        """Give what a reader gets first. When it ends, the reader has joined the live ones.

        Args:
            reader: The reader.
            nonce: What it sent, to be repeated.
            position: Up to where it knows the ledger; ``None`` if it knows nothing.
        """
        reached = position if position is not None and await self._is_known(position, reader) else None
        await self._prepare()
        await self._catch_up()
        snapshot = None
        if reached is None:
            snapshot = self._fresh_snapshot()
            reached = snapshot.position
        hello = FeedEvent(
            event="hello",
            seq=reached.seq,
            mark=reached.mark,
            now=self._context.clock(),
            nonce=nonce,
            heartbeat=self.policy.heartbeat.total_seconds(),
            snapshot=None if snapshot is None else snapshot.id,
            keys=self._signer.keys_digest,
        )
        yield self._signer.frame(hello, leads_on=snapshot is None)
        if snapshot is not None:
            async for part in snapshot.parts():
                yield part
        told = None
        while told != self._head:
            while reached != self._head:
                frame, reached = await self._next_after(reached)
                yield frame
            # A reader believes nothing before it has heard that this is all: a snapshot may be some seconds old.
            now = self._context.clock()
            await self._catch_up()
            if reached == self._head:
                told = reached
                yield self._heartbeat(reached, now=now)
        # Nothing comes between the last comparison and this: it neither misses an event nor gets one twice.
        if not reader.has_ended:
            self._live[reader] = None
            if reader.packs:
                self._stream.restart()

    def close(self) -> None:
        """End all streams, and take no more readers. What waits to be sent still goes out to whoever takes it."""
        self._is_closed = True
        for reader in list(self._readers):
            # Whoever takes nothing at this moment might not do so for hours.
            reader.cut(why="the server is being stopped") if reader.is_stalled() else reader.end()

    def _forget(self, reader: Reader) -> None:
        self._readers.discard(reader)
        self._live.pop(reader, None)
        if not self._readers and self._follower is not None:
            self._follower.cancel()
            self._follower = None

    def _stopped(self, follower: asyncio.Task[None]) -> None:
        """Let nobody wait for a follower that has failed: they come back, and get another."""
        if follower.cancelled():
            return
        _log.error("the feed failed, and ends its streams", exc_info=follower.exception())
        self._follower = None
        for reader in list(self._readers):
            reader.end()

    async def _is_known(self, position: Position, reader: Reader) -> bool:
        """Tell whether a position is one of this ledger, so that what follows it is known too."""
        newest = await self._records.ledger_head()
        if position == START:
            return newest == START
        mark = await self._records.find_mark(position.seq)
        if mark == position.mark:
            return True
        # Entries that are of no use any more are dropped. But none that is there changes, or was never there.
        if mark is not None or position.seq > newest.seq:
            self._warn(reader, position)
        return False

    def _warn(self, reader: Reader, position: Position) -> None:
        """Tell the operator that the database seems restored: for each service, so that none uses it up for others."""
        now = monotonic_clock()
        self._warned_at = {name: at for name, at in self._warned_at.items() if now - at < _WARN_AGAIN_AFTER}
        if reader.name not in self._warned_at:
            self._warned_at[reader.name] = now
            _log.warning(_RESTORED, reader.name, position)

    def _fresh_snapshot(self) -> Snapshot:
        if self._snapshot is None or not self._snapshot.is_fresh:
            self._snapshot = Snapshot(
                self._records, self._signer, self._head, policy=self.policy, clock=self._context.clock
            )
        return self._snapshot

    async def _next_after(self, position: Position) -> tuple[Frame, Position]:
        """Return an event that follows a position, and the position that it leads to."""
        for after, leads_to, frame in self._recent:
            if after == position:
                return frame, leads_to
        await self._signer.prepare()
        last = self._head
        entries = await self._records.list_entries(after=position.seq, limit=self.policy.part)
        await asyncio.sleep(0)
        return self._entries_event(position, [each for each in entries if each.seq <= last.seq], last)

    # --- the stream ----------------------------------------------------------------------------------------

    def _take(self, entries: list[Entry]) -> None:
        """Take entries that the ledger has read, whoever made it read them."""
        if not self._live:
            self._head = _position_of(entries[-1])
            self._pending.clear()
            self._recent.clear()
            return
        self._pending += entries
        self._wake()

    async def _catch_up(self) -> None:
        """Read what was committed, and send it."""
        await self._ledger.catch_up()
        if not self._pending:
            return
        await self._prepare()
        pending, self._pending = self._pending, []
        for entries in _parts(pending, self.policy.part):
            before = self._head
            frame, self._head = self._entries_event(before, entries, before)
            self._recent.append((before, self._head, frame))
            self._send(frame)

    async def _prepare(self) -> None:
        """Look at the keys, before something is signed."""
        await self._signer.prepare()
        if self._signed_with != self._signer.generation:
            # Somebody may have stopped trusting the key that those were signed with.
            self._signed_with = self._signer.generation
            self._recent.clear()
            self._snapshot = None

    def _entries_event(
        self, after: Position, entries: Sequence[Entry], otherwise: Position
    ) -> tuple[Frame, Position]:
        reached = _position_of(entries[-1]) if entries else otherwise
        event = FeedEvent(
            event="entries",
            seq=reached.seq,
            mark=reached.mark,
            now=self._context.clock(),
            after=str(after),
            entries=to_wire(entries),
        )
        return self._signer.frame(event, leads_on=True), reached

    def _send(self, frame: Frame) -> None:
        if any(reader.packs for reader in self._live):
            self._stream.pack(frame)
        for reader in list(self._live):
            reader.put(frame)

    # --- following -----------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        """Send what is committed, and heartbeats, until cancelled."""
        interval, poll = self.policy.heartbeat.total_seconds(), self.policy.poll.total_seconds()
        loop = asyncio.get_running_loop()
        beat_at = loop.time() + interval
        while True:
            await self._wait(loop, poll)
            try:
                await self._catch_up()
                if loop.time() >= beat_at:
                    beat_at = loop.time() + interval
                    await self._beat()
            except CoatcheckError as error:  # a busy storage, most likely: nothing is lost, only late
                _log.warning("the feed is held up: %s [%s]", error.message, error.code)
                await asyncio.sleep(interval)

    async def _wait(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        """Wait until something was committed here, or the storage was told that it was elsewhere, or for so long."""
        self._waiter = waiter = loop.create_future()
        timer = loop.call_later(seconds, _set, waiter)
        try:
            if not self._is_woken:
                await waiter
        finally:
            timer.cancel()
            self._waiter, self._is_woken = None, False

    def _wake(self) -> None:
        self._is_woken = True
        if self._waiter is not None:
            _set(self._waiter)

    def _heartbeat(self, position: Position, *, now: float) -> Frame:
        """Return the event that says: this is all, as of a time before the ledger was last looked at."""
        return self._signer.frame(
            FeedEvent(
                event="heartbeat",
                seq=position.seq,
                mark=position.mark,
                now=now,
                keys=self._signer.keys_digest,
            )
        )

    async def _beat(self) -> None:
        """Say that all is well; and end the streams of those who are not to read any more."""
        await self._prepare()
        now = self._context.clock()
        await self._catch_up()
        self._send(self._heartbeat(self._head, now=now))
        services = {service.id for service in await self._records.list_services()}
        stall = self.policy.stall.total_seconds()
        for reader in list(self._readers):
            if reader.is_stalled(longest=stall):
                reader.cut(why="it takes nothing")
            elif reader.service_id is not None and reader.service_id not in services:
                reader.end() if not reader.has_ended else reader.cut(why="its service was removed")


def _position_of(entry: Entry) -> Position:
    return Position(entry.seq, entry.mark)


def _parts(entries: list[Entry], most: int) -> Iterator[list[Entry]]:
    return (entries[start : start + most] for start in range(0, len(entries), most))


def _set(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
