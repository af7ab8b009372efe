"""Refreshing tokens (RFC 6749 section 6, RFC 9700 section 4.14): the one rotation, whoever has the tokens."""

from __future__ import annotations

from typing import Literal

import msgspec

from .._core.secrets import digest
from ..accounts.model import User
from ..identity import FIRST_PARTY, Client
from ..oauth.model import Grant
from ..sessions.binding import is_bound_elsewhere
from ..sessions.errors import InvalidRefreshTokenError, RefreshTokenReusedError
from ..sessions.lifecycle import is_alive, needs_touch
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
from .context import Context
from .ending import SERVER, Reason, end_sessions
from .messages import SessionStolen
from .model import TokenResponse
from .opening import token_response
from .ports import Records

__all__ = [
    "PresentedToken",
    "Tokens",
    "end_reused",
    "exchange_token",
    "first_token",
    "owner_of",
    "presented_token",
]


class PresentedToken(msgspec.Struct, frozen=True, kw_only=True):
    """A refresh token that a client presents, with what belongs to it, as one transaction read them.

    Attributes:
        secret: The token.
        record: Its record; ``None`` if it was exchanged so long ago that it was forgotten.
        session: The session that it was made for.
        parent: The session in which that was granted, if it ends with it.
        user: Whose they are.
        grant: What was granted to the client in it; ``None`` for this site's own.
        client: SHA-256 of who presents it.
        plan: What is to be done.
    """

    secret: str
    record: RefreshToken | None
    session: Session
    parent: Session | None
    user: User
    grant: Grant | None
    client: bytes
    plan: Plan

    def __repr__(self) -> str:
        return f"<PresentedToken of session {self.session.id}>"


async def owner_of(context: Context, refresh_token: str) -> str:
    """Return whose a refresh token is, for the transaction in which it is exchanged. Not inside of one.

    Raises:
        InvalidRefreshTokenError: If it is none, or its session is gone.
    """
    session_id = session_of(context.sealer, refresh_token)
    owner = await context.owners.of(context.storage.records, session_id)
    if owner is None:
        raise InvalidRefreshTokenError(detail="its session has ended")
    return owner


async def presented_token(
    context: Context, records: Records, refresh_token: str, *, client: Client, client_id: str
) -> PresentedToken:
    """Return what is to be done with a refresh token, inside the caller's transaction.

    Args:
        context: The limits.
        records: The transaction.
        refresh_token: What is presented.
        client: What the request showed of itself.
        client_id: By whom: a token of another client is none.

    Raises:
        InvalidRefreshTokenError: If it is unknown or expired, another client's, or its session, the one above that or
            its user is gone.
    """
    now = context.clock()
    session_id = session_of(context.sealer, refresh_token)
    family = await records.find_family(session_id, digest=digest(refresh_token))
    if family is None or family.user.disabled_at is not None:
        raise InvalidRefreshTokenError(detail="its session has ended")
    session, parent = family.session, family.parent
    if session.client_id != client_id:
        raise InvalidRefreshTokenError(detail=f"client {client_id} presents one of {session.client_id}")
    if session.parent_id is not None and (parent is None or not is_alive(parent, now)):
        raise InvalidRefreshTokenError(detail="the session in which it was granted has ended")
    presented_by = client_digest(client, client_id)
    return PresentedToken(
        secret=refresh_token,
        record=family.token,
        session=session,
        parent=parent,
        user=family.user,
        grant=family.grant,
        client=presented_by,
        plan=plan_refresh(family.token, session, client=presented_by, policy=context.refresh, now=now),
    )


async def end_reused(context: Context, records: Records, presented: PresentedToken) -> None:
    """End the session of a token that was used before, inside the caller's transaction."""
    named = [presented.session.id]
    await end_sessions(context, records, named, reason=Reason.REFRESH_REUSED, actor=SERVER)


async def first_token(context: Context, records: Records, session: Session, *, client: Client) -> str:
    """Return a new refresh token for a session, inside the caller's transaction."""
    now, refresh_token = context.clock(), make_token(context.sealer, session.id)
    bound_to = client_digest(client, session.client_id)
    await records.add_refresh_token(
        next_token(refresh_token, session, client=bound_to, policy=context.refresh, now=now)
    )
    return refresh_token


