"""The ledger of this server: appending to it, and knowing in memory what it says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from .._core import base64url
from .._core.clock import Clock, monotonic_clock
from .._core.entropy import random_bytes
from ..revocation.model import Draft, Entry, Kind
from ..revocation.policy import LedgerPolicy
from ..revocation.registry import Registry
from ..revocation.wire import check_entry, is_known_kind, is_sendable
from .ports import Records, Storage

__all__ = ["Ledger"]

_log = logging.getLogger("coatcheck.ledger")
_BATCH = 10_000
_MARK_OCTETS = 8


class Ledger:
    """The ledger, as one process of the server has it.

    Attributes:
        registry: What is void, as far as it was read.
        policy: How long entries are kept.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        clock: Clock,
        policy: LedgerPolicy | None = None,
        ticks: Clock = monotonic_clock,
    ) -> None:
        """Take where it is stored, and the time: by a clock that may be set, and by one that only goes on."""
        self._storage = storage
        self._clock = clock
        self.policy: LedgerPolicy = policy or LedgerPolicy()
        self.registry: Registry = Registry(ticks=ticks)
        self._seen: int | None = None
        self._has_warned = False
        self._listeners: list[Callable[[list[Entry]], None]] = []

    def subscribe(self, listener: Callable[[list[Entry]], None]) -> None:
        """Have something called with all entries that are read from now on. It must not raise, and not wait."""
        self._listeners.append(listener)

    async def append(
        self,
        records: Records,
        named: Iterable[tuple[Kind, str]],
        *,
        reason: str,
        actor: str,
        cutoff: float | None = None,
    ) -> None:
        """Append entries, inside the transaction of what they tell of. Only ``flows.ending`` calls this.

        Args:
            records: The transaction.
            named: What they are about.
            reason: Why.
            actor: Who did it.
            cutoff: Void is what was issued before then; by default all of it.

        Raises:
            MalformedEntryError: If one is about nothing, or about something that no reader would take. Nothing is
                appended.
        """
        now = self._clock()
        until = self.policy.until(now if cutoff is None else max(now, cutoff))
        drafts = [
            Draft(
                kind=kind,
                value=value,
                cutoff=cutoff,
                until=until,
                reason=reason,
                actor=actor,
                at=now,
                mark=base64url.encode(random_bytes(_MARK_OCTETS)),
            )
            for kind, value in named
        ]
        for draft in drafts:
            check_entry(draft)
        if drafts:
            await records.append_entries(drafts)

    async def catch_up(self) -> bool:
        """Read what was appended since the last time, by whichever process. Tells whether anything was committed.

        It costs next to nothing if nothing was.
        """
        version = self._storage.version()
        if version == self._seen:
            return False
        while True:
            entries = await self._storage.records.list_entries(after=self.registry.position.seq, limit=_BATCH)
            if not entries:
                break
            # Another task may have read them while this one waited: nobody is told of an entry twice.
            entries = [entry for entry in entries if entry.seq > self.registry.position.seq]
            if not entries:
                continue
            self.registry.apply(entries)
            self._look_at(entries)
            for listener in self._listeners:
                listener(entries)
            await asyncio.sleep(0)  # at the start there may be many of them, and others want their turn
        # Only now: a commit between the two is read the next time.
        self._seen = version
        return True

    def _look_at(self, entries: Iterable[Entry]) -> None:
        """Tell the operator, once, of what another release or another program has written, and is not understood."""
        if self._has_warned:
            return
        strange = (each for each in entries if not (is_known_kind(each.kind) and is_sendable(each)))
        entry = next(strange, None)
        if entry is not None:
            self._has_warned = True
            _log.warning(
                "Entry %s of the ledger cannot be known, and others may not be either: its kind is %s. A later release"
                " writes to this database as well, or another program. What such entries revoke may stay good, here or"
                " at services.",
                entry.seq,
                ascii(entry.kind)[:40],
            )

    def forget(self) -> float:
        """Drop from memory what is of no use any more. Returns until when what is stored is of no use either.

        That is the time, unless this process remembers something that should be over by then: it has not known it for
        as long as it can be of use, so the clock was set.
        """
        now = self._clock()
        self.registry.forget(now)
        return min(now, self.registry.remembers_from())
