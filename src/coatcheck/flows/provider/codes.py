"""Making codes (OAuth 2.1 section 4.1.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..._core.secrets import digest, new_identifier, new_token
from ...accounts.model import User
from ...oauth.model import AuthorizationCode, AuthorizationRequest
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
        user: Who granted it.
        session: The session in which they did.
        scope: What was granted.
        audiences: For which APIs.
    """
    now, code = context.clock(), new_token()
    offline = OFFLINE_ACCESS in scope
    child = None if offline else await child_session(records, session, request.client_id, now=now)
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
