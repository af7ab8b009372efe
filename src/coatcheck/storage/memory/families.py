"""All that belongs to a refresh token, in memory."""

from __future__ import annotations

from ...flows.model import Family
from .state import MemoryTable

__all__ = ["FamilyTable"]


class FamilyTable(MemoryTable):
    """Satisfies ``flows.ports.FamilyRecords``."""

    async def find_family(self, session_id: str, *, digest: bytes) -> Family | None:
        """Return a session with all that a refresh token of it depends on."""
        state = self._state
        session = state.sessions.get(session_id)
        if session is None:
            return None
        token = state.refresh_tokens.get(digest)
        return Family(
            session=session,
            parent=None if session.parent_id is None else state.sessions.get(session.parent_id),
            user=state.users[session.user_id],
            token=token if token is not None and token.session_id == session_id else None,
            grant=state.grants.get(session_id),
        )
