"""What the status lists need of a storage. Every method is one atomic step."""

from __future__ import annotations

from typing import Literal, Protocol

from .model import Status, StatusList

__all__ = ["StatusRecords"]


class StatusRecords(Protocol):
    """Which tokens have which place in which status list."""

    async def add_status_list(self, status_list: StatusList) -> None:
        """Add a list. Its ``id`` is new."""
        ...

    async def take_place(self, now: float, *, ends_at: float) -> StatusList | None:
        """Count one token more in the newest list that takes any, and return the list; ``None`` if none does.

        A list takes tokens until its ``closes_at``, and until half of it is taken. Its ``ends_at`` is moved to that of
        the token, if that is later. Nobody else is ever told the same number of the same list.
        """
        ...

    async def find_status_list(self, list_id: str) -> StatusList | None:
        """Return the list of that identifier."""
        ...

    async def list_status_lists(self) -> list[StatusList]:
        """Return all lists, the oldest first."""
        ...

    async def add_status(self, status: Status) -> None:
        """Add a token. It and its place are new."""
        ...

    async def find_places(
        self, kind: Literal["token", "session", "user"], value: str, *, before: float
    ) -> list[tuple[str, int]]:
        """Return lists and places of the tokens of that name, session or user that were issued before then."""
        ...

    async def list_places(
        self, kind: Literal["client", "key", "everything"], value: str, *, before: float, after: int = 0
    ) -> tuple[list[tuple[str, int]], int | None]:
        """Return lists and places of the tokens of a client or key, or of all, that were issued before then.

        It is for what may concern a million of them: they come in pieces. The number beside a piece is the ``after`` of
        the next, ``None`` beside the last.
        """
        ...

    async def list_stillborn(self, list_id: str) -> list[int]:
        """Return the places of the tokens that were void already when they were added."""
        ...

    async def delete_expired_statuses(self, now: float, *, limit: int) -> int:
        """Forget tokens that have expired, among the ``limit`` that were added first; return how many."""
        ...

    async def delete_ended_status_lists(self, now: float) -> int:
        """Forget the lists that take no tokens any more and whose tokens have all expired; return how many."""
        ...
