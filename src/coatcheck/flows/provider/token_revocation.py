"""Revoking a token by whoever it was given to (RFC 7009). It works for refresh tokens and for access tokens.

A refresh token stands for all that its session gives: the session ends, with its access tokens (section 2.1). An access
token ends alone. Whatever is no token of the client that asks is left as it is, and the answer is the same: what the
client wanted is so, and nobody learns by asking what a token is worth to others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...jose import TokenError
from ...oauth.client_authentication.model import Credentials
from ...oauth.model import OAuthClient
from ...sessions.errors import InvalidRefreshTokenError
from ...sessions.refresh import session_of
from ..access_tokens import facts_of
from ..ending import Reason, end_sessions, revoke
from .administering import by_client
from .client_authentication import authenticate
from .secret_tokens import verify_wherever

if TYPE_CHECKING:
    from ..context import Context

__all__ = ["TokenRevocation"]

_LONGEST = 16_384


class TokenRevocation:
    """Ends what clients do not need any more."""

    def __init__(self, context: Context) -> None:
        """Take what all flows share."""
        self._context = context

    async def revoke(self, token: str, *, credentials: Credentials) -> None:
        """Revoke a token of the client that asks. Which kind it is can be seen, so no hint is needed.

        Args:
            token: The token.
            credentials: What the request says of its client.

        Raises:
            InvalidRequestError: If the client authenticates in several ways.
            InvalidClientError: If it did not show who it is.
        """
        context = self._context
        client = await authenticate(context, credentials, endpoint="revoke")
        if len(token) > _LONGEST or not token.isascii():
            return
        try:
            session_id = session_of(context.sealer, token)
        except InvalidRefreshTokenError:
            await self._access_token(token, client)
        else:
            await self._session(session_id, client)

    async def _session(self, session_id: str, client: OAuthClient) -> None:
        """End a session that a refresh token of its client names: one that was used already, too.

        Whoever has a used one has had all that came of it.
        """
        context = self._context
        seen = await context.storage.records.find_session(session_id)
        if seen is None or seen.client_id != client.id:
            return
        async with context.storage.transaction(seen.user_id) as records:
            session = await records.find_session(session_id)
            if session is not None and session.client_id == client.id:
                actor = by_client(client.id)
                await end_sessions(context, records, [session.id], reason=Reason.GRANT_REVOKED, actor=actor)

    async def _access_token(self, token: str, client: OAuthClient) -> None:
        context = self._context
        try:
            claims, kid = await verify_wherever(context, token)
        except TokenError:
            return
        if claims.client_id != client.id:
            return
        await context.ledger.catch_up()
        if context.ledger.registry.void(facts_of(claims, kid)) is not None:
            return  # what is void already gets no second entry
        async with context.storage.transaction(claims.jti or "") as records:
            await revoke(
                context,
                records,
                [("token", claims.jti or "")],
                reason=Reason.GRANT_REVOKED,
                actor=by_client(client.id),
            )
