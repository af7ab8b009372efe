"""Clients that have yet to be told of the end of sessions, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from ...oauth.model import LogoutNotice
from .access import Parameters, SQLTable

__all__ = ["LogoutNoticeTable"]

_ADD: Final = """
INSERT INTO logout_notices (jti, client_id, sub, sid, queued_at, due_at, attempts)
VALUES (:jti, :client_id, :sub, :sid, :queued_at, :due_at, :attempts)"""
# No identifier of a client has a line break in it (RFC 6749 appendix A.1). Of those who are passed over there are few.
_CLAIM: Final = """
UPDATE logout_notices SET due_at = :until, attempts = attempts + 1
WHERE jti = (
    SELECT jti FROM logout_notices
    WHERE due_at <= :now AND replace(:but, '
' || client_id || '
', '') = :but
    ORDER BY due_at, jti LIMIT 1 /* what nobody else is just taking */
)
RETURNING jti, client_id, sub, sid, queued_at, due_at, attempts"""
# Who claimed it since has counted it up.
_POSTPONE: Final = """
UPDATE logout_notices SET due_at = :due_at WHERE jti = :jti AND attempts = :attempts"""
_DELETE: Final = "DELETE FROM logout_notices WHERE jti = :jti"
_DELETE_STALE: Final = """
DELETE FROM logout_notices WHERE jti IN (
    SELECT jti FROM logout_notices WHERE queued_at < :before ORDER BY queued_at LIMIT :limit
)"""
_NEXT: Final = "SELECT due_at FROM logout_notices WHERE due_at >= 0 ORDER BY due_at LIMIT 1"


class LogoutNoticeTable(SQLTable):
    """Satisfies ``oauth.ports.LogoutRecords``."""

    async def add_logout_notices(self, notices: Sequence[LogoutNotice]) -> None:
        """Queue notices."""
        await self._access.change_each(_ADD, [msgspec.structs.asdict(each) for each in notices])

    async def claim_logout_notice(
        self, now: float, *, until: float, but: Collection[str] = ()
    ) -> LogoutNotice | None:
        """Return a notice that is due, with ``attempts`` counted up, and hide it from others until then."""
        parameters: Parameters = {"now": now, "until": until, "but": "\n".join(["", *but, ""])}
        (row,) = await self._access.take(_CLAIM, parameters) or (None,)
        if row is None:
            return None
        return LogoutNotice(
            jti=row[0],
            client_id=row[1],
            sub=row[2],
            sid=row[3],
            queued_at=row[4],
            due_at=row[5],
            attempts=row[6],
        )

    async def postpone_logout_notice(self, notice: LogoutNotice, *, due_at: float) -> bool:
        """Set when a claimed notice is due again."""
        parameters: Parameters = {"jti": notice.jti, "attempts": notice.attempts, "due_at": due_at}
        return await self._access.change(_POSTPONE, parameters) == 1

    async def delete_logout_notice(self, jti: str) -> bool:
        """Forget a notice."""
        return await self._access.change(_DELETE, {"jti": jti}) == 1

    async def delete_stale_logout_notices(self, queued_before: float, *, limit: int) -> int:
        """Give up to so many notices up that were queued before then."""
        return await self._access.change(_DELETE_STALE, {"before": queued_before, "limit": limit})

    async def next_logout_at(self) -> float | None:
        """Return when the next notice is due."""
        row = await self._access.row(_NEXT, {})
        return None if row is None else float(row[0])
