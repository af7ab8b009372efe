"""The refresh tokens, in SQL."""

from __future__ import annotations

from ...sessions.model import RefreshToken
from .access import Parameters, Row, SQLTable

__all__ = ["RefreshTokenTable", "token_from"]

_ADD = """
INSERT INTO refresh_tokens (digest, session_id, client, created_at, expires_at, rotated_at, sealed_successor)
VALUES (:digest, :session_id, :client, :created_at, :expires_at, :rotated_at, :sealed_successor)"""
_FIND = """
SELECT digest, session_id, client, created_at, expires_at, rotated_at, sealed_successor
FROM refresh_tokens
WHERE digest = :digest AND EXISTS (
    SELECT 1 FROM sessions
    WHERE id = session_id AND generation = (SELECT number FROM session_generation WHERE "only" = 1)
)"""
_ROTATE = """
UPDATE refresh_tokens SET rotated_at = :at, sealed_successor = :sealed_successor
WHERE digest = :digest AND rotated_at IS NULL"""

_FORGET = "DELETE FROM refresh_tokens WHERE session_id = :session_id AND rotated_at < :rotated_before"
_FORGET_ALL = "DELETE FROM refresh_tokens WHERE session_id = :session_id"


def token_from(row: Row) -> RefreshToken:
    """Return the token of a row whose columns are in the order of ``_FIND``."""
    return RefreshToken(
        digest=row[0],
        session_id=row[1],
        client=row[2],
        created_at=row[3],
        expires_at=row[4],
        rotated_at=row[5],
        sealed_successor=row[6],
    )


class RefreshTokenTable(SQLTable):
    """Satisfies ``sessions.ports.RefreshTokenRecords``."""

    async def add_refresh_token(self, token: RefreshToken) -> None:
        """Add a token."""
        await self._access.change(
            _ADD,
            {
                "digest": token.digest,
                "session_id": token.session_id,
                "client": token.client,
                "created_at": token.created_at,
                "expires_at": token.expires_at,
                "rotated_at": token.rotated_at,
                "sealed_successor": token.sealed_successor,
            },
        )

    async def find_refresh_token(self, digest: bytes) -> RefreshToken | None:
        """Return the token of that digest."""
        row = await self._access.row(_FIND, {"digest": digest})
        return None if row is None else token_from(row)

    async def rotate_refresh_token(self, digest: bytes, *, at: float, sealed_successor: bytes) -> bool:
        """Mark a token as exchanged, if it is not yet."""
        parameters: Parameters = {"digest": digest, "at": at, "sealed_successor": sealed_successor}
        return await self._access.change(_ROTATE, parameters) == 1

    async def forget_refresh_tokens(self, session_id: str, *, rotated_before: float | None = None) -> None:
        """Delete the tokens of a session that were exchanged before then, or all of them."""
        if rotated_before is None:
            await self._access.change(_FORGET_ALL, {"session_id": session_id})
        else:
            await self._access.change(_FORGET, {"session_id": session_id, "rotated_before": rotated_before})
