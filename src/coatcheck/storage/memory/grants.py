"""What was granted to clients, and what users need not be asked again, in memory."""

from __future__ import annotations

from ...oauth.model import Consent, Grant
from .state import MemoryTable, State, require

__all__ = ["GrantTable"]


class GrantTable(MemoryTable):
    """Satisfies ``oauth.ports.GrantRecords`` and ``ConsentRecords``."""

    async def put_grant(self, grant: Grant) -> None:
        """Set what was granted in a session."""

        def put(state: State) -> None:
            require(grant.session_id in state.sessions, "grants.session_id")
            require(grant.user_id in state.users, "grants.user_id")
            require(grant.client_id in state.oauth_clients, "grants.client_id")
            state.grants[grant.session_id] = grant

        await self._source.write(put)

    async def find_grant(self, session_id: str) -> Grant | None:
        """Return what was granted in a session."""
        return self._state.grants.get(session_id)

    async def list_grants(self, *, user_id: str, client_id: str | None = None) -> list[Grant]:
        """Return a user's grants, the newest first."""
        found = [
            each
            for each in self._state.grants.values()
            if each.user_id == user_id and client_id in (None, each.client_id)
        ]
        return sorted(found, key=lambda each: (-each.created_at, each.session_id))

    async def list_client_sessions(self, client_id: str, *, limit: int) -> list[str]:
        """Return the identifiers of sessions that a client has grants in."""
        found = [each.session_id for each in self._state.grants.values() if each.client_id == client_id]
        return sorted(found)[:limit]

    async def put_consent(self, consent: Consent) -> None:
        """Set what a user allowed a client."""

        def put(state: State) -> None:
            require(consent.user_id in state.users, "consents.user_id")
            require(consent.client_id in state.oauth_clients, "consents.client_id")
            state.consents[consent.user_id, consent.client_id] = consent

        await self._source.write(put)

    async def find_consent(self, user_id: str, client_id: str) -> Consent | None:
        """Return what a user allowed a client."""
        return self._state.consents.get((user_id, client_id))

    async def list_consents(self, user_id: str) -> list[Consent]:
        """Return a user's consents, the newest first."""
        found = [each for each in self._state.consents.values() if each.user_id == user_id]
        return sorted(found, key=lambda each: (-each.granted_at, each.client_id))

    async def delete_consents(self, client_id: str) -> int:
        """Forget what all users allowed a client; return how many there were."""

        def delete(state: State) -> int:
            found = [key for key in state.consents if key[1] == client_id]
            for key in found:
                del state.consents[key]
            return len(found)

        return await self._source.write(delete)

    async def delete_consent(self, user_id: str, client_id: str) -> bool:
        """Forget what a user allowed a client."""
        return await self._source.write(
            lambda state: state.consents.pop((user_id, client_id), None) is not None
        )
