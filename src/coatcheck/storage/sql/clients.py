"""The registered clients, APIs and initial access tokens, in SQL."""

from __future__ import annotations

import msgspec

from ...oauth.model import API, InitialAccessToken, OAuthClient
from .access import Parameters, Row, SQLTable

__all__ = ["ClientTable"]

_ADD_CLIENT = "INSERT INTO oauth_clients (id, document) VALUES (:id, :document) ON CONFLICT (id) DO NOTHING"
_FIND_CLIENT = "SELECT document FROM oauth_clients WHERE id = :id"
_LIST_CLIENTS = "SELECT document FROM oauth_clients WHERE id > :after ORDER BY id LIMIT :limit"
_REPLACE_CLIENT = "UPDATE oauth_clients SET document = :document WHERE id = :id"
_IS_USED = """
SELECT 1 FROM consents WHERE client_id = :id
UNION ALL SELECT 1 FROM grants WHERE client_id = :id
UNION ALL SELECT 1 FROM permissions WHERE client_id = :id
UNION ALL SELECT 1 FROM interactions WHERE client_id = :id
UNION ALL SELECT 1 FROM pushed_requests WHERE client_id = :id
UNION ALL SELECT 1 FROM codes WHERE client_id = :id
LIMIT 1"""
_DELETE_CLIENT = "DELETE FROM oauth_clients WHERE id = :id"

_ADD_API = """
INSERT INTO apis (audience, document) VALUES (:audience, :document) ON CONFLICT (audience) DO NOTHING"""
_FIND_API = "SELECT document FROM apis WHERE audience = :audience"
_LIST_APIS = "SELECT document FROM apis ORDER BY audience"
_REPLACE_API = "UPDATE apis SET document = :document WHERE audience = :audience"
_DELETE_API = "DELETE FROM apis WHERE audience = :audience"

_ADD_INITIAL = """
INSERT INTO initial_access_tokens (id, digest, name, created_at, expires_at, uses_left)
VALUES (:id, :digest, :name, :created_at, :expires_at, :uses_left)"""
# What is returned is the token after its use: one use more stands in the answer.
_USE_INITIAL = """
UPDATE initial_access_tokens SET uses_left = uses_left - 1
WHERE digest = :digest AND (expires_at IS NULL OR expires_at > :at) AND (uses_left IS NULL OR uses_left > 0)
RETURNING id, digest, name, created_at, expires_at, uses_left + 1"""
_LIST_INITIAL = """
SELECT id, digest, name, created_at, expires_at, uses_left
FROM initial_access_tokens ORDER BY created_at DESC, id"""
_DELETE_INITIAL = "DELETE FROM initial_access_tokens WHERE id = :id"

_encode = msgspec.json.Encoder().encode
_decode_client = msgspec.json.Decoder(OAuthClient).decode
_decode_api = msgspec.json.Decoder(API).decode


def _token(row: Row) -> InitialAccessToken:
    identifier, digest, name, created_at, expires_at, uses_left = row
    return InitialAccessToken(
        id=identifier,
        digest=digest,
        name=name,
        created_at=created_at,
        expires_at=expires_at,
        uses_left=uses_left,
    )


class ClientTable(SQLTable):
    """Satisfies ``ClientRecords``, ``APIRecords`` and ``InitialAccessTokenRecords`` of ``oauth.ports``."""

    async def add_client(self, client: OAuthClient) -> bool:
        """Add a client."""
        return await self._access.change(_ADD_CLIENT, {"id": client.id, "document": _encode(client)}) == 1

    async def find_client(self, client_id: str) -> OAuthClient | None:
        """Return the client of that identifier."""
        row = await self._access.row(_FIND_CLIENT, {"id": client_id})
        return None if row is None else _decode_client(row[0])

    async def list_clients(self, *, after: str, limit: int) -> list[OAuthClient]:
        """Return clients in the order of their identifiers."""
        rows = await self._access.rows(_LIST_CLIENTS, {"after": after, "limit": limit})
        return [_decode_client(document) for (document,) in rows]

    async def replace_client(self, client: OAuthClient) -> bool:
        """Replace a client's record."""
        return await self._access.change(_REPLACE_CLIENT, {"id": client.id, "document": _encode(client)}) == 1

    async def is_client_used(self, client_id: str) -> bool:
        """Tell whether anybody has granted a client anything, is about to, or has given it a permission."""
        return await self._access.row(_IS_USED, {"id": client_id}) is not None

    async def delete_client(self, client_id: str) -> bool:
        """Delete a client; what belongs to it goes with it by the foreign keys."""
        return await self._access.change(_DELETE_CLIENT, {"id": client_id}) == 1

    async def add_api(self, api: API) -> bool:
        """Add an API."""
        return await self._access.change(_ADD_API, {"audience": api.audience, "document": _encode(api)}) == 1

    async def find_api(self, audience: str) -> API | None:
        """Return the API of that audience."""
        row = await self._access.row(_FIND_API, {"audience": audience})
        return None if row is None else _decode_api(row[0])

    async def list_apis(self) -> list[API]:
        """Return all APIs in the order of their audiences."""
        return [_decode_api(document) for (document,) in await self._access.rows(_LIST_APIS, {})]

    async def replace_api(self, api: API) -> bool:
        """Replace an API's record."""
        parameters: Parameters = {"audience": api.audience, "document": _encode(api)}
        return await self._access.change(_REPLACE_API, parameters) == 1

    async def delete_api(self, audience: str) -> bool:
        """Delete an API; the permissions on it go with it by their foreign key."""
        return await self._access.change(_DELETE_API, {"audience": audience}) == 1

    async def add_initial_access_token(self, token: InitialAccessToken) -> None:
        """Add a token."""
        await self._access.change(_ADD_INITIAL, msgspec.structs.asdict(token))

    async def use_initial_access_token(self, digest: bytes, *, at: float) -> InitialAccessToken | None:
        """Use a token once, if it is good at that time, and return it as it was."""
        rows = await self._access.take(_USE_INITIAL, {"digest": digest, "at": at})
        return _token(rows[0]) if rows else None

    async def list_initial_access_tokens(self) -> list[InitialAccessToken]:
        """Return all tokens, the newest first."""
        return [_token(row) for row in await self._access.rows(_LIST_INITIAL, {})]

    async def delete_initial_access_token(self, token_id: str) -> bool:
        """Delete a token."""
        return await self._access.change(_DELETE_INITIAL, {"id": token_id}) == 1
