"""The ledger, in memory."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ...revocation.model import START, Draft, Entry, Position
from .state import MemoryTable, State

__all__ = ["LedgerTable"]


class LedgerTable(MemoryTable):
    """Satisfies ``revocation.ports.LedgerRecords``."""

    async def append_entries(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Append entries."""

        def append(state: State) -> list[Entry]:
            # The newest entry is never dropped, so the number behind it was never used.
            first = next(reversed(state.ledger), 0) + 1
            entries = [
                Entry(seq=seq, **msgspec.structs.asdict(draft)) for seq, draft in enumerate(drafts, first)
            ]
            state.ledger.update((entry.seq, entry) for entry in entries)
            return entries

        return await self._source.write(append)

    async def list_entries(self, *, after: int, limit: int) -> list[Entry]:
        """Return the entries behind a number."""
        return [entry for seq, entry in self._state.ledger.items() if seq > after][:limit]

    async def ledger_head(self) -> Position:
        """Return the position after the newest entry."""
        newest = next(reversed(self._state.ledger.values()), None)
        return START if newest is None else Position(newest.seq, newest.mark)

    async def find_mark(self, seq: int) -> str | None:
        """Return the mark of an entry."""
        entry = self._state.ledger.get(seq)
        return None if entry is None else entry.mark

    async def delete_expired_entries(self, now: float, *, limit: int) -> int:
        """Drop the oldest entries that are of no use any more."""

        def delete(state: State) -> int:
            oldest = list(state.ledger.values())[:-1]
            count = next((place for place, entry in enumerate(oldest) if entry.until > now), len(oldest))
            for entry in oldest[: min(count, limit)]:
                del state.ledger[entry.seq]
            return min(count, limit)

        return await self._source.write(delete)
