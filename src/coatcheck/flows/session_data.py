"""What an application attaches to a session, read and written on purpose.

::

    async with session_data.edit(identity) as cart:
        cart["items"].append("umbrella")     # kept, however deep

    (await session_data.read(identity))["items"]    # read-only
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from ..identity import Identity
from ..sessions import data
from ..sessions.errors import InvalidSessionError, SessionDataConflictError
from ..sessions.lifecycle import is_alive
from ..sessions.model import Session
from .context import Context
from .ports import Records

__all__ = ["SessionData"]


class SessionData:
    """The data of sessions: one JSON object each, of at most 64 KiB. It ends with its session."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def read(self, identity: Identity) -> Mapping[str, Any]:
        """Return the data, read-only to its last leaf.

        Raises:
            InvalidSessionError: If the session has ended.
        """
        return data.decode((await self._session(self._context.storage.records, identity)).data)

    async def replace(self, identity: Identity, value: Mapping[str, Any]) -> None:
        """Write the data as a whole, whatever was there.

        Raises:
            InvalidSessionError: If the session has ended.
            SessionDataError: If it is not JSON, or too large.
        """
        text = data.encode(value)
        async with self._context.storage.transaction(identity.id) as records:
            session = await self._session(records, identity)
            await records.write_session_data(session.id, text, revision=session.data_revision)

    @asynccontextmanager
    async def edit(self, identity: Identity) -> AsyncIterator[dict[str, Any]]:
        """Give the data to be changed in place, and write it when the block ends without an exception.

        Raises:
            InvalidSessionError: If the session has ended.
            SessionDataError: If it is not JSON afterwards, or too large.
            SessionDataConflictError: If another request wrote in between; nothing is written then.
        """
        committed = self._context.storage.records
        session = await self._session(committed, identity)
        value = data.editable(session.data)
        yield value
        text = data.encode(value)
        if text == session.data:
            return
        if not await committed.write_session_data(session.id, text, revision=session.data_revision):
            await self._session(committed, identity)
            raise SessionDataConflictError("The session's data was changed by another request. Try again.")

    async def _session(self, records: Records, identity: Identity) -> Session:
        session = await records.find_session(identity.session_id)
        if session is None or not is_alive(session, self._context.clock()):
            raise InvalidSessionError(detail="it ended before its data was read or written")
        return session
