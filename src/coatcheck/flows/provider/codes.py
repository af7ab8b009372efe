"""Making codes (OAuth 2.1 section 4.1.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._core.secrets import digest, new_identifier, new_token
from ...accounts.model import User
from ...oauth.consenting import can_be_impersonated
from ...oauth.model import AuthorizationCode, AuthorizationRequest, OAuthClient
from ...oauth.vocabulary import OFFLINE_ACCESS
from ...sessions.lifecycle import is_alive
from ...sessions.model import Session

if TYPE_CHECKING:
    from ..context import Context
    from ..ports import Records

__all__ = ["child_session", "issue_code"]


async def issue_code(
    context: Context,
    records: Records,
    *,
    request: AuthorizationRequest,
    client: OAuthClient,
    user: User,
    session: Session,
    scope: tuple[str, ...],
    audiences: tuple[str, ...],
) -> tuple[str, AuthorizationCode]:
    """Add a code inside the caller's transaction; return it with its record. It has 256 random bits.

    Args:
        context: How long it is good.
        records: The transaction.
        request: What was asked for.
        client: Who asked.
        user: Who granted it.
        session: The session in which they did.
        scope: What was granted.
        audiences: For which APIs.
    """
    now, code = context.clock(), new_token()
    offline = OFFLINE_ACCESS in scope
    # One that others can imitate gets a session of its own each time: what the real one is granted later must not come
    # to whoever has a refresh token of the imitation (RFC 9700 section 4.14.2).
    is_apart = offline or can_be_impersonated(client, request.redirect_uri)
    child = None if is_apart else await child_session(records, session, client.id, now=now)
    record = AuthorizationCode(
        digest=digest(code),
        client_id=request.client_id,
        user_id=user.id,
        parent_id=session.id,
        session_id=new_identifier() if child is None else child,
        joins=child is not None,
        request=request,
        scope=scope,
        audiences=audiences,
        offline=offline,
        redirect_uri_given=request.redirect_uri_given,
        authenticated_at=session.authenticated_at,
        methods=session.methods,
        created_at=now,
        expires_at=now + context.provider.code.total_seconds(),
    )
    await records.add_code(record)
    return code, record


async def child_session(records: Records, session: Session, client_id: str, *, now: float) -> str | None:
    """Return the session that a client has below the user's already, so that its ``sid`` stays the same, if any."""
    for child in await records.list_child_sessions([session.id]):
        if child.client_id == client_id and is_alive(child, now):
            return child.id
    return None
