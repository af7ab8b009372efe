"""The ledger of this server: appending to it, and knowing in memory what it says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from .._core import base64url
from .._core.clock import Clock
from .._core.entropy import random_bytes
from ..revocation.model import Draft, Entry, Kind
from ..revocation.policy import LedgerPolicy
from ..revocation.registry import Registry
from .ports import Records, Storage

__all__ = ["Ledger"]

_BATCH = 10_000
_MARK_OCTETS = 8


class Ledger:
    """The ledger, as one process of the server has it.

    Attributes:
        registry: What is void, as far as it was read.
        policy: How long entries are kept.
    """

    def __init__(self, storage: Storage, *, clock: Clock, policy: LedgerPolicy | None = None) -> None:
        self._storage = storage
        self._clock = clock
        self.policy: LedgerPolicy = policy or LedgerPolicy()
        self.registry: Registry = Registry()
        self._seen: int | None = None
        self._listeners: list[Callable[[list[Entry]], None]] = []
        self._wakers: list[Callable[[], None]] = []

    def subscribe(self, listener: Callable[[list[Entry]], None]) -> None:
        """Have something called with all entries that are read from now on. It must not raise, and not wait."""
        self._listeners.append(listener)

    def on_append(self, waker: Callable[[], None]) -> None:
        """Have something called whenever this process appends: right after it, the transaction is committed.

        Nobody can be told more exactly: what is called looks for itself what was committed.
        """
        self._wakers.append(waker)

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
        if drafts:
            await records.append_entries(drafts)
            for waker in self._wakers:
                waker()

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
            for listener in self._listeners:
                listener(entries)
            await asyncio.sleep(0)  # at the start there may be many of them, and others want their turn
        # Only now: a commit between the two is read the next time.
        self._seen = version
        return True

    def forget(self) -> None:
        """Drop from memory what is of no use any more."""
        self.registry.forget(self._clock())
