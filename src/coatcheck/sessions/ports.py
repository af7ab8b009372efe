"""What sessions need of a storage. Every method is one atomic step.

What must hold together is called inside one transaction of the storage; the methods that return ``bool`` compare and
set in one statement, so that of several callers exactly one is told ``True``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .model import RefreshToken, Session

__all__ = ["RefreshTokenRecords", "SessionRecords"]


class SessionRecords(Protocol):
    """The sessions that have not been ended. Expired ones may still be there: it is the caller who knows the time."""

    async def add_session(self, session: Session) -> None:
        """Add a session. Its ``id`` and ``digest`` are new, its user exists."""
        ...

    async def find_session(self, session_id: str) -> Session | None:
        """Return the session of that identifier."""
        ...

    async def find_session_by_digest(self, digest: bytes) -> Session | None:
        """Return the session whose cookie has that digest."""
        ...

    async def list_sessions(self, user_id: str) -> list[Session]:
        """Return a user's sessions, the most recently used first, expired ones included."""
        ...

    async def list_child_sessions(self, session_ids: Sequence[str]) -> list[Session]:
        """Return the sessions that were granted to clients in these, and end with them."""
        ...

    async def renew_session(
        self, session_id: str, *, old_digest: bytes | None, new_digest: bytes | None, session: Session
    ) -> bool:
        """Replace a session's record if its digest still is ``old_digest``: a new secret after authentication.

        ``session`` is the new record, with ``new_digest`` in it; everything but ``id``, ``user_id``, ``created_at``
        and the attached data (``data``, ``data_revision``) is taken from it.
        """
        ...

    async def touch_session(self, session_id: str, at: float) -> None:
        """Note that the session was used. Never moves back; does nothing if the session has ended."""
        ...

    async def write_session_data(self, session_id: str, data: bytes, *, revision: int) -> bool:
        """Replace the attached data if its revision still is ``revision``, and count one up."""
        ...

    async def list_longer_sessions(
        self, *, lifetime: float, idle_timeout: float, after: str, limit: int
    ) -> list[Session]:
        """Return up to ``limit`` sessions that may last longer than that, in the order of their identifiers.

        Args:
            lifetime: In seconds, from the latest authentication to ``expires_at``.
            idle_timeout: In seconds.
            after: The identifier to begin behind; empty for the first.
            limit: How many at most.
        """
        ...

    async def shorten_sessions(
        self, session_ids: Sequence[str], *, lifetime: float, idle_timeout: float
    ) -> None:
        """Let sessions last no longer than that. Never lengthens one; those that have ended are passed over."""
        ...

    async def delete_sessions(self, session_ids: Sequence[str]) -> list[str]:
        """Delete sessions and all their refresh tokens. Returns those that were there."""
        ...

    async def delete_all_sessions(self, now: float, *, begun_before: float | None = None) -> int:
        """End all sessions with all their refresh tokens, inside a transaction; return how many had not ended by time.

        However many there are, nobody who writes is kept waiting for long: a storage may mark them as ended and delete
        their records later, in ``delete_expired_sessions``. No other method shows one that has ended.

        Args:
            now: The time.
            begun_before: End only those that were made before this instant. That may take longer: at most as long as
                it takes to write those anew that go on.
        """
        ...

    async def delete_expired_sessions(self, now: float, *, limit: int) -> int:
        """Delete up to ``limit`` sessions that have ended by time, with their refresh tokens; return how many.

        What ``delete_all_sessions`` left of others is deleted here too, and counts.
        """
        ...

    async def list_ended_client_sessions(self, *, limit: int) -> list[Session]:
        """Return up to ``limit`` sessions of clients that ``delete_all_sessions`` ended and that are still kept.

        They are kept until they are forgotten, or deleted with what has expired.
        """
        ...

    async def forget_ended_client_sessions(self, session_ids: Sequence[str]) -> None:
        """Delete what is kept of such sessions. Those that have not ended stay."""
        ...


class RefreshTokenRecords(Protocol):
    """The refresh tokens of the sessions that exist: of each the newest, and those that were exchanged just now."""

    async def add_refresh_token(self, token: RefreshToken) -> None:
        """Add a token. Its digest is new, its session exists."""
        ...

    async def find_refresh_token(self, digest: bytes) -> RefreshToken | None:
        """Return the token of that digest."""
        ...

    async def rotate_refresh_token(self, digest: bytes, *, at: float, sealed_successor: bytes) -> bool:
        """Mark a token as exchanged, if it is not yet. ``False`` says that somebody else was first."""
        ...

    async def forget_refresh_tokens(self, session_id: str, *, rotated_before: float | None = None) -> None:
        """Delete the tokens of a session that were exchanged before then; all of them, unless that is given."""
        ...
