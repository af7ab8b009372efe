"""ID tokens that come through the browser, where that is switched on (OpenID Connect Core sections 3.2 and 3.3)."""

from __future__ import annotations

from msgspec.structs import replace

from ...accounts.model import User
from ...oauth.model import AuthorizationCode, Grant, OAuthClient
from ...sessions.model import Session
from .issuing import TokenIssuer

__all__ = ["id_token_for"]


async def id_token_for(
    issuer: TokenIssuer,
    client: OAuthClient,
    record: AuthorizationCode,
    *,
    user: User,
    session: Session,
    code: str | None,
) -> str:
    """Return the ID token of an answer. Its ``sid`` is that of the session that the client's tokens come from.

    Args:
        issuer: What signs.
        client: For whom.
        record: What was granted.
        user: Who granted it.
        session: The session in which they did.
        code: The code beside it, which it vouches for by ``c_hash``; ``None`` if it comes alone.
    """
    return await issuer.id_token(
        client=client,
        user=user,
        session=replace(session, id=record.session_id, client_id=client.id, parent_id=session.id),
        grant=Grant(
            session_id=record.session_id,
            user_id=user.id,
            client_id=client.id,
            scope=record.scope,
            audiences=record.audiences,
            claims=record.request.claims,
            offline=record.offline,
            created_at=record.created_at,
        ),
        nonce=record.request.nonce,
        at=record.created_at,
        code=code,
    )
