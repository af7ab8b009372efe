"""What a user is asked before a client gets something of theirs, and what they answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ...accounts.model import User
from ...oauth.consenting import claim_names
from ...oauth.grants.per_api import at_each, both
from ...oauth.model import API, AuthorizationRequest, Consent, OAuthClient
from ...oauth.vocabulary import OFFLINE_ACCESS, OPENID_SCOPES
from .apis import is_built_in
from .permissions import user_scopes

if TYPE_CHECKING:
    from ..context import Context
    from ..ports import Records

__all__ = ["AskedAPI", "ConsentQuestion", "grantable", "question_of", "remembered"]

_OPENID = frozenset(OPENID_SCOPES)


class AskedAPI(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An API that is asked for.

    Attributes:
        audience: It.
        name: What it is called.
        scopes: What is asked for there, each with its description, or ``""``.
    """

    audience: str
    name: str
    scopes: tuple[tuple[str, str], ...]


class ConsentQuestion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the user is asked.

    Attributes:
        client: Who asks.
        redirect_uri: Where the answer would go.
        email: The account.
        session_id: The session that the answer is to come from.
        openid: The scopes of OpenID Connect.
        claims: The names of claims that are asked for one by one.
        apis: The APIs.
        scope: All scopes, as they would be granted.
        offline: Whether it outlives the session.
    """

    client: OAuthClient
    redirect_uri: str
    email: str
    session_id: str
    openid: tuple[str, ...]
    claims: tuple[str, ...]
    apis: tuple[AskedAPI, ...]
    scope: tuple[str, ...]
    offline: bool


async def grantable(
    context: Context, records: Records, request: AuthorizationRequest, *, user: User, apis: list[API]
) -> tuple[str, ...]:
    """Return what of a request a user can grant: the scopes of OpenID Connect, and at the APIs what they may do."""
    wanted = _wanted(context, request, apis)
    may: set[str] = set()
    for api in wanted:
        may |= await user_scopes(context, records, user, api=api)
    return tuple(each for each in request.scope if each in _OPENID or each in may)


def question_of(
    context: Context,
    request: AuthorizationRequest,
    client: OAuthClient,
    *,
    user: User,
    session_id: str,
    scope: tuple[str, ...],
    apis: list[API],
) -> ConsentQuestion:
    """Return what the user is asked."""
    of_apis = [each for each in scope if each not in _OPENID]
    asked: list[AskedAPI] = []
    for api in _wanted(context, request, apis):
        described = {each.name: each.description for each in api.scopes}
        open_ended = is_built_in(context, api.audience)
        names = [each for each in of_apis if open_ended or each in described]
        if names or api.audience in request.audiences:
            scopes = tuple((each, described.get(each, "")) for each in names)
            asked.append(AskedAPI(audience=api.audience, name=api.name, scopes=scopes))
    return ConsentQuestion(
        client=client,
        redirect_uri=request.redirect_uri,
        email=user.email,
        session_id=session_id,
        openid=tuple(each for each in scope if each in _OPENID),
        claims=tuple(sorted(claim_names(request))),
        apis=tuple(asked),
        scope=scope,
        offline=OFFLINE_ACCESS in scope,
    )


def remembered(
    before: Consent | None,
    request: AuthorizationRequest,
    *,
    user_id: str,
    scope: tuple[str, ...],
    now: float,
) -> Consent:
    """Return what is kept of a user's consent: this one, and what they allowed the same client before."""
    new = Consent(
        user_id=user_id,
        client_id=request.client_id,
        scope=frozenset(scope),
        audiences=frozenset(request.audiences),
        by_api=at_each(scope, request.audiences),
        claims=claim_names(request),
        granted_at=now,
    )
    if before is None:
        return new
    return msgspec.structs.replace(
        new,
        scope=new.scope | before.scope,
        audiences=new.audiences | before.audiences,
        by_api=both(new.by_api, before.by_api),
        claims=new.claims | before.claims,
    )


def _wanted(context: Context, request: AuthorizationRequest, apis: list[API]) -> list[API]:
    if request.audiences:
        return [api for api in apis if api.audience in request.audiences]
    return [api for api in apis if is_built_in(context, api.audience)]
