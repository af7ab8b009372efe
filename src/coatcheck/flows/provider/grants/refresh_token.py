"""The refresh token grant for registered clients (OAuth 2.1 section 4.3, OpenID Connect Core section 12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....oauth.errors import InvalidGrantError
from ....oauth.model import OAuthClient
from ....sessions.errors import InvalidRefreshTokenError, RefreshTokenReusedError
from ....sessions.refresh import Plan
from ...tokens import PresentedToken, end_reused, exchange_token, owner_of, presented_token
from .model import TokenAnswer, TokenRequest
from .user_tokens import PlannedTokens, UserTokens

if TYPE_CHECKING:
    from ...context import Context
    from ...ports import Records

__all__ = ["RefreshTokenGrant"]


class RefreshTokenGrant:
    """From a refresh token to its successor, and other tokens."""

    def __init__(self, context: Context, tokens: UserTokens) -> None:
        self._context = context
        self._tokens = tokens

    async def __call__(self, client: OAuthClient, request: TokenRequest) -> TokenAnswer:
        """Exchange a refresh token: once, by the rules of ``sessions.refresh``.

        What is asked for can be less than was granted, and then the access token is for less; the next refresh token is
        for all again.

        Raises:
            InvalidRequestError: If there is no refresh token.
            InvalidGrantError: If it is not good, or not this client's. If it was used before, its session has ended.
            InvalidScopeError: If more is asked for than was granted. The token is as good as before.
            InvalidTargetError: If another API is asked for than was granted, likewise.
        """
        context, refresh_token = self._context, request.required("refresh_token")
        try:
            async with context.storage.transaction(await owner_of(context, refresh_token)) as records:
                presented = await presented_token(
                    context, records, refresh_token, client=request.sender, client_id=client.id
                )
                if presented.plan is Plan.REUSE:
                    await end_reused(context, records, presented)
                else:
                    planned = await self._exchange(records, presented, client=client, request=request)
            if presented.plan is Plan.REUSE:
                raise RefreshTokenReusedError(detail=f"session {presented.session.id}")
        except InvalidRefreshTokenError as error:
            raise InvalidGrantError(error.message, detail=error.detail) from None
        return await self._tokens.issue(planned)

    async def _exchange(
        self, records: Records, presented: PresentedToken, *, client: OAuthClient, request: TokenRequest
    ) -> PlannedTokens:
        context = self._context
        grant = presented.grant
        if grant is None:
            raise InvalidRefreshTokenError(detail=f"nothing is granted in session {presented.session.id}")
        api, scope = await self._tokens.choose(
            records,
            request,
            user=presented.user,
            scope=grant.scope,
            audiences=grant.audiences,
            by_api=grant.by_api,
        )
        successor, session, parent = await exchange_token(context, records, presented)
        return PlannedTokens(
            client=client,
            user=presented.user,
            session=session,
            parent=parent,
            grant=grant,
            api=api,
            scope=scope,
            nonce=None,  # it belongs to the request for the code (OpenID Connect Core section 12.2)
            refresh_token=successor,
            at=context.clock(),
        )
