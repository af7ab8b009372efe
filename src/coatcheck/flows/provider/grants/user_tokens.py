"""The tokens that a client gets from a user: for one API at a time, and of what was granted what still may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from ....accounts.model import User
from ....oauth.errors import InvalidTargetError
from ....oauth.grants.per_api import DEFAULT_API
from ....oauth.grants.resource import chosen_audience, the_resource
from ....oauth.grants.scope import api_scope, narrowed, openid_scope, requested_scope
from ....oauth.model import API, Grant, OAuthClient
from ....oauth.vocabulary import OPENID
from ....sessions.model import Session
from ..apis import built_in_api, is_built_in, resolve
from ..permissions import user_scopes
from ..subjects import subject_of
from .model import TokenAnswer, TokenRequest

if TYPE_CHECKING:
    from ...context import Context
    from ...ports import Records
    from ..issuing import TokenIssuer

__all__ = ["PlannedTokens", "UserTokens"]


class PlannedTokens(msgspec.Struct, frozen=True, kw_only=True):
    """What tokens will say, as the transaction decided it.

    Attributes:
        client: For whom.
        user: Whose.
        session: The client's session, from which they come.
        parent: The session that this one ends with.
        grant: What was granted in it.
        api: What the access token is for.
        scope: What it may do.
        nonce: What the request for the code brought along.
        refresh_token: What goes with them.
        at: When, read inside the transaction.
    """

    client: OAuthClient
    user: User
    session: Session
    parent: Session | None
    grant: Grant
    api: API
    scope: tuple[str, ...]
    nonce: str | None
    refresh_token: str | None
    at: float

    def __repr__(self) -> str:
        return f"<PlannedTokens of session {self.session.id}>"


class UserTokens:
    """From a grant to tokens."""

    def __init__(self, context: Context, issuer: TokenIssuer) -> None:
        self._context = context
        self._issuer = issuer

    async def choose(
        self,
        records: Records,
        request: TokenRequest,
        *,
        user: User,
        scope: Sequence[str],
        audiences: Sequence[str],
        by_api: Mapping[str, frozenset[str]],
    ) -> tuple[API, tuple[str, ...]]:
        """Return the API that an access token will be for, and what it may do there, inside the caller's transaction.

        Args:
            records: The transaction.
            request: What is asked for: perhaps less than was granted, and perhaps one of several APIs.
            user: Who granted it.
            scope: What was granted.
            audiences: For which APIs.
            by_api: Which of the scopes at which of them.

        Raises:
            InvalidScopeError: If more is asked for than was granted.
            InvalidTargetError: If another API is asked for than was granted, or there is none of that name any more.
        """
        wanted = narrowed(scope, requested_scope(request.parameters.get("scope")))
        audience = chosen_audience(
            audiences, the_resource(request.resources), default=self._context.access_tokens.audience
        )
        own = is_built_in(self._context, audience)
        api = await (built_in_api(self._context, records) if own else resolve(records, audience))
        if api is None:
            raise InvalidTargetError("This resource is not here any more.", field="resource")
        offered = frozenset(each.name for each in api.scopes)
        permitted = await user_scopes(self._context, records, user, api=api)
        granted = by_api.get(audience, frozenset())
        if own:
            offered |= permitted  # whatever a user may do here is a scope of this API
            granted |= by_api.get(DEFAULT_API, frozenset())
        return api, (
            *openid_scope(wanted),
            *api_scope(wanted, offered=offered, permitted=permitted & granted),
        )

    async def issue(self, planned: PlannedTokens) -> TokenAnswer:
        """Return the tokens, when what they come from is committed."""
        # This process has just committed, so the ledger is now known up to there: see opening.token_response.
        await self._context.ledger.catch_up()
        session, parent, client = planned.session, planned.parent, planned.client
        issued = await self._issuer.access_token(
            api=planned.api,
            subject=subject_of(self._context.sealer, client, planned.user.id),
            client_id=client.id,
            scope=planned.scope,
            session=session,
            ends_at=session.ends_at if parent is None else min(session.ends_at, parent.ends_at),
            with_issuer=OPENID in planned.scope,
            at=planned.at,
        )
        id_token: str | msgspec.UnsetType = msgspec.UNSET
        if OPENID in planned.grant.scope:
            id_token = await self._issuer.id_token(
                client=client,
                user=planned.user,
                session=session,
                grant=planned.grant,
                nonce=planned.nonce,
                at=planned.at,
                access_token=issued.token,
            )
        return TokenAnswer(
            access_token=issued.token,
            expires_in=issued.expires_in,
            scope=" ".join(planned.scope),
            refresh_token=planned.refresh_token or msgspec.UNSET,
            id_token=id_token,
        )
