"""The server's keys, in SQL."""

from __future__ import annotations

from ...flows.model import StoredKey
from .access import SQLTable

__all__ = ["KeyTable"]

_ADD = """
INSERT INTO keys (kid, use, sealed, created_at, signs_from, verifies_until, algorithm)
VALUES (:kid, :use, :sealed, :created_at, :signs_from, :verifies_until, :algorithm)"""
_LIST = """
SELECT kid, use, sealed, created_at, signs_from, verifies_until, algorithm
FROM keys ORDER BY created_at DESC, kid"""
_RETIRE = """
UPDATE keys SET verifies_until = CASE WHEN verifies_until < :until THEN verifies_until ELSE :until END
WHERE kid = :kid"""
_DELETE_RETIRED = "DELETE FROM keys WHERE verifies_until <= :now"


class KeyTable(SQLTable):
    """Satisfies ``flows.ports.KeyRecords``."""

    async def add_key(self, key: StoredKey) -> None:
        """Add a key."""
        await self._access.change(
            _ADD,
            {
                "kid": key.kid,
                "use": key.use,
                "sealed": key.sealed,
                "created_at": key.created_at,
                "signs_from": key.signs_from,
                "verifies_until": key.verifies_until,
                "algorithm": key.algorithm,
            },
        )

    async def list_keys(self) -> list[StoredKey]:
        """Return all keys, the newest first."""
        return [
            StoredKey(
                kid=kid,
                use=use,
                sealed=sealed,
                created_at=created_at,
                signs_from=signs_from,
                verifies_until=verifies_until,
                algorithm=algorithm,
            )
            for kid, use, sealed, created_at, signs_from, verifies_until, algorithm in await self._access.rows(
                _LIST, {}
            )
        ]

    async def retire_key(self, kid: str, *, verifies_until: float) -> bool:
        """Set when a key is to be trusted no more."""
        return await self._access.change(_RETIRE, {"kid": kid, "until": verifies_until}) == 1

    async def delete_retired_keys(self, now: float) -> int:
        """Delete the keys that are trusted no more."""
        return await self._access.change(_DELETE_RETIRED, {"now": now})
