"""What the engine of moving asks of a storage, whichever engine keeps it."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from typing import Protocol

from .model import Mark, Row, Table

__all__ = ["Side", "Target"]


class Side(Protocol):
    """A storage that is read.

    Attributes:
        shown: Its address for people, without a password.
        identity: A name that no other storage has.
    """

    shown: str
    identity: str

    def tables(self) -> dict[str, Table]:
        """Return the tables by name.

        Raises:
            SchemaMismatchError: If one is missing, or a column.
        """
        ...

    def count(self, table: Table) -> int:
        """Return how many rows a table has."""
        ...

    def rows(self, table: Table) -> Generator[Row, None, None]:
        """Read all rows of a table, some at a time, in an order that stays while nobody writes."""
        ...

    def find_nul(self, table: Table) -> str | None:
        """Return what tells a row apart that has a text with the character NUL, or ``None``."""
        ...

    def numbers(self) -> dict[str, int]:
        """Return the greatest number that was given in each numbered table."""
        ...

    def mark(self) -> Mark | None:
        """Return what was noted of a move into it that is not finished, or ``None``."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Target(Side, Protocol):
    """A storage that records are moved into. Each method is a transaction of its own: wholly or not at all."""

    def begin(self, mark: Mark) -> None:
        """Note that a move begins, drop what would slow it down, and remove all rows."""
        ...

    def write(self, table: Table, rows: Iterable[Row]) -> None:
        """Add rows."""
        ...

    def clear(self, table: Table) -> None:
        """Remove all rows of a table."""
        ...

    def finish(self, mark: Mark, numbers: Mapping[str, int]) -> None:
        """Make again what was dropped, go on counting behind the numbers, and note no more that it is unfinished.

        Raises:
            RecordConflictError: If rows do not go together. Nothing was changed.
        """
        ...
