"""Refreshing tokens (RFC 6749 section 6, RFC 9700 section 4.14)."""

from __future__ import annotations

from typing import Literal

from .._core.secrets import digest
from ..accounts.model import User
from ..identity import Client
from ..sessions.binding import is_bound_elsewhere
from ..sessions.errors import InvalidRefreshTokenError, RefreshTokenReusedError
from ..sessions.lifecycle import is_alive
from ..sessions.model import RefreshToken, Session
from ..sessions.refresh import (
    Plan,
    client_digest,
    make_token,
    next_token,
    open_successor,
    plan_refresh,
    seal_successor,
    session_of,
)
from .access_tokens import FIRST_PARTY
from .context import Context
from .ending import SERVER, Reason, end_sessions
from .messages import SessionStolen
from .model import TokenResponse
from .opening import token_response
from .ports import Records

__all__ = ["Tokens"]


class Tokens:
    """What clients that carry tokens do with them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def refresh(self, refresh_token: str, *, client: Client) -> TokenResponse:
        """Exchange a refresh token for new tokens: once.

        Args:
            refresh_token: The token.
            client: What the request showed of itself.

        Raises:
            InvalidRefreshTokenError: If it is unknown, expired or used, its session or user is gone, or its session
                is bound elsewhere.
            RefreshTokenReusedError: If it was used before. Its session has been ended.
        """
        context, now = self._context, self._context.clock()
        presented_by = client_digest(client, FIRST_PARTY)
        session_id = session_of(context.sealer, refresh_token)
        async with context.storage.transaction() as records:
            session, user = await self._load(records, session_id)
            token = await records.find_refresh_token(digest(refresh_token))
            plan = plan_refresh(token, session, client=presented_by, policy=context.refresh, now=now)
            bound_elsewhere = is_bound_elsewhere(session, client, context.sessions)
            if bound_elsewhere:
                await end_sessions(
                    context, records, [session.id], reason=Reason.BOUND_ELSEWHERE, actor=SERVER
                )
            elif plan is Plan.REUSE or token is None:
                await end_sessions(context, records, [session.id], reason=Reason.REFRESH_REUSED, actor=SERVER)
                message = SessionStolen(to=user.email, at=now, client=client, forgotten_link="/forgotten")
                await records.add_mail(context.mail.compose(message, now=now))
            else:
                successor = await self._successor(
                    records, refresh_token, token, session=session, client=presented_by
                )
                session = await records.find_session(session.id) or session  # it was used, and ends later now
                at = context.clock()
        if bound_elsewhere:
            raise InvalidRefreshTokenError(detail="presented by another client than its session is bound to")
        if plan is Plan.REUSE:
            context.mail.wake()
            raise RefreshTokenReusedError(detail=f"session {session.id}")
        return await token_response(context, user, session, refresh_token=successor, at=at)

    async def of_session(self, session_id: str, *, kind: Literal["access-token", "id-token"]) -> str | None:
        """Return a token for the browser of a session, to be kept in a cookie; ``None`` if the session has ended.

        The records are read in a transaction that keeps others from changing them: what a request was identified by may
        be a moment old, and a token made of it would say of itself that it is younger than a change of permissions that
        it knows nothing of.
        """
        context = self._context
        async with context.storage.transaction() as records:
            session = await records.find_session(session_id)
            user = None if session is None else await records.find_user(session.user_id)
            at = context.clock()
        if session is None or user is None or user.disabled_at is not None or not is_alive(session, at):
            return None
        await context.ledger.catch_up()
        tokens = context.access_tokens
        issue = tokens.issue if kind == "access-token" else tokens.issue_id_token
        return await issue(user, session, at=at)

    async def _load(self, records: Records, session_id: str) -> tuple[Session, User]:
        session = await records.find_session(session_id)
        user = None if session is None else await records.find_user(session.user_id)
        if session is None or user is None or user.disabled_at is not None:
            raise InvalidRefreshTokenError(detail="its session has ended")
        return session, user

    async def _successor(
        self, records: Records, presented: str, token: RefreshToken, *, session: Session, client: bytes
    ) -> str:
        """Return the one successor of a token: the first who asks makes it, all others get the same."""
        now = self._context.clock()
        if token.sealed_successor is not None:
            return open_successor(presented, token.sealed_successor)
        following = make_token(self._context.sealer, session.id)
        sealed = seal_successor(presented, following)
        if await records.rotate_refresh_token(token.digest, at=now, sealed_successor=sealed):
            await records.add_refresh_token(
                next_token(following, session, client=client, policy=self._context.refresh, now=now)
            )
            await records.touch_session(session.id, now)
            # What was exchanged before the window is recognised without a record: see sessions.refresh.
            window = self._context.refresh.replay_window.total_seconds()
            await records.forget_refresh_tokens(session.id, rotated_before=now - window)
            return following
        rotated = await records.find_refresh_token(token.digest)
        if rotated is None or rotated.sealed_successor is None:
            raise InvalidRefreshTokenError(detail="its session ended meanwhile")
        return open_successor(presented, rotated.sealed_successor)
