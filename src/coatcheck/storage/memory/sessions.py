"""Sessions and refresh tokens, in memory."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ...identity import FIRST_PARTY
from ...sessions.model import RefreshToken, Session
from .state import MemoryTable, State, require

__all__ = ["RefreshTokenTable", "SessionTable"]


class SessionTable(MemoryTable):
    """Satisfies ``sessions.ports.SessionRecords``."""

    async def add_session(self, session: Session) -> None:
        """Add a session."""

        def add(state: State) -> None:
            require(session.id not in state.sessions, "sessions.id")
            require(state.session_of_digest(session.digest) is None, "sessions.digest")
            require(session.user_id in state.users, "sessions.user_id")
            state.sessions[session.id] = session

        await self._source.write(add)

    async def find_session(self, session_id: str) -> Session | None:
        """Return the session of that identifier."""
        return self._state.sessions.get(session_id)

    async def find_session_by_digest(self, digest: bytes) -> Session | None:
        """Return the session whose cookie has that digest."""
        return self._state.session_of_digest(digest)

    async def list_sessions(self, user_id: str) -> list[Session]:
        """Return a user's sessions, the most recently used first."""
        found = [session for session in self._state.sessions.values() if session.user_id == user_id]
        return sorted(found, key=lambda session: (-session.last_seen_at, -session.created_at, session.id))

    async def list_child_sessions(self, session_ids: Sequence[str]) -> list[Session]:
        """Return the sessions that were granted to clients in these, and end with them."""
        found = [session for session in self._state.sessions.values() if session.parent_id in session_ids]
        return sorted(found, key=lambda session: (session.parent_id or "", session.id))

    async def renew_session(
        self, session_id: str, *, old_digest: bytes | None, new_digest: bytes | None, session: Session
    ) -> bool:
        """Replace a session's record if its digest still is ``old_digest``."""

        def renew(state: State) -> bool:
            old = state.sessions.get(session_id)
            if old is None or old.digest != old_digest:
                return False
            holder = state.session_of_digest(new_digest)
            require(holder is None or holder.id == session_id, "sessions.digest")
            state.sessions[session_id] = msgspec.structs.replace(
                session,
                id=old.id,
                user_id=old.user_id,
                digest=new_digest,
                created_at=old.created_at,
                client_id=old.client_id,
                parent_id=old.parent_id,
                data=old.data,
                data_revision=old.data_revision,
            )
            return True

        return await self._source.write(renew)

    async def touch_session(self, session_id: str, at: float) -> None:
        """Note that the session was used. Never moves back."""

        def touch(state: State) -> None:
            session = state.sessions.get(session_id)
            if session is not None and session.last_seen_at < at:
                state.sessions[session_id] = msgspec.structs.replace(session, last_seen_at=at)

        await self._source.write(touch)

    async def write_session_data(self, session_id: str, data: bytes, *, revision: int) -> bool:
        """Replace the attached data if its revision still is ``revision``."""

        def write(state: State) -> bool:
            session = state.sessions.get(session_id)
            if session is None or session.data_revision != revision:
                return False
            state.sessions[session_id] = msgspec.structs.replace(
                session, data=data, data_revision=revision + 1
            )
            return True

        return await self._source.write(write)

    async def list_longer_sessions(
        self, *, lifetime: float, idle_timeout: float, after: str, limit: int
    ) -> list[Session]:
        """Return sessions that may last longer than that, in the order of their identifiers."""
        longer = [
            session
            for session in self._state.sessions.values()
            if session.expires_at > session.authenticated_at + lifetime or session.idle_timeout > idle_timeout
        ]
        longer.sort(key=lambda session: session.id)
        return [session for session in longer if session.id > after][:limit]

    async def shorten_sessions(
        self, session_ids: Sequence[str], *, lifetime: float, idle_timeout: float
    ) -> None:
        """Let sessions last no longer than that."""

        def shorten(state: State) -> None:
            for session in [state.sessions[each] for each in session_ids if each in state.sessions]:
                state.sessions[session.id] = msgspec.structs.replace(
                    session,
                    expires_at=min(session.expires_at, session.authenticated_at + lifetime),
                    idle_timeout=min(session.idle_timeout, idle_timeout),
                )

        await self._source.write(shorten)

    async def delete_sessions(self, session_ids: Sequence[str]) -> list[str]:
        """Delete sessions with their refresh tokens; return those that were there."""
        return await self._source.write(
            lambda state: [each for each in session_ids if state.delete_session(each)]
        )

    async def delete_all_sessions(self, now: float, *, begun_before: float | None = None) -> int:
        """End all sessions, or those that began before an instant; return how many had not ended by time."""

        def delete(state: State) -> int:
            ended = [
                session
                for session in state.sessions.values()
                if begun_before is None or session.created_at < begun_before
            ]
            names = {session.id for session in ended}
            state.ended_client_sessions |= {each.id: each for each in ended if each.client_id != FIRST_PARTY}
            state.sessions = {name: each for name, each in state.sessions.items() if name not in names}
            state.refresh_tokens = {
                digest: each for digest, each in state.refresh_tokens.items() if each.session_id not in names
            }
            state.grants = {name: each for name, each in state.grants.items() if name not in names}
            return sum(session.ends_at > now for session in ended)

        return await self._source.write(delete)

    async def delete_expired_sessions(self, now: float, *, limit: int) -> int:
        """Delete up to ``limit`` sessions that have ended by time, the oldest first; return how many."""

        def delete(state: State) -> int:
            ended = [session for session in state.sessions.values() if session.ends_at <= now]
            ended.sort(key=lambda session: session.ends_at)
            return sum(state.delete_session(session.id) for session in ended[:limit])

        return await self._source.write(delete)

    async def list_ended_client_sessions(self, *, limit: int) -> list[Session]:
        """Return up to ``limit`` sessions of clients that were ended all at once and are still kept."""
        return list(self._state.ended_client_sessions.values())[:limit]

    async def forget_ended_client_sessions(self, session_ids: Sequence[str]) -> None:
        """Delete what is kept of such sessions."""

        def forget(state: State) -> None:
            for each in session_ids:
                state.ended_client_sessions.pop(each, None)

        await self._source.write(forget)


