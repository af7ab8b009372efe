"""The places of tokens in status lists, in SQL."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from ...flows.model import Status, StatusList
from .access import Row, SQLTable

__all__ = ["StatusTable"]

_ADD_LIST = """
    INSERT INTO status_lists (id, size, given, closes_at, ends_at)
    VALUES (:id, :size, :given, :closes_at, :ends_at)
"""
_TAKE = """
    UPDATE status_lists SET given = given + 1, ends_at = CASE WHEN ends_at < :ends_at THEN :ends_at ELSE ends_at END
    WHERE id = (
        SELECT id FROM status_lists WHERE closes_at > :now AND given * 2 < size
        ORDER BY closes_at DESC, id LIMIT 1
    ) AND given * 2 < size
    RETURNING id, size, given, closes_at, ends_at
"""
_FIND_LIST = "SELECT id, size, given, closes_at, ends_at FROM status_lists WHERE id = :id"
_LISTS = """
    SELECT id, size, given, closes_at, ends_at FROM status_lists WHERE closes_at > 0 ORDER BY closes_at, id
"""
_DELETE_LISTS = """
    DELETE FROM status_lists
    WHERE closes_at > 0 AND ends_at <= :now AND (closes_at <= :now OR given * 2 >= size)
"""

_ADD = """
    INSERT INTO statuses (list_id, place, jti, sid, sub, client_id, kid, iat, exp, stillborn)
    VALUES (:list_id, :place, :jti, :sid, :sub, :client_id, :kid, :iat, :exp, :stillborn)
"""
_BY_JTI = "SELECT list_id, place FROM statuses WHERE jti = :value AND iat < :before"
_BY_SID = "SELECT list_id, place FROM statuses WHERE sid = :value AND iat < :before"
_BY_SUB = "SELECT list_id, place FROM statuses WHERE sub = :value AND iat < :before"
_PLACES: Final = {"token": _BY_JTI, "session": _BY_SID, "user": _BY_SUB}
# In the order of insertion: that is how they lie in the file, and a thousand of them are read in a millisecond.
_NEXT = "SELECT number FROM statuses WHERE number > :after ORDER BY number LIMIT 1"
_BY_CLIENT = """
    SELECT list_id, place FROM statuses
    WHERE number >= :first AND number < :end AND iat < :before AND client_id = :value
"""
_BY_KID = """
    SELECT list_id, place FROM statuses
    WHERE number >= :first AND number < :end AND iat < :before AND kid = :value
"""
_OF_ANY = "SELECT list_id, place FROM statuses WHERE number >= :first AND number < :end AND iat < :before"
_PIECES: Final = {"client": _BY_CLIENT, "key": _BY_KID, "everything": _OF_ANY}
_PIECE: Final = 1024
_STILLBORN = "SELECT place FROM statuses WHERE list_id = :list_id AND stillborn"
_DELETE = """
    DELETE FROM statuses WHERE exp <= :now AND number IN (
        SELECT number FROM statuses WHERE number > 0 ORDER BY number LIMIT :limit
    )
"""


def _list_of(row: Row) -> StatusList:
    id_, size, given, closes_at, ends_at = row
    return StatusList(id=id_, size=size, given=given, closes_at=closes_at, ends_at=ends_at)


class StatusTable(SQLTable):
    """Satisfies ``flows.status_ports.StatusRecords``."""

    async def add_status_list(self, status_list: StatusList) -> None:
        """Add a list."""
        await self._access.change(_ADD_LIST, msgspec.structs.asdict(status_list))

    async def take_place(self, now: float, *, ends_at: float) -> StatusList | None:
        """Count one token more in the newest list that takes any."""
        rows = await self._access.take(_TAKE, {"now": now, "ends_at": ends_at})
        return _list_of(rows[0]) if rows else None

    async def find_status_list(self, list_id: str) -> StatusList | None:
        """Return the list of that identifier."""
        row = await self._access.row(_FIND_LIST, {"id": list_id})
        return None if row is None else _list_of(row)

    async def list_status_lists(self) -> list[StatusList]:
        """Return all lists, the oldest first."""
        return [_list_of(row) for row in await self._access.rows(_LISTS, {})]

    async def add_status(self, status: Status) -> None:
        """Add a token."""
        await self._access.change(_ADD, msgspec.structs.asdict(status))

    async def find_places(
        self, kind: Literal["token", "session", "user"], value: str, *, before: float
    ) -> list[tuple[str, int]]:
        """Return the places of a token, or of the tokens of a session or user."""
        rows = await self._access.rows(_PLACES[kind], {"value": value, "before": before})
        return [(list_id, place) for list_id, place in rows]

    async def list_places(
        self, kind: Literal["client", "key", "everything"], value: str, *, before: float, after: int = 0
    ) -> tuple[list[tuple[str, int]], int | None]:
        """Return a piece of the places of a client or key, or of all."""
        found = await self._access.row(_NEXT, {"after": after})
        if found is None:
            return [], None
        end = found[0] + _PIECE
        parameters = {"first": found[0], "end": end, "before": before}
        if kind != "everything":
            parameters["value"] = value
        rows = await self._access.rows(_PIECES[kind], parameters)
        return [(list_id, place) for list_id, place in rows], end - 1

    async def list_stillborn(self, list_id: str) -> list[int]:
        """Return the places of the tokens that were void when they were added."""
        return [place for (place,) in await self._access.rows(_STILLBORN, {"list_id": list_id})]

    async def delete_expired_statuses(self, now: float, *, limit: int) -> int:
        """Forget tokens that have expired."""
        return await self._access.change(_DELETE, {"now": now, "limit": limit})

    async def delete_ended_status_lists(self, now: float) -> int:
        """Forget the lists that are of no use any more."""
        return await self._access.change(_DELETE_LISTS, {"now": now})