async def exchange_token(
    context: Context, records: Records, presented: PresentedToken
) -> tuple[str, Session, Session | None]:
    """Exchange a refresh token that is good, inside the caller's transaction.

    Returns:
        The one successor of the token: the first who asks makes it, all others get the same. And the session and the
        one above it as they are now: they were used, and end later.

    Raises:
        InvalidRefreshTokenError: If another transaction ended the session.
    """
    record, session, parent = presented.record, presented.session, presented.parent
    assert record is not None  # noqa: S101 - else the plan would be another
    now = context.clock()
    if record.sealed_successor is not None:
        return open_successor(presented.secret, record.sealed_successor), session, parent
    following = make_token(context.sealer, session.id)
    sealed = seal_successor(presented.secret, following)
    if not await records.rotate_refresh_token(record.digest, at=now, sealed_successor=sealed):
        rotated = await records.find_refresh_token(record.digest)
        if rotated is None or rotated.sealed_successor is None:
            raise InvalidRefreshTokenError(detail="its session ended meanwhile")
        return open_successor(presented.secret, rotated.sealed_successor), session, parent
    await records.add_refresh_token(
        next_token(following, session, client=presented.client, policy=context.refresh, now=now)
    )
    # What was exchanged before the window is recognised without a record: see sessions.refresh.
    window = context.refresh.replay_window.total_seconds()
    await records.forget_refresh_tokens(session.id, rotated_before=now - window)
    if parent is not None:
        parent = await _used(context, records, parent, now=now)
    return following, await _used(context, records, session, now=now), parent


async def _used(context: Context, records: Records, session: Session, *, now: float) -> Session:
    """Note that a session was used, as coarsely as any use is noted, and return it as it is then."""
    if not needs_touch(session, context.sessions, now=now):
        return session
    await records.touch_session(session.id, now)
    return msgspec.structs.replace(session, last_seen_at=max(now, session.last_seen_at))


class Tokens:
    """What clients that carry tokens do with them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def refresh(self, refresh_token: str, *, client: Client) -> TokenResponse:
        """Exchange a refresh token of this site's own for new tokens: once.

        Args:
            refresh_token: The token.
            client: What the request showed of itself.

        Raises:
            InvalidRefreshTokenError: If it is unknown, expired or used, its session or user is gone, its session
                is bound elsewhere, or it was given to a registered client.
            RefreshTokenReusedError: If it was used before. Its session has been ended.
        """
        context, now = self._context, self._context.clock()
        async with context.storage.transaction(await owner_of(context, refresh_token)) as records:
            presented = await presented_token(
                context, records, refresh_token, client=client, client_id=FIRST_PARTY
            )
            session, user = presented.session, presented.user
            bound_elsewhere = is_bound_elsewhere(session, client, context.sessions)
            if bound_elsewhere:
                await end_sessions(
                    context, records, [session.id], reason=Reason.BOUND_ELSEWHERE, actor=SERVER
                )
            elif presented.plan is Plan.REUSE:
                await end_reused(context, records, presented)
                message = SessionStolen(to=user.email, at=now, client=client, forgotten_link="/forgotten")
                await records.add_mail(context.mail.compose(message, now=now))
            else:
                successor, session, _ = await exchange_token(context, records, presented)
                at = context.clock()
        if bound_elsewhere:
            raise InvalidRefreshTokenError(detail="presented by another client than its session is bound to")
        if presented.plan is Plan.REUSE:
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
        owner = await context.owners.of(context.storage.records, session_id)
        if owner is None:
            return None
        async with context.storage.transaction(owner) as records:
            session = await records.find_session(session_id)
            user = None if session is None else await records.find_user(session.user_id)
            at = context.clock()
        if session is None or user is None or user.disabled_at is not None or not is_alive(session, at):
            return None
        await context.ledger.catch_up()
        tokens = context.access_tokens
        issue = tokens.issue if kind == "access-token" else tokens.issue_id_token
        return await issue(user, session, at=at)
