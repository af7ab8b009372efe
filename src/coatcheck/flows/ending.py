"""The end of access. Whatever ends access comes through ``revoke``: there is no other way.

It writes down in the ledger, once, what ended, in the same transaction as what caused it. A session's end is, besides,
the deletion of its record. Sessions are ended one by one, by their names, even where all of a user's end at once: a
name is exact, while an instant could not tell a token that was issued a moment before from one that was issued a moment
after. Instants, the cut-offs, are for what has no name here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from enum import StrEnum

from ..identity import FIRST_PARTY, Identity
from ..revocation.model import Kind
from ..sessions.lifecycle import is_alive
from ..sessions.model import Session
from .context import Context
from .model import Device
from .ports import Records
from .provider.back_channel import queue_logouts
from .recency import require_recent

__all__ = [
    "ADMINISTRATOR",
    "SERVER",
    "Ending",
    "Reason",
    "by_user",
    "end_all_sessions",
    "end_client",
    "end_sessions",
    "revoke",
    "void_earlier",
]

_log = logging.getLogger("coatcheck.sessions")
_BATCH = 500

ADMINISTRATOR = "administrator"
"""The actor where somebody at the command line did it."""

SERVER = "server"
"""The actor where nobody did it but a rule."""


def by_user(user_id: str) -> str:
    """Return a user as an actor."""
    return f"user:{user_id}"


class Reason(StrEnum):
    """Why access ended."""

    SIGNED_OUT = "signed-out"
    ENDED_BY_USER = "ended-by-user"
    ENDED_BY_ADMINISTRATOR = "ended-by-administrator"
    REPLACED = "replaced"
    RENEWED = "renewed"
    SESSION_LIMIT = "session-limit"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - a reason
    EMAIL_CHANGED = "email-changed"
    PERMISSIONS_CHANGED = "permissions-changed"
    DEACTIVATED = "deactivated"
    DELETED = "deleted"
    REFRESH_REUSED = "refresh-token-reused"
    BOUND_ELSEWHERE = "bound-elsewhere"
    POLICY_CHANGED = "policy-changed"
    KEY_COMPROMISED = "key-compromised"
    CODE_REPLAYED = "code-replayed"
    GRANT_REVOKED = "grant-revoked"
    CLIENT_REMOVED = "client-removed"


async def revoke(
    context: Context,
    records: Records,
    named: Iterable[tuple[Kind, str]],
    *,
    reason: Reason,
    actor: str,
    cutoff: float | None = None,
    owners: Mapping[str, str] | None = None,
) -> None:
    """End access, inside the transaction of what causes it: the one function that does.

    Args:
        context: The ledger.
        records: The transaction.
        named: What ends: kinds and values. Sessions among them have been deleted in the same transaction, unless there
            is a cut-off.
        reason: Why.
        actor: Who did it.
        cutoff: End only what was issued before this instant; by default all.
        owners: Whose the sessions among them were, for those who are told.
    """
    named = list(named)
    await context.ledger.append(records, named, reason=reason.value, actor=actor, cutoff=cutoff)
    await context.signals.revoked(
        records, named, reason=reason.value, actor=actor, cutoff=cutoff, owners=owners
    )
    context.counts.revoked(kind for kind, _ in named)
    for kind, value in named:
        _log.info("%s %s ended: %s, by %s", kind, value, reason.value, actor)


async def end_sessions(
    context: Context, records: Records, session_ids: Iterable[str], *, reason: Reason, actor: str
) -> list[str]:
    """End sessions, inside the transaction of what causes it, and with them those that were granted to clients in them.

    Each has an entry of its own in the ledger: tokens know the session that they come from, and not the one above it.

    Returns:
        Those that had not ended before.
    """
    session_ids = list(session_ids)
    if not session_ids:
        return []
    children = await records.list_child_sessions(session_ids)
    # A child is named before the session that it would go with.
    below = [each.id for each in children]
    session_ids = [*below, *(each for each in session_ids if each not in below)]
    owners = await context.signals.owners_of(records, session_ids)
    await queue_logouts(context, records, await _of_clients(records, session_ids, known=children))
    ended = await records.delete_sessions(session_ids)
    named: list[tuple[Kind, str]] = [("session", each) for each in ended]
    await revoke(context, records, named, reason=reason, actor=actor, owners=owners)
    return ended


async def _of_clients(
    records: Records, session_ids: Iterable[str], *, known: Iterable[Session]
) -> list[Session]:
    """Return the sessions among these that clients have their tokens from: those who are told of the end."""
    found = {each.id: each for each in known}
    sessions = [found.get(each) or await records.find_session(each) for each in session_ids]
    return [each for each in sessions if each is not None and each.client_id != FIRST_PARTY]


async def end_all_sessions(
    context: Context,
    records: Records,
    user_id: str,
    *,
    reason: Reason,
    actor: str,
    but: str | None = None,
    and_its_grants: bool = False,
) -> list[str]:
    """End all sessions of a user, except perhaps one, and perhaps what was granted to clients in that one."""
    sessions = await records.list_sessions(user_id)
    kept = {each.id for each in sessions if but is not None and each.id == but}
    if and_its_grants:
        kept |= {each.id for each in sessions if each.parent_id in kept}
    named = [each.id for each in sessions if each.id not in kept]
    return await end_sessions(context, records, named, reason=reason, actor=actor)


async def end_client(context: Context, records: Records, client_id: str, *, actor: str) -> int:
    """End whatever a client got, because it is removed, inside the transaction that removes it.

    One entry says it of all that it got: the client's. Its sessions are deleted without entries of their own, and it is
    not told of them: there is nobody left who could be.

    Args:
        context: What flows share.
        records: The transaction. The client has not been deleted in it yet.
        client_id: Which.
        actor: Who does it.

    Returns:
        How many sessions that ended.
    """
    count = 0
    while session_ids := await records.list_client_sessions(client_id, limit=_BATCH):
        count += len(await records.delete_sessions(session_ids))
    await revoke(context, records, [("client", client_id)], reason=Reason.CLIENT_REMOVED, actor=actor)
    return count


async def void_earlier(
    context: Context, records: Records, named: tuple[Kind, str], *, reason: Reason, actor: str
) -> None:
    """End what was issued until now, inside the transaction of what causes it, and nothing that comes later.

    Tokens of clients that know users by a name of their own do not say whose they are. They say from which session.
    """
    ended = [named]
    if named[0] == "user":
        ended += [("session", each) for each in await _pairwise_sessions(records, named[1])]
    await revoke(context, records, ended, reason=reason, actor=actor, cutoff=context.clock())


async def _pairwise_sessions(records: Records, user_id: str) -> list[str]:
    sessions = [each for each in await records.list_sessions(user_id) if each.client_id != FIRST_PARTY]
    clients = {each: await records.find_client(each) for each in {each.client_id for each in sessions}}
    pairwise = {
        name for name, each in clients.items() if each is not None and each.subject_type == "pairwise"
    }
    return [each.id for each in sessions if each.client_id in pairwise]


class Ending:
    """What people do to their own sessions."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def list_devices(self, identity: Identity) -> list[Device]:
        """Return the sessions of the one who asks, the current one first, then the most recently used.

        What they granted to clients is no place where they are signed in.
        """
        now = self._context.clock()
        sessions = await self._context.storage.records.list_sessions(identity.id)
        devices = [
            Device(
                session_id=session.id,
                kind=session.kind,
                client=session.client,
                created_at=session.created_at,
                authenticated_at=session.authenticated_at,
                last_seen_at=session.last_seen_at,
                ends_at=session.ends_at,
                methods=session.methods,
                is_current=session.id == identity.session_id,
            )
            for session in sessions
            if is_alive(session, now) and session.client_id == FIRST_PARTY
        ]
        return sorted(devices, key=lambda device: not device.is_current)

    async def sign_out(self, identity: Identity) -> None:
        """End the session that asks."""
        async with self._context.storage.transaction(identity.id) as records:
            await end_sessions(
                self._context,
                records,
                [identity.session_id],
                reason=Reason.SIGNED_OUT,
                actor=by_user(identity.id),
            )

    async def end(self, identity: Identity, session_id: str) -> bool:
        """End one session of the one who asks. Of others' sessions it knows nothing.

        Raises:
            RecentSignInNeededError: If the sign-in is too long ago (ASVS 5.0, 7.5.2), unless it is its own session.
        """
        if session_id != identity.session_id:
            require_recent(self._context, identity)
        async with self._context.storage.transaction(identity.id) as records:
            session = await records.find_session(session_id)
            if session is None or session.user_id != identity.id:
                return False
            ended = await end_sessions(
                self._context,
                records,
                [session_id],
                reason=Reason.ENDED_BY_USER,
                actor=by_user(identity.id),
            )
            return bool(ended)

    async def end_others(self, identity: Identity) -> int:
        """End all sessions of the one who asks but the current one; return how many.

        Raises:
            RecentSignInNeededError: If the sign-in is too long ago.
        """
        require_recent(self._context, identity)
        return await self._end_all(identity, but=identity.session_id)

    async def end_everywhere(self, identity: Identity) -> int:
        """Sign out everywhere, here too; return how many sessions that ended.

        Nobody is asked to prove themselves first: who fears a thief shall not be kept waiting, and all that a thief
        could do with it is sign everybody out, themselves included.
        """
        return await self._end_all(identity, but=None)

    async def _end_all(self, identity: Identity, *, but: str | None) -> int:
        async with self._context.storage.transaction(identity.id) as records:
            actor = by_user(identity.id)
            ended = await end_all_sessions(
                self._context,
                records,
                identity.id,
                reason=Reason.ENDED_BY_USER,
                actor=actor,
                but=but,
                and_its_grants=True,
            )
            return len(ended)
