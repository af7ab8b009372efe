"""The accounts, in SQL."""

from __future__ import annotations

import msgspec

from ...accounts.model import User
from .access import Parameters, Row, SQLTable

__all__ = ["UserTable", "user_from"]

_SELECT = """
SELECT id, email, email_key, password_hash, scopes, created_at, password_changed_at, disabled_at
FROM users"""
_FIND = _SELECT + " WHERE id = :id"
_FIND_BY_EMAIL = _SELECT + " WHERE email_key = :email_key"
_LIST = _SELECT + " WHERE email_key > :after ORDER BY email_key LIMIT :limit"
_ADD = """
INSERT INTO users (id, email, email_key, password_hash, scopes, created_at, password_changed_at, disabled_at)
VALUES (:id, :email, :email_key, :password_hash, :scopes, :created_at, :password_changed_at, :disabled_at)
ON CONFLICT (email_key) DO NOTHING"""
_REPLACE = """
UPDATE users
SET email = :email, email_key = :email_key, password_hash = :password_hash, scopes = :scopes,
    created_at = :created_at, password_changed_at = :password_changed_at, disabled_at = :disabled_at
WHERE id = :id
  AND id = :old_id AND email = :old_email AND email_key = :old_email_key
  AND (password_hash = :old_password_hash OR (password_hash IS NULL AND :old_password_hash IS NULL))
  AND scopes = :old_scopes AND created_at = :old_created_at
  AND password_changed_at = :old_password_changed_at
  AND (disabled_at = :old_disabled_at OR (disabled_at IS NULL AND :old_disabled_at IS NULL))
  AND NOT EXISTS (SELECT 1 FROM users WHERE email_key = :email_key AND id <> :id)"""
_DELETE = "DELETE FROM users WHERE id = :id"

_encode_scopes = msgspec.json.Encoder().encode
_decode_scopes = msgspec.json.Decoder(frozenset[str]).decode


def _parameters(user: User, *, prefix: str = "") -> dict[str, str | float | None]:
    return {
        f"{prefix}id": user.id,
        f"{prefix}email": user.email,
        f"{prefix}email_key": user.email_key,
        f"{prefix}password_hash": user.password_hash,
        # Sorted: equal sets have equal texts, which is what a replacement compares.
        f"{prefix}scopes": _encode_scopes(sorted(user.scopes)).decode(),
        f"{prefix}created_at": user.created_at,
        f"{prefix}password_changed_at": user.password_changed_at,
        f"{prefix}disabled_at": user.disabled_at,
    }


def user_from(row: Row) -> User:
    """Return the user of a row whose columns are in the order of ``_SELECT``."""
    identifier, email, email_key, password_hash, scopes, created_at, password_changed_at, disabled_at = row
    return User(
        id=identifier,
        email=email,
        email_key=email_key,
        password_hash=password_hash,
        scopes=_decode_scopes(scopes),
        created_at=created_at,
        password_changed_at=password_changed_at,
        disabled_at=disabled_at,
    )


class UserTable(SQLTable):
    """Satisfies ``accounts.ports.UserRecords``."""

    async def add_user(self, user: User) -> bool:
        """Add a user; ``False`` if the address is taken."""
        return await self._access.change(_ADD, _parameters(user)) == 1

    async def find_user(self, user_id: str) -> User | None:
        """Return the user of that identifier."""
        row = await self._access.row(_FIND, {"id": user_id})
        return None if row is None else user_from(row)

    async def find_user_by_email(self, email_key: str) -> User | None:
        """Return the user of that address."""
        row = await self._access.row(_FIND_BY_EMAIL, {"email_key": email_key})
        return None if row is None else user_from(row)

    async def replace_user(self, user: User, *, expected: User) -> bool:
        """Replace a user's record if it still is ``expected`` and the new address is free."""
        parameters: Parameters = _parameters(user) | _parameters(expected, prefix="old_")
        return await self._access.change(_REPLACE, parameters) == 1

    async def delete_user(self, user_id: str) -> bool:
        """Delete a user; sessions, refresh tokens and links go with it by their foreign keys."""
        return await self._access.change(_DELETE, {"id": user_id}) == 1

    async def list_users(self, *, after: str = "", limit: int = 100) -> list[User]:
        """Return users in the order of their ``email_key``, from behind ``after``."""
        return [user_from(row) for row in await self._access.rows(_LIST, {"after": after, "limit": limit})]
