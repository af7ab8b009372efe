"""What users said of themselves, in SQL."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ...oauth.model import Profile
from .access import SQLTable

__all__ = ["ProfileTable"]

_PUT: Final = """
INSERT INTO profiles (user_id, claims, updated_at)
VALUES (:user_id, :claims, :updated_at)
ON CONFLICT (user_id) DO UPDATE SET claims = excluded.claims, updated_at = excluded.updated_at"""
_DELETE: Final = "DELETE FROM profiles WHERE user_id = :user_id"
_FIND: Final = "SELECT user_id, claims, updated_at FROM profiles WHERE user_id = :user_id"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class ProfileTable(SQLTable):
    """Satisfies ``oauth.ports.ProfileRecords``."""

    async def put_profile(self, profile: Profile) -> None:
        """Set a user's profile; without any claims, delete it."""
        if not profile.claims:
            await self._access.change(_DELETE, {"user_id": profile.user_id})
            return
        await self._access.change(
            _PUT,
            {
                "user_id": profile.user_id,
                "claims": _encode(profile.claims),
                "updated_at": profile.updated_at,
            },
        )

    async def find_profile(self, user_id: str) -> Profile | None:
        """Return a user's profile."""
        row = await self._access.row(_FIND, {"user_id": user_id})
        return None if row is None else Profile(user_id=row[0], claims=_decode(row[1]), updated_at=row[2])
