"""What was granted to clients, and what users need not be asked again, in SQL."""

from __future__ import annotations

import msgspec

from ...oauth.model import Consent, Grant
from .access import SQLTable

__all__ = ["GrantTable"]

_PUT_GRANT = """
INSERT INTO grants (session_id, user_id, client_id, created_at, document)
VALUES (:session_id, :user_id, :client_id, :created_at, :document)
ON CONFLICT (session_id) DO UPDATE SET
    user_id = excluded.user_id, client_id = excluded.client_id, created_at = excluded.created_at,
    document = excluded.document"""
# Sessions of a generation that was ended as a whole are gone, though their rows may wait to be deleted.
_FIND_GRANT = """
SELECT document FROM grants WHERE session_id = :session_id AND EXISTS (
    SELECT 1 FROM sessions WHERE sessions.id = grants.session_id
    AND +sessions.generation = (SELECT number FROM session_generation WHERE "only" = 1)
)"""
_LIST_GRANTS = """
SELECT document FROM grants WHERE user_id = :user_id AND EXISTS (
    SELECT 1 FROM sessions WHERE sessions.id = grants.session_id
    AND +sessions.generation = (SELECT number FROM session_generation WHERE "only" = 1)
)
ORDER BY created_at DESC, session_id"""
_LIST_GRANTS_TO = """
SELECT document FROM grants WHERE user_id = :user_id AND client_id = :client_id AND EXISTS (
    SELECT 1 FROM sessions WHERE sessions.id = grants.session_id
    AND +sessions.generation = (SELECT number FROM session_generation WHERE "only" = 1)
)
ORDER BY created_at DESC, session_id"""
_LIST_SESSIONS = """
SELECT session_id FROM grants WHERE client_id = :client_id AND EXISTS (
    SELECT 1 FROM sessions WHERE sessions.id = grants.session_id
    AND +sessions.generation = (SELECT number FROM session_generation WHERE "only" = 1)
)
ORDER BY session_id LIMIT :limit"""
_PUT_CONSENT = """
INSERT INTO consents (user_id, client_id, granted_at, document)
VALUES (:user_id, :client_id, :granted_at, :document)
ON CONFLICT (user_id, client_id) DO UPDATE SET granted_at = excluded.granted_at, document = excluded.document"""
_FIND_CONSENT = "SELECT document FROM consents WHERE user_id = :user_id AND client_id = :client_id"
_LIST_CONSENTS = """
SELECT document FROM consents WHERE user_id = :user_id
ORDER BY granted_at DESC, client_id"""
_DELETE_CONSENTS = "DELETE FROM consents WHERE client_id = :client_id"
_DELETE_CONSENT = "DELETE FROM consents WHERE user_id = :user_id AND client_id = :client_id"

_encode = msgspec.json.Encoder(order="deterministic").encode
_grant = msgspec.json.Decoder(Grant).decode
_consent = msgspec.json.Decoder(Consent).decode


class GrantTable(SQLTable):
    """Satisfies ``oauth.ports.GrantRecords`` and ``ConsentRecords``."""

    async def put_grant(self, grant: Grant) -> None:
        """Set what was granted in a session."""
        await self._access.change(
            _PUT_GRANT,
            {
                "session_id": grant.session_id,
                "user_id": grant.user_id,
                "client_id": grant.client_id,
                "created_at": grant.created_at,
                "document": _encode(grant),
            },
        )

    async def find_grant(self, session_id: str) -> Grant | None:
        """Return what was granted in a session."""
        row = await self._access.row(_FIND_GRANT, {"session_id": session_id})
        return None if row is None else _grant(row[0])

    async def list_grants(self, *, user_id: str, client_id: str | None = None) -> list[Grant]:
        """Return a user's grants, the newest first."""
        if client_id is None:
            rows = await self._access.rows(_LIST_GRANTS, {"user_id": user_id})
        else:
            rows = await self._access.rows(_LIST_GRANTS_TO, {"user_id": user_id, "client_id": client_id})
        return [_grant(document) for (document,) in rows]

    async def list_client_sessions(self, client_id: str, *, limit: int) -> list[str]:
        """Return the identifiers of sessions that a client has grants in."""
        rows = await self._access.rows(_LIST_SESSIONS, {"client_id": client_id, "limit": limit})
        return [session_id for (session_id,) in rows]

    async def put_consent(self, consent: Consent) -> None:
        """Set what a user allowed a client."""
        await self._access.change(
            _PUT_CONSENT,
            {
                "user_id": consent.user_id,
                "client_id": consent.client_id,
                "granted_at": consent.granted_at,
                "document": _encode(consent),
            },
        )

    async def find_consent(self, user_id: str, client_id: str) -> Consent | None:
        """Return what a user allowed a client."""
        row = await self._access.row(_FIND_CONSENT, {"user_id": user_id, "client_id": client_id})
        return None if row is None else _consent(row[0])

    async def list_consents(self, user_id: str) -> list[Consent]:
        """Return a user's consents, the newest first."""
        rows = await self._access.rows(_LIST_CONSENTS, {"user_id": user_id})
        return [_consent(document) for (document,) in rows]

    async def delete_consents(self, client_id: str) -> int:
        """Forget what all users allowed a client; return how many there were."""
        return await self._access.change(_DELETE_CONSENTS, {"client_id": client_id})

    async def delete_consent(self, user_id: str, client_id: str) -> bool:
        """Forget what a user allowed a client."""
        parameters = {"user_id": user_id, "client_id": client_id}
        return await self._access.change(_DELETE_CONSENT, parameters) == 1
