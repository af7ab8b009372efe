"""What is between an authorization request and its tokens, and the assertions that were used, in SQL."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from ...oauth.model import AuthorizationCode, Interaction, PushedRequest
from .access import SQLTable

__all__ = ["AuthorizationTable"]

_ADD_INTERACTION = """
INSERT INTO interactions (digest, client_id, expires_at, document)
VALUES (:digest, :client_id, :expires_at, :document)"""
_FIND_INTERACTION = "SELECT document FROM interactions WHERE digest = :digest"
_REPLACE_INTERACTION = """
UPDATE interactions SET expires_at = :expires_at, document = :document
WHERE digest = :digest AND client_id = :client_id"""
_DELETE_INTERACTION = "DELETE FROM interactions WHERE digest = :digest"

_ADD_PUSHED = """
INSERT INTO pushed_requests (digest, client_id, expires_at, document)
VALUES (:digest, :client_id, :expires_at, :document)"""
_FIND_PUSHED = "SELECT document FROM pushed_requests WHERE digest = :digest"
_CONSUME_PUSHED = "DELETE FROM pushed_requests WHERE digest = :digest RETURNING document"

_ADD_CODE = """
INSERT INTO codes (digest, client_id, user_id, expires_at, consumed_at, document)
VALUES (:digest, :client_id, :user_id, :expires_at, :consumed_at, :document)"""
_CONSUME_CODE = """
UPDATE codes SET consumed_at = :at WHERE digest = :digest AND consumed_at IS NULL
RETURNING document, consumed_at"""
_FIND_CODE = "SELECT document, consumed_at FROM codes WHERE digest = :digest"
_DELETE_OPEN_CODES = """
DELETE FROM codes WHERE user_id = :user_id AND client_id = :client_id AND consumed_at IS NULL"""

_CONSUME_ASSERTION = """
INSERT INTO assertions (digest, until) VALUES (:digest, :until)
ON CONFLICT (digest) DO NOTHING"""

_DELETE_INTERACTIONS = """
DELETE FROM interactions WHERE digest IN (
    SELECT digest FROM interactions WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit
)"""
_DELETE_PUSHED = """
DELETE FROM pushed_requests WHERE digest IN (
    SELECT digest FROM pushed_requests WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit
)"""
_DELETE_CODES = """
DELETE FROM codes WHERE digest IN (
    SELECT digest FROM codes WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit
)"""
_DELETE_ASSERTIONS = """
DELETE FROM assertions WHERE digest IN (
    SELECT digest FROM assertions WHERE until <= :now ORDER BY until LIMIT :limit
)"""
_RECOGNISED = 600.0  # seconds that a code is kept for beyond its end

_encode = msgspec.json.Encoder().encode
_interaction = msgspec.json.Decoder(Interaction).decode
_pushed = msgspec.json.Decoder(PushedRequest).decode
_code = msgspec.json.Decoder(AuthorizationCode).decode


class AuthorizationTable(SQLTable):
    """Satisfies ``oauth.ports.AuthorizationRecords`` and ``AssertionRecords``."""

    async def add_interaction(self, interaction: Interaction) -> None:
        """Add an interaction."""
        await self._access.change(_ADD_INTERACTION, _of_interaction(interaction))

    async def find_interaction(self, digest: bytes) -> Interaction | None:
        """Return the interaction of a handle."""
        row = await self._access.row(_FIND_INTERACTION, {"digest": digest})
        return None if row is None else _interaction(row[0])

    async def replace_interaction(self, interaction: Interaction) -> bool:
        """Replace an interaction's record."""
        return await self._access.change(_REPLACE_INTERACTION, _of_interaction(interaction)) == 1

    async def delete_interaction(self, digest: bytes) -> bool:
        """Delete an interaction."""
        return await self._access.change(_DELETE_INTERACTION, {"digest": digest}) == 1

    async def add_pushed_request(self, request: PushedRequest) -> None:
        """Add a pushed request."""
        await self._access.change(
            _ADD_PUSHED,
            {
                "digest": request.digest,
                "client_id": request.client_id,
                "expires_at": request.expires_at,
                "document": _encode(request),
            },
        )

    async def find_pushed_request(self, digest: bytes) -> PushedRequest | None:
        """Return a pushed request that was not used."""
        row = await self._access.row(_FIND_PUSHED, {"digest": digest})
        return None if row is None else _pushed(row[0])

    async def consume_pushed_request(self, digest: bytes) -> PushedRequest | None:
        """Return a pushed request to exactly one caller."""
        rows = await self._access.take(_CONSUME_PUSHED, {"digest": digest})
        return _pushed(rows[0][0]) if rows else None

    async def add_code(self, code: AuthorizationCode) -> None:
        """Add a code."""
        await self._access.change(
            _ADD_CODE,
            {
                "digest": code.digest,
                "client_id": code.client_id,
                "user_id": code.user_id,
                "expires_at": code.expires_at,
                "consumed_at": code.consumed_at,
                "document": _encode(code),
            },
        )

    async def find_code(self, digest: bytes) -> AuthorizationCode | None:
        """Return the code, consumed or not."""
        found = await self._access.row(_FIND_CODE, {"digest": digest})
        return None if found is None else _code(found[0])

    async def consume_code(self, digest: bytes, *, at: float) -> tuple[AuthorizationCode, bool] | None:
        """Return the code, and whether it was consumed just now."""
        rows = await self._access.take(_CONSUME_CODE, {"digest": digest, "at": at})
        found = rows[0] if rows else await self._access.row(_FIND_CODE, {"digest": digest})
        if found is None:
            return None
        document, consumed_at = found
        return replace(_code(document), consumed_at=consumed_at), bool(rows)

    async def delete_open_codes(self, *, user_id: str, client_id: str) -> int:
        """Delete the codes of a user for a client that were not consumed; return how many."""
        parameters = {"user_id": user_id, "client_id": client_id}
        return await self._access.change(_DELETE_OPEN_CODES, parameters)

    async def delete_expired_authorizations(self, now: float, *, limit: int) -> int:
        """Delete interactions, pushed requests and codes that expired."""
        return (
            await self._access.change(_DELETE_INTERACTIONS, {"now": now, "limit": limit})
            + await self._access.change(_DELETE_PUSHED, {"now": now, "limit": limit})
            + await self._access.change(_DELETE_CODES, {"now": now - _RECOGNISED, "limit": limit})
        )

    async def consume_assertion(self, digest: bytes, *, until: float) -> bool:
        """Note an assertion as used."""
        return await self._access.change(_CONSUME_ASSERTION, {"digest": digest, "until": until}) == 1

    async def delete_expired_assertions(self, now: float, *, limit: int) -> int:
        """Forget assertions that have expired."""
        return await self._access.change(_DELETE_ASSERTIONS, {"now": now, "limit": limit})


def _of_interaction(interaction: Interaction) -> dict[str, str | bytes | int | float | None]:
    return {
        "digest": interaction.digest,
        "client_id": interaction.request.client_id,
        "expires_at": interaction.expires_at,
        "document": _encode(interaction),
    }
