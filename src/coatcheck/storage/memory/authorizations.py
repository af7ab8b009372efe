"""What is between an authorization request and its tokens, and the assertions that were used, in memory."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from msgspec.structs import replace

from ...oauth.model import AuthorizationCode, Interaction, PushedRequest
from .state import MemoryTable, State, require

__all__ = ["AuthorizationTable"]

_RECOGNISED = 600.0  # seconds that a code is kept for beyond its end


class AuthorizationTable(MemoryTable):
    """Satisfies ``oauth.ports.AuthorizationRecords`` and ``AssertionRecords``."""

    async def add_interaction(self, interaction: Interaction) -> None:
        """Add an interaction."""

        def add(state: State) -> None:
            require(interaction.digest not in state.interactions, "interactions.digest")
            require(interaction.request.client_id in state.oauth_clients, "interactions.client_id")
            state.interactions[interaction.digest] = interaction

        await self._source.write(add)

    async def find_interaction(self, digest: bytes) -> Interaction | None:
        """Return the interaction of a handle."""
        return self._state.interactions.get(digest)

    async def replace_interaction(self, interaction: Interaction) -> bool:
        """Replace an interaction's record."""

        def put(state: State) -> bool:
            if interaction.digest not in state.interactions:
                return False
            state.interactions[interaction.digest] = interaction
            return True

        return await self._source.write(put)

    async def delete_interaction(self, digest: bytes) -> bool:
        """Delete an interaction."""
        return await self._source.write(lambda state: state.interactions.pop(digest, None) is not None)

    async def add_pushed_request(self, request: PushedRequest) -> None:
        """Add a pushed request."""

        def add(state: State) -> None:
            require(request.digest not in state.pushed_requests, "pushed_requests.digest")
            require(request.client_id in state.oauth_clients, "pushed_requests.client_id")
            state.pushed_requests[request.digest] = request

        await self._source.write(add)

    async def find_pushed_request(self, digest: bytes) -> PushedRequest | None:
        """Return a pushed request that was not used."""
        return self._state.pushed_requests.get(digest)

    async def consume_pushed_request(self, digest: bytes) -> PushedRequest | None:
        """Return a pushed request to exactly one caller."""
        return await self._source.write(lambda state: state.pushed_requests.pop(digest, None))

    async def add_code(self, code: AuthorizationCode) -> None:
        """Add a code."""

        def add(state: State) -> None:
            require(code.digest not in state.codes, "codes.digest")
            require(code.client_id in state.oauth_clients, "codes.client_id")
            require(code.user_id in state.users, "codes.user_id")
            state.codes[code.digest] = code

        await self._source.write(add)

    async def find_code(self, digest: bytes) -> AuthorizationCode | None:
        """Return the code, consumed or not."""
        found = self._state.codes.get(digest)
        return None if found is None else replace(found, consumed_at=None)

    async def consume_code(self, digest: bytes, *, at: float) -> tuple[AuthorizationCode, bool] | None:
        """Return the code, and whether it was consumed just now."""

        def consume(state: State) -> tuple[AuthorizationCode, bool] | None:
            code = state.codes.get(digest)
            if code is None or code.consumed_at is not None:
                return None if code is None else (code, False)
            state.codes[digest] = consumed = replace(code, consumed_at=at)
            return consumed, True

        return await self._source.write(consume)

    async def delete_open_codes(self, *, user_id: str, client_id: str) -> int:
        """Delete the codes of a user for a client that were not consumed; return how many."""

        def delete(state: State) -> int:
            found = [
                digest
                for digest, code in state.codes.items()
                if (code.user_id, code.client_id, code.consumed_at) == (user_id, client_id, None)
            ]
            for digest in found:
                del state.codes[digest]
            return len(found)

        return await self._source.write(delete)

    async def delete_expired_authorizations(self, now: float, *, limit: int) -> int:
        """Delete interactions, pushed requests and codes that expired."""

        def delete(state: State) -> int:
            return (
                _delete(state.interactions, lambda each: each.expires_at <= now, limit)
                + _delete(state.pushed_requests, lambda each: each.expires_at <= now, limit)
                + _delete(state.codes, lambda each: each.expires_at <= now - _RECOGNISED, limit)
            )

        return await self._source.write(delete)

    async def consume_assertion(self, digest: bytes, *, until: float) -> bool:
        """Note an assertion as used."""

        def note(state: State) -> bool:
            if digest in state.assertions:
                return False
            state.assertions[digest] = until
            return True

        return await self._source.write(note)

    async def delete_expired_assertions(self, now: float, *, limit: int) -> int:
        """Forget assertions that have expired."""
        return await self._source.write(
            lambda state: _delete(state.assertions, lambda until: until <= now, limit)
        )


def _delete(table: dict[bytes, Any], is_over: Callable[[Any], bool], limit: int) -> int:
    over = list(islice((key for key, record in table.items() if is_over(record)), limit))
    for key in over:
        del table[key]
    return len(over)
