"""The sessions of clients: opened when a code is exchanged, below the session in which the user granted it.

One that is online ends with that session, and is as old as it may get. One that is offline stands for itself, by the
policy of refresh tokens. A client that asks again in the same browser session gets the same one: to the user it is one
thing that they can revoke, and the client knows it again by its ``sid``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from ...accounts.model import User
from ...identity import Client
from ...oauth.errors import InvalidGrantError
from ...oauth.grants.per_api import at_each, both
from ...oauth.model import AuthorizationCode, Grant
from ...sessions.lifecycle import begin, is_alive, needs_touch
from ...sessions.model import Session

if TYPE_CHECKING:
    from ..context import Context
    from ..ports import Records

__all__ = ["OpenedForClient", "open_for_client"]

_ENDED = "The code does not work (any more)."


class OpenedForClient(msgspec.Struct, frozen=True, kw_only=True):
    """A client's session, as the transaction leaves it.

    Attributes:
        user: Who granted it.
        session: It.
        parent: The session that it ends with; ``None`` if it stands for itself.
        grant: What was granted in it, by this code and by earlier ones.
    """

    user: User
    session: Session
    parent: Session | None
    grant: Grant


async def open_for_client(
    context: Context, records: Records, code: AuthorizationCode, *, client: Client
) -> OpenedForClient:
    """Open the session that a code stands for, or take the one that is there, inside the caller's transaction.

    Args:
        context: The limits.
        records: The transaction, in which the code was consumed.
        code: The code.
        client: What the request showed of itself.

    Raises:
        InvalidGrantError: If the client, the user, or the session in which they granted it, is gone or was ended in
            between.
    """
    now = context.clock()
    # Between its authentication and this transaction, a client may have been switched off.
    registered = await records.find_client(code.client_id)
    if registered is None or registered.disabled_at is not None:
        raise InvalidGrantError(_ENDED, detail=f"client {code.client_id}: it is gone or disabled")
    user = await records.find_user(code.user_id)
    if user is None or user.disabled_at is not None:
        raise InvalidGrantError(_ENDED, detail=f"client {code.client_id}: the user is gone or disabled")
    granted_in = await records.find_session(code.parent_id)
    if granted_in is None or granted_in.user_id != user.id or not is_alive(granted_in, now):
        detail = f"client {code.client_id}: the session in which it was granted has ended"
        raise InvalidGrantError(_ENDED, detail=detail)
    parent = None if code.offline else await _used(context, records, granted_in, now=now)
    old = await records.find_session(code.session_id)
    # What was granted before, was in that session: where there is none yet, nothing was.
    grant = _joined(None if old is None else await records.find_grant(old.id), code, now=now)
    fresh = _fresh(context, code, parent=parent, client=client, now=now)
    session = await _opened(records, replace(fresh, scope=" ".join(grant.scope)), old, joins=code.joins)
    await records.put_grant(grant)
    return OpenedForClient(user=user, session=session, parent=parent, grant=grant)


async def _used(context: Context, records: Records, session: Session, *, now: float) -> Session:
    if not needs_touch(session, context.sessions, now=now):
        return session
    await records.touch_session(session.id, now)
    return replace(session, last_seen_at=max(now, session.last_seen_at))


async def _opened(records: Records, fresh: Session, old: Session | None, *, joins: bool) -> Session:
    """Return the client's session, new or as it is after this sign-in.

    One that ended is never opened again: its name is in the ledger, so that all its tokens would be void, and would
    come to life when the ledger forgets it.
    """
    if old is None:
        if joins:
            raise InvalidGrantError(
                _ENDED, detail=f"client {fresh.client_id}: the session that it joins ended meanwhile"
            )
        await records.add_session(fresh)
        return fresh
    if (old.client_id, old.user_id, old.parent_id) != (fresh.client_id, fresh.user_id, fresh.parent_id):
        raise InvalidGrantError(_ENDED, detail=f"client {fresh.client_id}: the session is not its own")
    if old.authenticated_at > fresh.authenticated_at:  # a code that was asked for before the last sign-in
        fresh = replace(fresh, authenticated_at=old.authenticated_at, methods=old.methods)
    session = replace(fresh, created_at=old.created_at, data=old.data, data_revision=old.data_revision)
    if not await records.renew_session(session.id, old_digest=None, new_digest=None, session=session):
        raise InvalidGrantError(_ENDED, detail=f"client {fresh.client_id}: the session ended meanwhile")
    return session


def _fresh(
    context: Context, code: AuthorizationCode, *, parent: Session | None, client: Client, now: float
) -> Session:
    begun = begin(
        context.sessions,
        session_id=code.session_id,
        user_id=code.user_id,
        secret=None,
        methods=code.methods,
        client=client,
        scope=" ".join(code.scope),
        binding=None,
        now=now,
    )
    limits = context.refresh
    return replace(
        begun,
        client_id=code.client_id,
        parent_id=None if parent is None else parent.id,
        authenticated_at=code.authenticated_at,
        expires_at=now + limits.lifetime.total_seconds() if parent is None else parent.expires_at,
        idle_timeout=limits.idle_timeout.total_seconds() if parent is None else parent.idle_timeout,
    )


def _joined(old: Grant | None, code: AuthorizationCode, *, now: float) -> Grant:
    """Return what was granted in a session: what this code says, and what was granted in it before."""
    scope, audiences, by_api = code.scope, code.audiences, at_each(code.scope, code.audiences)
    if old is not None:
        by_api = both(by_api, old.by_api)
        scope += tuple(each for each in old.scope if each not in scope)
        audiences += tuple(each for each in old.audiences if each not in audiences)
    return Grant(
        session_id=code.session_id,
        user_id=code.user_id,
        client_id=code.client_id,
        scope=scope,
        audiences=audiences,
        by_api=by_api,
        claims=code.request.claims,
        offline=code.offline,
        created_at=now if old is None else old.created_at,
    )
