"""The ledger, in SQL. Transactions that write are serial, so the order of numbers is the order of commits."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ...revocation.model import START, Draft, Entry, Position
from .access import SQLTable

__all__ = ["LedgerTable"]

_APPEND = """
INSERT INTO ledger (kind, value, cutoff, until, reason, actor, at, mark)
VALUES (:kind, :value, :cutoff, :until, :reason, :actor, :at, :mark)
RETURNING seq"""
_LIST = """
SELECT seq, kind, value, cutoff, until, reason, actor, at, mark
FROM ledger WHERE seq > :after ORDER BY seq LIMIT :limit"""
_HEAD = "SELECT seq, mark FROM ledger WHERE seq = (SELECT max(seq) FROM ledger)"
_MARK = "SELECT mark FROM ledger WHERE seq = :seq"
# It looks at the oldest and no others: up to the first of them that is of use, or behind the last.
_DELETE_EXPIRED = """
DELETE FROM ledger
WHERE seq < (
    SELECT coalesce(min(CASE WHEN until > :now THEN seq END), max(seq) + 1)
    FROM (SELECT seq, until FROM ledger WHERE seq > 0 ORDER BY seq LIMIT :limit) AS oldest
) AND seq < (SELECT max(seq) FROM ledger)"""


class LedgerTable(SQLTable):
    """Satisfies ``revocation.ports.LedgerRecords``."""

    async def append_entries(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Append entries."""
        entries = []
        for draft in drafts:
            fields = msgspec.structs.asdict(draft)
            ((seq,),) = await self._access.take(_APPEND, fields)
            entries.append(Entry(seq=seq, **fields))
        return entries

    async def list_entries(self, *, after: int, limit: int) -> list[Entry]:
        """Return the entries behind a number."""
        return [
            Entry(
                seq=seq,
                kind=kind,
                value=value,
                cutoff=cutoff,
                until=until,
                reason=reason,
                actor=actor,
                at=at,
                mark=mark,
            )
            for seq, kind, value, cutoff, until, reason, actor, at, mark in await self._access.rows(
                _LIST, {"after": after, "limit": limit}
            )
        ]

    async def ledger_head(self) -> Position:
        """Return the position after the newest entry."""
        row = await self._access.row(_HEAD, {})
        return START if row is None else Position(*row)

    async def find_mark(self, seq: int) -> str | None:
        """Return the mark of an entry."""
        row = await self._access.row(_MARK, {"seq": seq})
        return None if row is None else row[0]

    async def delete_expired_entries(self, now: float, *, limit: int) -> int:
        """Drop the oldest entries that are of no use any more."""
        return await self._access.change(_DELETE_EXPIRED, {"now": now, "limit": limit})
