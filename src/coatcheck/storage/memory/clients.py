"""The registered clients, APIs and initial access tokens, in memory."""

from __future__ import annotations

import msgspec

from ...oauth.model import API, InitialAccessToken, OAuthClient
from .state import MemoryTable, State, require

__all__ = ["ClientTable"]


class ClientTable(MemoryTable):
    """Satisfies ``ClientRecords``, ``APIRecords`` and ``InitialAccessTokenRecords`` of ``oauth.ports``."""

    async def add_client(self, client: OAuthClient) -> bool:
        """Add a client."""

        def add(state: State) -> bool:
            return state.oauth_clients.setdefault(client.id, client) is client

        return await self._source.write(add)

    async def find_client(self, client_id: str) -> OAuthClient | None:
        """Return the client of that identifier."""
        return self._state.oauth_clients.get(client_id)

    async def list_clients(self, *, after: str, limit: int) -> list[OAuthClient]:
        """Return clients in the order of their identifiers."""
        clients = sorted(self._state.oauth_clients.values(), key=lambda client: client.id)
        return [client for client in clients if client.id > after][:limit]

    async def replace_client(self, client: OAuthClient) -> bool:
        """Replace a client's record."""

        def replace(state: State) -> bool:
            if client.id not in state.oauth_clients:
                return False
            state.oauth_clients[client.id] = client
            return True

        return await self._source.write(replace)

    async def is_client_used(self, client_id: str) -> bool:
        """Tell whether anybody has granted a client anything, is about to, or has given it a permission."""
        return self._state.is_client_used(client_id)

    async def delete_client(self, client_id: str) -> bool:
        """Delete a client with all that belongs to it."""
        return await self._source.write(lambda state: state.delete_client(client_id))

    async def add_api(self, api: API) -> bool:
        """Add an API."""

        def add(state: State) -> bool:
            return state.apis.setdefault(api.audience, api) is api

        return await self._source.write(add)

    async def find_api(self, audience: str) -> API | None:
        """Return the API of that audience."""
        return self._state.apis.get(audience)

    async def list_apis(self) -> list[API]:
        """Return all APIs in the order of their audiences."""
        return sorted(self._state.apis.values(), key=lambda api: api.audience)

    async def replace_api(self, api: API) -> bool:
        """Replace an API's record."""

        def replace(state: State) -> bool:
            if api.audience not in state.apis:
                return False
            state.apis[api.audience] = api
            return True

        return await self._source.write(replace)

    async def delete_api(self, audience: str) -> bool:
        """Delete an API with all permissions on it."""

        def delete(state: State) -> bool:
            if state.apis.pop(audience, None) is None:
                return False
            for key in [key for key in state.permissions if key[2] == audience]:
                del state.permissions[key]
            return True

        return await self._source.write(delete)

    async def add_initial_access_token(self, token: InitialAccessToken) -> None:
        """Add a token."""

        def add(state: State) -> None:
            tokens = state.initial_access_tokens
            require(token.digest not in tokens, "initial_access_tokens.digest")
            require(all(token.id != each.id for each in tokens.values()), "initial_access_tokens.id")
            tokens[token.digest] = token

        await self._source.write(add)

    async def use_initial_access_token(self, digest: bytes, *, at: float) -> InitialAccessToken | None:
        """Use a token once, if it is good at that time, and return it as it was."""

        def use(state: State) -> InitialAccessToken | None:
            token = state.initial_access_tokens.get(digest)
            if token is None or (token.expires_at is not None and token.expires_at <= at):
                return None
            if token.uses_left is None:
                return token
            if token.uses_left <= 0:
                return None
            used = msgspec.structs.replace(token, uses_left=token.uses_left - 1)
            state.initial_access_tokens[digest] = used
            return token

        return await self._source.write(use)

    async def list_initial_access_tokens(self) -> list[InitialAccessToken]:
        """Return all tokens, the newest first."""
        tokens = self._state.initial_access_tokens.values()
        return sorted(tokens, key=lambda token: (-token.created_at, token.id))

    async def delete_initial_access_token(self, token_id: str) -> bool:
        """Delete a token."""

        def delete(state: State) -> bool:
            found = [each for each in state.initial_access_tokens.values() if each.id == token_id]
            for token in found:
                del state.initial_access_tokens[token.digest]
            return bool(found)

        return await self._source.write(delete)
