"""The sessions, in SQL.

A session is there if its row is of the current generation. To end all of them is therefore one statement that counts
one up, and their rows are deleted little by little, with what has expired: to delete a million rows takes many seconds,
in which nobody else could write.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ...identity import Client
from ...sessions.model import Session
from .access import Parameters, Row, SQLTable

__all__ = ["SessionTable", "session_from"]

_SELECT = """
SELECT id, user_id, digest, profile, created_at, authenticated_at, methods, last_seen_at, idle_timeout, expires_at,
       address, user_agent, scope, binding, data, data_revision, client_id, parent_id
FROM sessions"""
# The plus sign: it is never by its generation that a session is searched for, there are too many in one.
_THERE = ' AND +generation = (SELECT number FROM session_generation WHERE "only" = 1)'
_FIND = _SELECT + " WHERE id = :id" + _THERE
_FIND_BY_DIGEST = _SELECT + " WHERE digest = :digest" + _THERE
_LIST = _SELECT + " WHERE user_id = :user_id" + _THERE + " ORDER BY last_seen_at DESC, created_at DESC, id"
_LIST_CHILDREN = _SELECT + " WHERE parent_id = :parent_id" + _THERE + " ORDER BY id"
_ADD = """
INSERT INTO sessions (
    id, user_id, digest, profile, created_at, authenticated_at, methods, last_seen_at, idle_timeout, expires_at,
    address, user_agent, scope, binding, data, data_revision, client_id, parent_id, generation
) VALUES (
    :id, :user_id, :digest, :profile, :created_at, :authenticated_at, :methods, :last_seen_at, :idle_timeout,
    :expires_at, :address, :user_agent, :scope, :binding, :data, :data_revision, :client_id, :parent_id,
    (SELECT number FROM session_generation WHERE "only" = 1)
)"""
_RENEW = (
    """
UPDATE sessions
SET digest = :digest, profile = :profile, authenticated_at = :authenticated_at, methods = :methods,
    last_seen_at = :last_seen_at, idle_timeout = :idle_timeout, expires_at = :expires_at,
    address = :address, user_agent = :user_agent, scope = :scope, binding = :binding
WHERE id = :id AND (digest = :old_digest OR (digest IS NULL AND :old_digest IS NULL))"""
    + _THERE
)
_TOUCH = """
UPDATE sessions SET last_seen_at = :at
WHERE id = :id AND last_seen_at < :at
    AND +generation = (SELECT number FROM session_generation WHERE "only" = 1)"""
_WRITE_DATA = (
    """
UPDATE sessions SET data = :data, data_revision = data_revision + 1
WHERE id = :id AND data_revision = :revision"""
    + _THERE
)
# Sums of times are no more exact than a millionth of a second: a thousandth more is no more. Whether any session may
# last longer is told by two indexes; only if one may, all are looked through.
_LONGEST = """
SELECT (SELECT max(expires_at - authenticated_at) FROM sessions), (SELECT max(idle_timeout) FROM sessions)"""
_LEAST_DIFFERENCE = 0.001  # seconds
_LIST_LONGER = (
    _SELECT
    + """
WHERE id > :after AND (expires_at > authenticated_at + :lifetime + 0.001 OR idle_timeout > :idle_timeout + 0.001)"""
    + _THERE
    + " ORDER BY id LIMIT :limit"
)
_SHORTEN = """
UPDATE sessions
SET expires_at = CASE
        WHEN expires_at > authenticated_at + :lifetime THEN authenticated_at + :lifetime ELSE expires_at
    END,
    idle_timeout = CASE WHEN idle_timeout > :idle_timeout THEN :idle_timeout ELSE idle_timeout END
