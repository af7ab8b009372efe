"""Tokens that allow to register clients (RFC 7591 section 3), for those whom whoever runs this server knows."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from ..._core.secrets import digest, new_identifier, new_token
from ...oauth.model import InitialAccessToken
from .errors import InvalidInitialAccessTokenError, UnknownInitialAccessTokenError

if TYPE_CHECKING:
    from ..context import Context

__all__ = ["InitialAccessTokens"]

_PREFIX: Final = "cci_"  # so that scanners of code and logs know what they have found
_LONGEST_NAME: Final = 64
_MOST_USES: Final = 1_000_000


class InitialAccessTokens:
    """Adding such tokens, and removing them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def add(
        self, name: str, *, uses: int | None = None, lifetime: timedelta | None = None
    ) -> tuple[InitialAccessToken, str]:
        """Add a token; return its record and itself, which is shown once and stored as its hash only.

        Args:
            name: What it is for, or for whom: up to 64 letters that can be seen.
            uses: How many clients may be registered with it; ``None`` for any number.
            lifetime: How long it is good; ``None`` for ever.

        Raises:
            InvalidInitialAccessTokenError: If one of these cannot be.
        """
        if not name or len(name) > _LONGEST_NAME or not name.isprintable():
            raise InvalidInitialAccessTokenError(
                "The name of a token has 1 to 64 letters, all of which can be seen.", field="name"
            )
        if uses is not None and not 1 <= uses <= _MOST_USES:
            raise InvalidInitialAccessTokenError(f"A token has 1 to {_MOST_USES} uses.", field="uses")
        if lifetime is not None and lifetime <= timedelta(0):
            raise InvalidInitialAccessTokenError("A token is good for some time.", field="lifetime")
        now, token = self._context.clock(), _PREFIX + new_token()
        record = InitialAccessToken(
            digest=digest(token),
            id=new_identifier(),
            name=name,
            created_at=now,
            expires_at=None if lifetime is None else now + lifetime.total_seconds(),
            uses_left=uses,
        )
        await self._context.storage.records.add_initial_access_token(record)
        return record, token

    async def list(self) -> list[InitialAccessToken]:
        """Return all tokens, the newest first, those that are used up or expired too."""
        return await self._context.storage.records.list_initial_access_tokens()

    async def remove(self, token_id: str) -> None:
        """Remove a token: nothing can be registered with it from then on. What was, stays.

        Raises:
            UnknownInitialAccessTokenError: If there is none of that identifier.
        """
        if not await self._context.storage.records.delete_initial_access_token(token_id):
            raise UnknownInitialAccessTokenError
