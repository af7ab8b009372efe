"""The beginning of access: from somebody who proved who they are to a session and its credentials."""

from __future__ import annotations

from typing import Literal

import msgspec

from .._core.secrets import digest, new_identifier, new_token
from ..accounts.model import User
from ..identity import FIRST_PARTY, Client
from ..revocation.model import Kind
from ..sessions.binding import binding_of
from ..sessions.errors import InvalidSessionError
from ..sessions.lifecycle import begin, is_alive, plan_admission, renew
from ..sessions.model import Session
from ..sessions.refresh import client_digest, make_token, next_token
from .access_tokens import granted_scopes
from .context import Context
from .devices import remember
from .ending import SERVER, Reason, by_user, end_sessions, void_earlier
from .model import SignedIn, TokenResponse
from .ports import Records

__all__ = [
    "Credential",
    "Opened",
    "Request",
    "hand_out",
    "open_session",
    "parties",
    "renew_session",
    "token_response",
]

Credential = Literal["cookie", "tokens"]
"""What is to carry the session."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a sign-in asks for, and what came with it.

    Attributes:
        client: What the request showed of itself.
        credential: What is to carry the session.
        scope: What it is asked for; ``None`` for all.
        device: The device cookie.
        replaces: The session cookie that the request carried: that session ends.
    """

    client: Client
    credential: Credential
    scope: str | None = None
    device: str | None = None
    replaces: str | None = None

    def __repr__(self) -> str:
        return f"<Request credential={self.credential!r}>"


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """A session that was just opened, with its secrets: they are known at this moment only.

    Attributes:
        user: Whose it is.
        session: It.
        secret: What its cookie carries, if one does.
        refresh_token: Its first refresh token, if it has any.
        at: When, read inside the transaction.
    """

    user: User
    session: Session
    secret: str | None
    refresh_token: str | None
    at: float

    def __repr__(self) -> str:
        return f"<Opened {self.session.kind} session {self.session.id}>"


async def parties(context: Context, user_id: str, request: Request) -> tuple[str, ...]:
    """Return whose the transaction is that opens a session for a user: theirs, and whoever's session it replaces.

    What a cookie's secret stands for was committed before a browser had it, and is never another user's later.
    """
    if request.replaces is None:
        return (user_id,)
    old = await context.storage.records.find_session_by_digest(digest(request.replaces))
    return (user_id,) if old is None else (user_id, old.user_id)


async def open_session(
    context: Context, records: Records, user: User, *, request: Request, methods: tuple[str, ...] = ("pwd",)
) -> Opened:
    """Open a session inside the transaction of its ``parties``: always a new one, with a new identifier and secret.

    Raises:
        TooManySessionsError: If the user has as many as allowed, and the policy is to refuse.
    """
    now = context.clock()
    if request.replaces is not None:
        old = await records.find_session_by_digest(digest(request.replaces))
        if old is not None:
            await end_sessions(context, records, [old.id], reason=Reason.REPLACED, actor=by_user(old.user_id))
    if context.sessions.max_sessions is not None:
        # What was granted to a client in one of them is a part of it, and no place where somebody is signed in.
        existing = [each for each in await records.list_sessions(user.id) if each.parent_id is None]
        surplus = plan_admission(existing, context.sessions, now=now)
        await end_sessions(context, records, surplus, reason=Reason.SESSION_LIMIT, actor=SERVER)
    session_id = new_identifier()
    secret, refresh_token = _secrets(context, session_id, request.credential)
    session = begin(
        context.sessions,
        session_id=session_id,
        user_id=user.id,
        secret=secret,
        methods=methods,
        client=request.client,
        scope=request.scope,
        binding=binding_of(request.client, context.sessions),
        now=now,
    )
    await records.add_session(session)
    opened = Opened(
        user=user, session=session, secret=secret, refresh_token=refresh_token, at=context.clock()
    )
    await _add_refresh_token(context, records, opened)
    return opened


async def renew_session(
    context: Context, records: Records, user: User, *, session_id: str, client: Client
) -> Opened:
    """Give a session another secret or other tokens, and its limits anew, inside the caller's transaction.

    Raises:
        InvalidSessionError: If it has ended.
    """
    now = context.clock()
    session = await records.find_session(session_id)
    if session is None or not is_alive(session, now):
        raise InvalidSessionError(detail="it ended before it was renewed")
    secret, refresh_token = _secrets(context, session.id, "tokens" if session.digest is None else "cookie")
    renewed = renew(session, context.sessions, secret=secret, client=client, now=now)
    if not await records.renew_session(
        session.id, old_digest=session.digest, new_digest=renewed.digest, session=renewed
    ):
        raise InvalidSessionError(detail="it was renewed by another request at the same time")
    await records.forget_refresh_tokens(session.id)
    own: tuple[Kind, str] = ("session", session.id)
    await void_earlier(context, records, own, reason=Reason.RENEWED, actor=by_user(user.id))
    opened = Opened(
        user=user, session=renewed, secret=secret, refresh_token=refresh_token, at=context.clock()
    )
    await _add_refresh_token(context, records, opened)
    return opened


def _secrets(context: Context, session_id: str, credential: Credential) -> tuple[str | None, str | None]:
    """Return a new secret for the cookie, or a new refresh token: one of the two."""
    if credential == "cookie":
        return new_token(), None
    return None, make_token(context.sealer, session_id)


async def _add_refresh_token(context: Context, records: Records, opened: Opened) -> None:
    if opened.refresh_token is None:
        return
    session = opened.session
    client = client_digest(session.client, FIRST_PARTY)
    record = next_token(
        opened.refresh_token, session, client=client, policy=context.refresh, now=context.clock()
    )
    await records.add_refresh_token(record)


async def hand_out(context: Context, opened: Opened, *, device: str | None) -> SignedIn:
    """Return a committed session's credentials."""
    tokens = None
    if opened.refresh_token is not None:
        tokens = await token_response(
            context, opened.user, opened.session, refresh_token=opened.refresh_token, at=opened.at
        )
    return SignedIn(
        user=opened.user,
        session=opened.session,
        secret=opened.secret,
        tokens=tokens,
        device=remember(context.sealer, device, opened.user.id),
    )


async def token_response(
    context: Context, user: User, session: Session, *, refresh_token: str, at: float
) -> TokenResponse:
    """Return a new access token beside a refresh token, when both are committed.

    Args:
        context: What signs.
        user: The user, as the transaction read it.
        session: The session, likewise.
        refresh_token: The refresh token.
        at: When the transaction had read them. Whatever changes them later cuts off what was issued by then: were it
            the time after the commit instead, a token could say of itself that it is younger than a change that it
            knows nothing of.
    """
    # This process has just committed, so the ledger is now known up to there: the cut-off of a moment ago too.
    await context.ledger.catch_up()
    remaining = int(int(session.ends_at) - at)
    return TokenResponse(
        access_token=await context.access_tokens.issue(user, session, at=at),
        expires_in=min(context.access_tokens.lifetime, remaining),
        refresh_token=refresh_token,
        scope=" ".join(sorted(granted_scopes(user, session))),
    )
