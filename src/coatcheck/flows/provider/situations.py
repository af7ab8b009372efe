"""What a decision about an authorization request depends on, as it is stored at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ...accounts.model import User
from ...oauth.checks.redirect_uri import is_redirect_uri
from ...oauth.dispatch import SessionFacts, Situation
from ...oauth.errors import UnsafeRequestError
from ...oauth.model import API, AuthorizationRequest, Interaction, OAuthClient
from ...sessions.authentication_context import ACR_VALUES, acr_of
from ...sessions.lifecycle import is_alive
from ...sessions.model import Session
from .clients import cached_client
from .consent import grantable
from .requests import all_apis
from .subjects import subject_of

if TYPE_CHECKING:
    from ..context import Context
    from ..ports import Records

__all__ = ["Loaded", "client_still", "load", "present"]

_ATTAINABLE: Final = ACR_VALUES[:1]  # by a password, which is what accounts have


class Loaded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A request with all that belongs to it.

    Attributes:
        request: What is asked for.
        client: Who asks.
        user: Who is signed in, if anybody is.
        session: Their session.
        apis: All APIs.
        situation: What the decision depends on.
    """

    request: AuthorizationRequest
    client: OAuthClient
    user: User | None
    session: Session | None
    apis: list[API]
    situation: Situation


async def load(
    context: Context,
    request: AuthorizationRequest,
    interaction: Interaction | None,
    *,
    session_id: str | None,
) -> Loaded:
    """Return a request with all that belongs to it.

    Args:
        context: What flows share.
        request: It.
        interaction: What has been done about it so far.
        session_id: The browser's session, if it has one.

    Raises:
        UnsafeRequestError: If the client is gone, or its redirect URI.
    """
    records = context.storage.records
    client = await client_still(context, request)
    session, user = await present(context, records, session_id)
    apis = await all_apis(context, records)
    scope = request.scope
    facts = consent = None
    if session is not None and user is not None:
        scope = await grantable(context, records, request, user=user, apis=apis)
        consent = await records.find_consent(user.id, client.id)
        facts = _facts(context, client, session)
    situation = Situation(
        request=request,
        client=client,
        session=facts,
        consent=consent,
        scope=scope,
        interaction=interaction,
        attainable=_ATTAINABLE,
        now=context.clock(),
    )
    return Loaded(request=request, client=client, user=user, session=session, apis=apis, situation=situation)


async def client_still(context: Context, request: AuthorizationRequest) -> OAuthClient:
    """Return the client of a stored request, if its answer may still go where it was to go.

    Raises:
        UnsafeRequestError: If not.
    """
    client = await cached_client(context, request.client_id)
    if client is None or not is_redirect_uri(client, request.redirect_uri):
        raise UnsafeRequestError("The app is not known here any more.", field="client_id")
    return client


async def present(
    context: Context, records: Records, session_id: str | None
) -> tuple[Session | None, User | None]:
    """Return a session with its user, if both are good at this moment; else neither."""
    session = None if session_id is None else await records.find_session(session_id)
    if session is None or not is_alive(session, context.clock()):
        return None, None
    user = await records.find_user(session.user_id)
    return (None, None) if user is None or user.disabled_at is not None else (session, user)


def _facts(context: Context, client: OAuthClient, session: Session) -> SessionFacts:
    level = ACR_VALUES.index(acr_of(session.methods))
    return SessionFacts(
        id=session.id,
        subject=subject_of(context.sealer, client, session.user_id),
        authenticated_at=session.authenticated_at,
        acrs=ACR_VALUES[: level + 1],
    )
