"""All that the ledger says, for readers that know nothing of it yet, or something else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from .._core import base64url
from .._core.clock import Clock, monotonic_clock
from .._core.entropy import random_bytes
from ..revocation.model import START, Position
from ..revocation.ports import LedgerRecords
from ..revocation.wire import FeedEvent, to_wire
from .feed_packing import Frame
from .feed_policy import FeedPolicy
from .feed_signing import EventSigner

__all__ = ["Snapshot"]

_ID_OCTETS = 16


class Snapshot:
    """The live entries up to a position, in signed parts.

    Parts are read and signed when the first reader wants them, and kept for the others as far as there is room. However
    many readers there are, only one part is signed before the event loop gets its turn.

    Where a part ends depends on what is dropped at that moment, so that a part that is made again may end elsewhere. A
    kept one is given only to who has read exactly up to where it begins: by its number alone it would leave a gap.

    Attributes:
        id: Random. Each part repeats it, and so does the greeting of each reader that gets it: nobody else could mix
            parts of one snapshot into another, or send an old one.
        position: Up to where it goes.
    """

    def __init__(
        self,
        records: LedgerRecords,
        signer: EventSigner,
        position: Position,
        *,
        policy: FeedPolicy,
        clock: Clock,
    ) -> None:
        self.id: str = base64url.encode(random_bytes(_ID_OCTETS))
        self.position: Position = position
        self._begun_at = clock()
        self._records = records
        self._signer = signer
        self._policy = policy
        self._clock = clock
        self._fresh_until = monotonic_clock() + policy.snapshot_age.total_seconds()
        self._room = policy.snapshot_octets
        self._parts: dict[tuple[Position, int], tuple[Frame, Position]] = {}
        self._turn = asyncio.Lock()

    @property
    def is_fresh(self) -> bool:
        """Whether it is young enough for another reader. What was committed since, the reader gets after it."""
        return monotonic_clock() < self._fresh_until

    async def parts(self) -> AsyncIterator[Frame]:
        """Give the parts. The last one says that it is."""
        number, after = 0, START
        while True:
            frame, after = await self._part(number, after)
            yield frame
            if after == self.position:
                return
            number += 1

    async def _part(self, number: int, after: Position) -> tuple[Frame, Position]:
        """Return a part, and the position that it leads to."""
        kept = self._parts.get((after, number))
        if kept is None:
            async with self._turn:
                await asyncio.sleep(0)
                kept = self._parts.get((after, number)) or await self._make(number, after)
        return kept

    async def _make(self, number: int, after: Position) -> tuple[Frame, Position]:
        now, upto = self._clock(), after
        while True:
            read = await self._records.list_entries(after=upto.seq, limit=self._policy.part)
            entries = [each for each in read if each.until > now and each.seq <= self.position.seq]
            is_last = not read or read[-1].seq >= self.position.seq
            upto = self.position if is_last else Position(read[-1].seq, read[-1].mark)
            if entries or is_last:
                break
            await asyncio.sleep(0)  # nothing but what is of no use any more
        await self._signer.prepare()
        event = FeedEvent(
            event="snapshot",
            seq=self.position.seq,
            mark=self.position.mark,
            # However long it takes, it says nothing of what has been committed since it was begun.
            now=self._begun_at,
            after=str(after),
            upto=str(upto),
            entries=to_wire(entries),
            part=number,
            done=is_last,
            snapshot=self.id,
        )
        part = self._signer.frame(event, leads_on=event.done), upto
        self._keep(number, after, part)
        return part

    def _keep(self, number: int, after: Position, part: tuple[Frame, Position]) -> None:
        octets = 2 * len(part[0].plain)  # it may come to be packed too
        if octets <= self._room:
            self._parts[after, number] = part
            self._room -= octets
