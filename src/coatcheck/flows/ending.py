"""The end of access. Whatever ends a session comes through ``end_sessions``: there is no other way.

A session's end is the deletion of its record, in the same transaction as what caused it. Every credential that comes
from the session, cookie, access token and refresh token alike, is looked up there, so none of them survives it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from enum import StrEnum

from ..identity import Identity
from ..sessions.lifecycle import is_alive
from .context import Context
from .model import Device
from .ports import Records
from .recency import require_recent

__all__ = ["Ending", "Reason", "end_all_sessions", "end_sessions"]

_log = logging.getLogger("coatcheck.sessions")


class Reason(StrEnum):
    """Why a session was ended."""

    SIGNED_OUT = "signed-out"
    ENDED_BY_USER = "ended-by-user"
    ENDED_BY_ADMINISTRATOR = "ended-by-administrator"
    REPLACED = "replaced"
    SESSION_LIMIT = "session-limit"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - a reason
    EMAIL_CHANGED = "email-changed"
    DEACTIVATED = "deactivated"
    DELETED = "deleted"
    REFRESH_REUSED = "refresh-token-reused"
    BOUND_ELSEWHERE = "bound-elsewhere"


async def end_sessions(records: Records, session_ids: Iterable[str], reason: Reason) -> list[str]:
    """End sessions, inside the transaction of what causes it. Returns those that had not ended before."""
    ended = await records.delete_sessions(list(session_ids))
    for session_id in ended:
        _log.info("session %s ended: %s", session_id, reason.value)
    return ended


async def end_all_sessions(
    records: Records, user_id: str, reason: Reason, *, but: str | None = None
) -> list[str]:
    """End all sessions of a user, except perhaps one."""
    sessions = await records.list_sessions(user_id)
    return await end_sessions(records, [each.id for each in sessions if each.id != but], reason)


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
            await end_sessions(records, [identity.session_id], Reason.SIGNED_OUT)

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
            return bool(await end_sessions(records, [session_id], Reason.ENDED_BY_USER))

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
            return len(await end_all_sessions(records, identity.id, Reason.ENDED_BY_USER, but=but))
