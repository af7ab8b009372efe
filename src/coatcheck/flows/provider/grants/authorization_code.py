"""The authorization code grant (OAuth 2.1 section 4.1.3, OpenID Connect Core section 3.1.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...._core.secrets import digest
from ....oauth.errors import InvalidGrantError
from ....oauth.grants.exchange import Exchange, plan_exchange
from ....oauth.grants.per_api import at_each
from ....oauth.model import AuthorizationCode, OAuthClient
from ...ending import SERVER, Reason, end_sessions
from ...tokens import first_token
from ..opening import open_for_client
from .model import TokenAnswer, TokenRequest
from .user_tokens import PlannedTokens, UserTokens

if TYPE_CHECKING:
    from ...context import Context
    from ...ports import Records

__all__ = ["AuthorizationCodeGrant"]

_WRONG = "The code does not work (any more)."


class AuthorizationCodeGrant:
    """From a code to the session that it stands for, and the first tokens of that."""

    def __init__(self, context: Context, tokens: UserTokens) -> None:
        self._context = context
        self._tokens = tokens

    async def __call__(self, client: OAuthClient, request: TokenRequest) -> TokenAnswer:
        """Exchange a code: once.

        Of several requests with one code exactly one gets tokens. All that come later end what that one got: the code
        is in two hands, and nobody knows whose were the first (OAuth 2.1 section 4.1.2).

        Raises:
            InvalidRequestError: If there is no code.
            InvalidGrantError: If the code is not good, or not this client's.
            InvalidScopeError: If more is asked for than was granted.
            InvalidTargetError: If another API is asked for than was granted.
        """
        context, presented = self._context, digest(request.required("code"))
        seen = await context.storage.records.find_code(presented)
        if seen is None:
            raise InvalidGrantError(_WRONG, detail=f"client {client.id}: no such code")
        async with context.storage.transaction(seen.user_id) as records:
            # Whatever is refused below is rolled back, and the code is as good as before for whoever it was given to.
            found = await records.consume_code(presented, at=context.clock())
            if found is None:
                raise InvalidGrantError(_WRONG, detail=f"client {client.id}: no such code")
            code, is_first = found
            plan = plan_exchange(
                code,
                is_first=is_first,
                client_id=client.id,
                redirect_uri=request.parameters.get("redirect_uri"),
                verifier=request.parameters.get("code_verifier"),
                now=context.clock(),
            )
            if plan is Exchange.REPLAY:
                named = [code.session_id]
                await end_sessions(context, records, named, reason=Reason.CODE_REPLAYED, actor=SERVER)
            else:
                planned = await self._open(records, code, client=client, request=request)
        if plan is Exchange.REPLAY:
            raise InvalidGrantError(_WRONG, detail=f"client {client.id}: the code was used before")
        return await self._tokens.issue(planned)

    async def _open(
        self, records: Records, code: AuthorizationCode, *, client: OAuthClient, request: TokenRequest
    ) -> PlannedTokens:
        context = self._context
        opened = await open_for_client(context, records, code, client=request.sender)
        # What the first access token may do is what this code says, whatever was granted in the session before.
        api, scope = await self._tokens.choose(
            records,
            request,
            user=opened.user,
            scope=code.scope,
            audiences=code.audiences,
            by_api=at_each(code.scope, code.audiences),
        )
        refresh_token = None
        if "refresh_token" in client.grant_types:
            refresh_token = await first_token(context, records, opened.session, client=request.sender)
        return PlannedTokens(
            client=client,
            user=opened.user,
            session=opened.session,
            parent=opened.parent,
            grant=opened.grant,
            api=api,
            scope=scope,
            nonce=code.request.nonce,
            refresh_token=refresh_token,
            at=context.clock(),
        )
