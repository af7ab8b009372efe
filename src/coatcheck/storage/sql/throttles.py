"""The state of limits, in SQL."""

from __future__ import annotations

from collections.abc import Sequence

from .access import SQLTable

__all__ = ["ThrottleTable"]

_READ = "SELECT arrives_at FROM throttles WHERE key = :key"
_WRITE = """
INSERT INTO throttles (key, arrives_at) VALUES (:key, :arrives_at)
ON CONFLICT (key) DO UPDATE SET arrives_at = excluded.arrives_at"""
_DELETE = "DELETE FROM throttles WHERE key = :key"
_DELETE_EXPIRED = """
DELETE FROM throttles
WHERE key IN (
    SELECT key FROM throttles WHERE arrives_at <= :now
    ORDER BY arrives_at LIMIT :limit /* what nobody else is just taking */
)"""


class ThrottleTable(SQLTable):
    """Satisfies ``accounts.ports.ThrottleRecords``."""

    async def read_throttles(self, keys: Sequence[str]) -> dict[str, float]:
        """Return the times of those keys that have one."""
        found = await self._access.rows_each(_READ, [{"key": key} for key in keys])
        return {key: rows[0][0] for key, rows in zip(keys, found, strict=True) if rows}

    async def write_throttles(self, times: dict[str, float]) -> None:
        """Set the times of keys: all or none."""
        # In one order, here and below: of two who want the same, one waits for the other, and never both.
        await self._access.change_each(
            _WRITE, [{"key": key, "arrives_at": time} for key, time in sorted(times.items())]
        )

    async def delete_throttles(self, keys: Sequence[str]) -> None:
        """Forget keys: all or none."""
        await self._access.change_each(_DELETE, [{"key": key} for key in sorted(keys)])

    async def delete_expired_throttles(self, now: float, *, limit: int) -> int:
        """Delete up to ``limit`` keys whose time has passed, the oldest first; return how many."""
        return await self._access.change(_DELETE_EXPIRED, {"now": now, "limit": limit})