WHERE id = :id"""
_DELETE = """
DELETE FROM sessions
WHERE id = :id AND +generation = (SELECT number FROM session_generation WHERE "only" = 1)"""
_COUNT = """
SELECT count(*) FROM sessions
WHERE ends_at > :now AND generation = (SELECT number FROM session_generation WHERE "only" = 1)"""
_COUNT_BEGUN = """
SELECT count(*) FROM sessions
WHERE ends_at > :now AND created_at < :before
    AND generation = (SELECT number FROM session_generation WHERE "only" = 1)"""
_CARRY_OVER = """
UPDATE sessions SET generation = generation + 1
WHERE created_at >= :before AND generation = (SELECT number FROM session_generation WHERE "only" = 1)"""
_COUNT_UP = 'UPDATE session_generation SET number = number + 1 WHERE "only" = 1'
_DELETE_EXPIRED = """
DELETE FROM sessions WHERE id IN (
    SELECT id FROM sessions
    WHERE (generation, ends_at) <= ((SELECT number FROM session_generation WHERE "only" = 1), :now)
    ORDER BY generation, ends_at LIMIT :limit /* what nobody else is just taking */
)"""
# The condition on the client stands here as it does in the index: without it, SQLite would not use it.
_BEFORE = ' AND generation < (SELECT number FROM session_generation WHERE "only" = 1)'
_LIST_ENDED = (
    _SELECT + " WHERE client_id <> 'first-party'" + _BEFORE + " ORDER BY generation, id LIMIT :limit"
)
_FORGET_ENDED = """
DELETE FROM sessions
WHERE id = :id AND client_id <> 'first-party'
    AND +generation < (SELECT number FROM session_generation WHERE "only" = 1)"""

_encode_methods = msgspec.json.Encoder().encode
_decode_methods = msgspec.json.Decoder(tuple[str, ...]).decode


def _parameters(session: Session) -> dict[str, str | bytes | int | float | None]:
    return {
        "id": session.id,
        "user_id": session.user_id,
        "digest": session.digest,
        "profile": session.profile,
        "created_at": session.created_at,
        "authenticated_at": session.authenticated_at,
        "methods": _encode_methods(session.methods).decode(),
        "last_seen_at": session.last_seen_at,
        "idle_timeout": session.idle_timeout,
        "expires_at": session.expires_at,
        "address": session.client.address,
        "user_agent": session.client.user_agent,
        "scope": session.scope,
        "binding": session.binding,
        "data": session.data,
        "data_revision": session.data_revision,
        "client_id": session.client_id,
        "parent_id": session.parent_id,
    }


def session_from(row: Row) -> Session:
    """Return the session of a row whose columns are in the order of ``_SELECT``."""
    # Unpacked by position, in the order of _SELECT: every request with a cookie comes through here.
    return Session(
        id=row[0],
        user_id=row[1],
        digest=row[2],
        profile=row[3],
        created_at=row[4],
        authenticated_at=row[5],
        methods=_decode_methods(row[6]),
        last_seen_at=row[7],
        idle_timeout=row[8],
        expires_at=row[9],
        client=Client(address=row[10], user_agent=row[11]),
        scope=row[12],
        binding=row[13],
        data=row[14],
        data_revision=row[15],
        client_id=row[16],
        parent_id=row[17],
    )


class SessionTable(SQLTable):
    """Satisfies ``sessions.ports.SessionRecords``."""

    async def add_session(self, session: Session) -> None:
        """Add a session."""
        await self._access.change(_ADD, _parameters(session))

    async def find_session(self, session_id: str) -> Session | None:
        """Return the session of that identifier."""
        row = await self._access.row(_FIND, {"id": session_id})
        return None if row is None else session_from(row)

    async def find_session_by_digest(self, digest: bytes) -> Session | None:
        """Return the session whose cookie has that digest."""
        row = await self._access.row(_FIND_BY_DIGEST, {"digest": digest})
        return None if row is None else session_from(row)

    async def list_sessions(self, user_id: str) -> list[Session]:
        """Return a user's sessions, the most recently used first."""
        return [session_from(row) for row in await self._access.rows(_LIST, {"user_id": user_id})]

    async def list_child_sessions(self, session_ids: Sequence[str]) -> list[Session]:
        """Return the sessions that were granted to clients in these, and end with them."""
        found = await self._access.rows_each(_LIST_CHILDREN, [{"parent_id": each} for each in session_ids])
        return [session_from(row) for rows in found for row in rows]

    async def renew_session(
        self, session_id: str, *, old_digest: bytes | None, new_digest: bytes | None, session: Session
    ) -> bool:
        """Replace a session's record if its digest still is ``old_digest``."""
        parameters: Parameters = _parameters(session) | {
            "id": session_id,
            "digest": new_digest,
            "old_digest": old_digest,
        }
        return await self._access.change(_RENEW, parameters) == 1

    async def touch_session(self, session_id: str, at: float) -> None:
        """Note that the session was used. Never moves back."""
        await self._access.change(_TOUCH, {"id": session_id, "at": at})

    async def write_session_data(self, session_id: str, data: bytes, *, revision: int) -> bool:
        """Replace the attached data if its revision still is ``revision``."""
        parameters: Parameters = {"id": session_id, "data": data, "revision": revision}
        return await self._access.change(_WRITE_DATA, parameters) == 1

    async def list_longer_sessions(
        self, *, lifetime: float, idle_timeout: float, after: str, limit: int
    ) -> list[Session]:
        """Return sessions that may last longer than that, in the order of their identifiers."""
        longest, longest_idle = await self._access.row(_LONGEST, {}) or (None, None)
        if longest is None or (
            longest <= lifetime + _LEAST_DIFFERENCE / 2 and longest_idle <= idle_timeout + _LEAST_DIFFERENCE
        ):
            return []
        parameters: Parameters = {
            "lifetime": lifetime,
            "idle_timeout": idle_timeout,
            "after": after,
            "limit": limit,
        }
        return [session_from(row) for row in await self._access.rows(_LIST_LONGER, parameters)]

    async def shorten_sessions(
        self, session_ids: Sequence[str], *, lifetime: float, idle_timeout: float
    ) -> None:
        """Let sessions last no longer than that."""
        limits: dict[str, str | float] = {"lifetime": lifetime, "idle_timeout": idle_timeout}
        await self._access.change_each(_SHORTEN, [{**limits, "id": each} for each in session_ids])

    async def delete_sessions(self, session_ids: Sequence[str]) -> list[str]:
        """Delete sessions; return those that were there. Their refresh tokens go by the foreign key."""
        counts = await self._access.change_each(_DELETE, [{"id": each} for each in session_ids])
        return [each for each, count in zip(session_ids, counts, strict=True) if count]

    async def delete_all_sessions(self, now: float, *, begun_before: float | None = None) -> int:
        """End all sessions, or those that began before an instant. Only inside a transaction is it one step."""
        if begun_before is None:
            row = await self._access.row(_COUNT, {"now": now})
        else:
            row = await self._access.row(_COUNT_BEGUN, {"now": now, "before": begun_before})
            await self._access.change(_CARRY_OVER, {"before": begun_before})
        await self._access.change(_COUNT_UP, {})
        return 0 if row is None else int(row[0])

    async def delete_expired_sessions(self, now: float, *, limit: int) -> int:
        """Delete up to ``limit`` sessions that have ended by time or all at once; return how many."""
        return await self._access.change(_DELETE_EXPIRED, {"now": now, "limit": limit})

    async def list_ended_client_sessions(self, *, limit: int) -> list[Session]:
        """Return up to ``limit`` sessions of clients that were ended all at once and are still kept."""
        return [session_from(row) for row in await self._access.rows(_LIST_ENDED, {"limit": limit})]

    async def forget_ended_client_sessions(self, session_ids: Sequence[str]) -> None:
        """Delete what is kept of such sessions."""
        await self._access.change_each(_FORGET_ENDED, [{"id": each} for each in session_ids])
