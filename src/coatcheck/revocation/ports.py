"""What the ledger needs of a storage. Every method is one atomic step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .model import Draft, Entry, Position

__all__ = ["LedgerRecords"]


class LedgerRecords(Protocol):
    """The ledger. Entries are appended and, when they are of no use any more, dropped; none is ever changed.

    The order of their numbers is the order in which they become visible: whoever has read up to a number will never
    find a smaller one later. A storage whose transactions commit in another order than they began appends under a lock.
    """

    async def append_entries(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Append entries and return them with their numbers, which grow and are never used again."""
        ...

    async def list_entries(self, *, after: int, limit: int) -> list[Entry]:
        """Return up to ``limit`` entries with numbers greater than ``after``, in their order."""
        ...

    async def ledger_head(self) -> Position:
        """Return the position after the newest entry, ``START`` in a ledger that never had one."""
        ...

    async def find_mark(self, seq: int) -> str | None:
        """Return the mark of an entry; ``None`` if it was dropped or never was."""
        ...

    async def delete_expired_entries(self, now: float, *, limit: int) -> int:
        """Drop up to ``limit`` of the oldest entries while they are past their ``until``; return how many.

        It stops at the first that is not, so that no entry is ever missing between two others; and the newest stays in
        any case, so that whoever has read everything can be told so.
        """
        ...