class RefreshTokenTable(MemoryTable):
    """Satisfies ``sessions.ports.RefreshTokenRecords``."""

    async def add_refresh_token(self, token: RefreshToken) -> None:
        """Add a token."""

        def add(state: State) -> None:
            require(token.digest not in state.refresh_tokens, "refresh_tokens.digest")
            require(token.session_id in state.sessions, "refresh_tokens.session_id")
            state.refresh_tokens[token.digest] = token

        await self._source.write(add)

    async def find_refresh_token(self, digest: bytes) -> RefreshToken | None:
        """Return the token of that digest."""
        return self._state.refresh_tokens.get(digest)

    async def rotate_refresh_token(self, digest: bytes, *, at: float, sealed_successor: bytes) -> bool:
        """Mark a token as exchanged, if it is not yet."""

        def rotate(state: State) -> bool:
            token = state.refresh_tokens.get(digest)
            if token is None or token.rotated_at is not None:
                return False
            state.refresh_tokens[digest] = msgspec.structs.replace(
                token, rotated_at=at, sealed_successor=sealed_successor
            )
            return True

        return await self._source.write(rotate)

    async def forget_refresh_tokens(self, session_id: str, *, rotated_before: float | None = None) -> None:
        """Delete the tokens of a session that were exchanged before then, or all of them."""

        def is_meant(token: RefreshToken) -> bool:
            if token.session_id != session_id or rotated_before is None:
                return token.session_id == session_id
            return token.rotated_at is not None and token.rotated_at < rotated_before

        def forget(state: State) -> None:
            for digest, token in list(state.refresh_tokens.items()):
                if is_meant(token):
                    del state.refresh_tokens[digest]

        await self._source.write(forget)
