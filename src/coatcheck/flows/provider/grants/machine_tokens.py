"""The tokens that a client gets in its own name. They come from no session: ``sub`` is the client, there is no ``sid``.

What a client may do is looked up once, and again when anything was committed, by whomever. A busy machine therefore
costs a signature and nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ....oauth.errors import InvalidClientError, InvalidTargetError
from ....oauth.grants.resource import canonical_resource, the_resource
from ....oauth.grants.scope import machine_scope, requested_scope
from ....oauth.model import API, OAuthClient
from ..apis import api_for, cached_api
from ..clients import cached_client
from ..permissions import client_scopes
from .model import TokenAnswer, TokenRequest

if TYPE_CHECKING:
    from ...context import Context
    from ..issuing import TokenIssuer

__all__ = ["MachineTokens"]


class _Planned(msgspec.Struct, frozen=True, gc=False):
    """What a token will say.

    Attributes:
        api: For which API.
        scope: What it may do there.
        text: The same, space-delimited.
    """

    api: API
    scope: tuple[str, ...]
    text: str


class MachineTokens:
    """From a client that has proven itself to a token."""

    def __init__(self, context: Context, issuer: TokenIssuer) -> None:
        self._context = context
        self._issuer = issuer

    async def issue(self, client: OAuthClient, request: TokenRequest) -> TokenAnswer:
        """Return a token for a client. There is no refresh token: it can ask again (RFC 6749 section 4.4.3).

        Raises:
            InvalidClientError: If it was removed or switched off in between.
            InvalidScopeError: If it asks for more than it may.
            InvalidTargetError: If it asks for an API that is none, or not for it.
        """
        context = self._context
        at = context.clock()  # before looking: whatever changes from now on is later than the token
        if await cached_client(context, client.id) is None:
            # Since it began to show who it is, which may have taken a while, it was switched off.
            raise InvalidClientError(detail=f"client {client.id}: gone or disabled meanwhile")
        planned = await self._plan(client, request)
        await context.ledger.catch_up()
        issued = await self._issuer.access_token(
            api=planned.api,
            subject=client.id,
            client_id=client.id,
            scope=planned.scope,
            session=None,
            ends_at=None,
            with_issuer=False,
            at=at,
        )
        return TokenAnswer(access_token=issued.token, expires_in=issued.expires_in, scope=planned.text)

    async def _plan(self, client: OAuthClient, request: TokenRequest) -> _Planned:
        key = "machine-token", client.id, request.parameters.get("scope"), request.resources

        async def decide() -> _Planned:
            return await self._decide(client, request)

        planned = await self._context.cache.get(self._context.storage, key, decide)
        assert planned is not None  # noqa: S101 - what cannot be decided raises
        return planned

    async def _decide(self, client: OAuthClient, request: TokenRequest) -> _Planned:
        requested = requested_scope(request.parameters.get("scope"))
        api = await self._api(client, the_resource(request.resources), requested)
        if api is None or not _may_ask_for(client, api):
            raise InvalidTargetError("There is no such resource, or not for this client.", field="resource")
        scope = machine_scope(
            requested,
            offered={each.name for each in api.scopes},
            permitted=await client_scopes(self._context.storage.records, client.id, api),
            registered=client.scope,
        )
        return _Planned(api, scope, " ".join(scope))

    async def _api(
        self, client: OAuthClient, resource: str | None, requested: frozenset[str] | None
    ) -> API | None:
        """Return what a token is for: the API that is named, or the one that has the scopes.

        Without either it is the one API that the client has any business with, or else this server's own.
        """
        context, records = self._context, self._context.storage.records
        if resource is not None:
            return await cached_api(context, resource)
        if requested:
            return await api_for(context, records, requested)
        audiences = client.audiences
        if audiences is None:
            permissions = await records.list_permissions(kind="client", holder=client.id)
            audiences = tuple(each.audience for each in permissions)
        return await cached_api(
            context, audiences[0] if len(audiences) == 1 else context.access_tokens.audience
        )


def _may_ask_for(client: OAuthClient, api: API) -> bool:
    wanted = canonical_resource(api.audience)
    return client.audiences is None or wanted in {canonical_resource(each) for each in client.audiences}
