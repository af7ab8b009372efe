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

from ..identity import Identity
from ..revocation.model import Kind
from ..sessions.lifecycle import is_alive
from .context import Context
from .model import Device
from .ports import Records
from .recency import require_recent

__all__ = [
    "ADMINISTRATOR",
    "SERVER",
    "Ending",
    "Reason",
    "by_user",
    "end_all_sessions",
    "end_sessions",
    "revoke",
    "void_earlier",
]

_log = logging.getLogger("coatcheck.sessions")

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
    for kind, value in named:
        _log.info("%s %s ended: %s, by %s", kind, value, reason.value, actor)


async def end_sessions(
    context: Context, records: Records, session_ids: Iterable[str], *, reason: Reason, actor: str
) -> list[str]:
    """End sessions, inside the transaction of what causes it. Returns those that had not ended before."""
    session_ids = list(session_ids)
    owners = await context.signals.owners_of(records, session_ids)
    ended = await records.delete_sessions(session_ids)
    named: list[tuple[Kind, str]] = [("session", each) for each in ended]
    await revoke(context, records, named, reason=reason, actor=actor, owners=owners)
    return ended


async def end_all_sessions(
    context: Context, records: Records, user_id: str, *, reason: Reason, actor: str, but: str | None = None
) -> list[str]:
    """End all sessions of a user, except perhaps one."""
    sessions = await records.list_sessions(user_id)
    named = [each.id for each in sessions if each.id != but]
    return await end_sessions(context, records, named, reason=reason, actor=actor)


async def void_earlier(
    context: Context, records: Records, named: tuple[Kind, str], *, reason: Reason, actor: str
) -> None:
    """End what was issued until now, inside the transaction of what causes it, and nothing that comes later."""
    await revoke(context, records, [named], reason=reason, actor=actor, cutoff=context.clock())


class Ending:
    """What people do to their own sessions."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def list_devices(self, identity: Identity) -> list[Device]:
        """Return the sessions of the one who asks, the current one first, then the most recently used."""
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
            if is_alive(session, now)
        ]
        return sorted(devices, key=lambda device: not device.is_current)

    async def sign_out(self, identity: Identity) -> None:
        """End the session that asks."""
        async with self._context.storage.transaction() as records:
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
        async with self._context.storage.transaction() as records:
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
        async with self._context.storage.transaction() as records:
            actor = by_user(identity.id)
            ended = await end_all_sessions(
                self._context, records, identity.id, reason=Reason.ENDED_BY_USER, actor=actor, but=but
            )
            return len(ended)
