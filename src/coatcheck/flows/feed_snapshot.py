"""All that the ledger says, for readers that know nothing of it yet, or something else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from .._core.clock import Clock, monotonic_clock
from ..revocation.model import Position
from ..revocation.ports import LedgerRecords
from ..revocation.wire import FeedEvent, to_wire
from .feed_packing import Frame
from .feed_policy import FeedPolicy
from .feed_signing import EventSigner

__all__ = ["Snapshot"]


class Snapshot:
    """The live entries up to a position, in signed parts.

    Parts are read and signed when the first reader wants them, and kept for the others as far as there is room. However
    many readers there are, only one part is signed before the event loop gets its turn.

    Attributes:
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
        self.position: Position = position
        self._records = records
        self._signer = signer
        self._policy = policy
        self._clock = clock
        self._fresh_until = monotonic_clock() + policy.snapshot_age.total_seconds()
        self._room = policy.snapshot_octets
        self._parts: list[tuple[Frame, int]] = []
        self._turn = asyncio.Lock()

    @property
    def is_fresh(self) -> bool:
        """Whether it is young enough for another reader. What was committed since, the reader gets after it."""
        return monotonic_clock() < self._fresh_until

    async def parts(self) -> AsyncIterator[Frame]:
        """Give the parts. The last one says that it is."""
        number, after = 0, 0
        while True:
            frame, after = await self._part(number, after)
            yield frame
            if after >= self.position.seq:
                return
            number += 1

    async def _part(self, number: int, after: int) -> tuple[Frame, int]:
        """Return a part, and the number of the last entry that it accounts for."""
        if number >= len(self._parts):
            async with self._turn:
                await asyncio.sleep(0)
                if number >= len(self._parts):
                    return await self._make(number, after)
        return self._parts[number]

    async def _make(self, number: int, after: int) -> tuple[Frame, int]:
        now, last = self._clock(), self.position.seq
        while True:
            read = await self._records.list_entries(after=after, limit=self._policy.part)
            entries = [each for each in read if each.until > now and each.seq <= last]
            after = read[-1].seq if read else last
            if entries or after >= last:
                break
            await asyncio.sleep(0)  # nothing but what is of no use any more
        await self._signer.prepare()
        event = FeedEvent(
            event="snapshot",
            seq=last,
            mark=self.position.mark,
            now=now,
            entries=to_wire(entries),
            part=number,
            done=after >= last,
        )
        part = self._signer.frame(event, leads_on=event.done), after
        self._keep(number, part)
        return part

    def _keep(self, number: int, part: tuple[Frame, int]) -> None:
        octets = 2 * len(part[0].plain)  # it may come to be packed too
        if number == len(self._parts) and octets <= self._room:
            self._parts.append(part)
            self._room -= octets
