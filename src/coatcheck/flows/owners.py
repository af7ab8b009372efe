"""Whose a session is, for the transaction in which something becomes of it.

Where all that writes is not serial, a transaction has to say whose it is before it reads anything. So the session is
looked up first, among what is committed, and read again inside. Nothing is decided by the first look but whom to wait
for; and as a session is the same user's for ever, and no identifier is used twice, it can be remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .ports import Records

__all__ = ["Owners"]

_MOST: Final = 10_000


class Owners:
    """The owners of sessions that were asked for."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    async def of(self, records: Records, session_id: str) -> str | None:
        """Return whose a session is; ``None`` if there is none. Not inside of a transaction.

        It may have ended since this was remembered.

        Args:
            records: The committed records.
            session_id: The session.
        """
        known = self._known.get(session_id)
        if known is not None:
            return known
        session = await records.find_session(session_id)
        if session is None:
            return None
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[session_id] = session.user_id
        return session.user_id
