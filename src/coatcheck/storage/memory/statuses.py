"""The places of tokens in status lists, in memory."""

from __future__ import annotations

from itertools import islice
from typing import Literal

from msgspec.structs import replace

from ...flows.model import Status, StatusList
from .state import MemoryTable, State, require

__all__ = ["StatusTable"]


def _is_full(status_list: StatusList) -> bool:
    return status_list.given * 2 >= status_list.size


class StatusTable(MemoryTable):
    """Satisfies ``flows.status_ports.StatusRecords``."""

    async def add_status_list(self, status_list: StatusList) -> None:
        """Add a list."""

        def add(state: State) -> None:
            require(status_list.id not in state.status_lists, "status_lists.id")
            state.status_lists[status_list.id] = status_list

        await self._source.write(add)

    async def take_place(self, now: float, *, ends_at: float) -> StatusList | None:
        """Count one token more in the newest list that takes any."""

        def take(state: State) -> StatusList | None:
            taking = [
                each for each in state.status_lists.values() if each.closes_at > now and not _is_full(each)
            ]
            if not taking:
                return None
            newest = min(taking, key=lambda each: (-each.closes_at, each.id))
            taken = replace(newest, given=newest.given + 1, ends_at=max(newest.ends_at, ends_at))
            state.status_lists[newest.id] = taken
            return taken

        return await self._source.write(take)

    async def find_status_list(self, list_id: str) -> StatusList | None:
        """Return the list of that identifier."""
        return self._state.status_lists.get(list_id)

    async def list_status_lists(self) -> list[StatusList]:
        """Return all lists, the oldest first."""
        return sorted(self._state.status_lists.values(), key=lambda each: (each.closes_at, each.id))

    async def add_status(self, status: Status) -> None:
        """Add a token."""

        def add(state: State) -> None:
            place = status.list_id, status.place
            require(status.jti not in state.statuses, "statuses.jti")
            require(place not in state.status_places, "statuses.place")
            state.statuses[status.jti] = status
            state.status_places[place] = status.jti

        await self._source.write(add)

    async def find_places(
        self, kind: Literal["token", "session", "user"], value: str, *, before: float
    ) -> list[tuple[str, int]]:
        """Return the places of a token, or of the tokens of a session or user."""
        return [
            (each.list_id, each.place)
            for each in self._state.statuses.values()
            if {"token": each.jti, "session": each.sid, "user": each.sub}[kind] == value and each.iat < before
        ]

    async def list_places(
        self, kind: Literal["client", "key", "everything"], value: str, *, before: float, after: int = 0
    ) -> tuple[list[tuple[str, int]], int | None]:
        """Return the places of a client or key, or of all, as one piece."""
        found = [
            (each.list_id, each.place)
            for each in self._state.statuses.values()
            if {"client": each.client_id, "key": each.kid, "everything": value}[kind] == value
            and each.iat < before
        ]
        return [] if after else found, None

    async def list_stillborn(self, list_id: str) -> list[int]:
        """Return the places of the tokens that were void when they were added."""
        return [
            each.place for each in self._state.statuses.values() if each.list_id == list_id and each.stillborn
        ]

    async def delete_expired_statuses(self, now: float, *, limit: int) -> int:
        """Forget tokens that have expired."""

        def delete(state: State) -> int:
            expired = [each for each in islice(state.statuses.values(), limit) if each.exp <= now]
            for each in expired:
                del state.statuses[each.jti], state.status_places[each.list_id, each.place]
            return len(expired)

        return await self._source.write(delete)

    async def delete_ended_status_lists(self, now: float) -> int:
        """Forget the lists that are of no use any more."""

        def delete(state: State) -> int:
            ended = [
                each.id
                for each in state.status_lists.values()
                if each.ends_at <= now and (each.closes_at <= now or _is_full(each))
            ]
            for list_id in ended:
                del state.status_lists[list_id]
            return len(ended)

        return await self._source.write(delete)
