"""The server's keys, in SQL."""

from __future__ import annotations

from ...flows.model import StoredKey
from .access import SQLiteTable

__all__ = ["KeyTable"]

_ADD = "INSERT INTO keys (kid, use, sealed, created_at) VALUES (:kid, :use, :sealed, :created_at)"
_LIST = "SELECT kid, use, sealed, created_at FROM keys ORDER BY created_at DESC, kid"


class KeyTable(SQLiteTable):
    """Satisfies ``flows.ports.KeyRecords``."""

    async def add_key(self, key: StoredKey) -> None:
        """Add a key."""
        await self._access.change(
            _ADD, {"kid": key.kid, "use": key.use, "sealed": key.sealed, "created_at": key.created_at}
        )

    async def list_keys(self) -> list[StoredKey]:
        """Return all keys, the newest first."""
        return [
            StoredKey(kid=kid, use=use, sealed=sealed, created_at=created_at)
            for kid, use, sealed, created_at in self._access.rows(_LIST, {})
        ]
