"""What is moved, and what is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

__all__ = [
    "NUMBERED",
    "Column",
    "Digest",
    "Kind",
    "Mark",
    "Problem",
    "Progress",
    "Report",
    "Row",
    "Stage",
    "Survey",
    "Table",
    "TableReport",
]

Row = tuple[Any, ...]
Kind = Literal["blob", "boolean", "integer", "real", "text"]
Stage = Literal["copy", "verify"]

NUMBERED: Final[Mapping[str, str]] = {"ledger": "seq", "signals": "seq", "statuses": "number"}
"""The tables whose rows are numbered as they come, and the column with the number."""


class Column(msgspec.Struct, frozen=True):
    """A column, as a side has it.

    Attributes:
        name: Its name.
        kind: What it holds. All rows are read with 0 and 1 for a ``boolean``.
    """

    name: str
    kind: Kind


class Table(msgspec.Struct, frozen=True):
    """A table, as a side has it.

    Attributes:
        name: Its name.
        columns: Those that are stored, by name: rows have their values in this order. What is computed is not moved.
        key: The columns that tell one row from the others; empty if there are none.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]


class Digest(msgspec.Struct, frozen=True):
    """What rows add up to, in whichever order they come.

    Attributes:
        rows: How many there are.
        total: The sum of a hash of each, modulo 2 to the power of 128.
    """

    rows: int = 0
    total: int = 0

    @property
    def hex(self) -> str:
        """The sum in 32 hexadecimal digits."""
        return f"{self.total:032x}"


class Mark(msgspec.Struct, frozen=True):
    """What the target keeps while a move into it is not finished.

    Attributes:
        source: Where the records come from, as a name that no other storage has.
        shown: The same for people, without a password.
        begun_at: Unix time.
        set_aside: The statements that make again what was dropped to be faster: indexes, and references.
    """

    source: str
    shown: str
    begun_at: float
    set_aside: tuple[str, ...] = ()


class Problem(msgspec.Struct, frozen=True):
    """Why a move would be refused.

    Attributes:
        code: That of the error.
        message: Its message.
    """

    code: str
    message: str


class Survey(msgspec.Struct, frozen=True):
    """What a move would do.

    Attributes:
        source: Where the records are, without a password.
        target: Where they would go, likewise.
        rows: How many rows each table has.
        resumes: Whether a move from the same source into this target was begun and is not finished.
        problems: Why it would be refused; empty if it would not.
        is_old: Whether the source is of an older release. A move brings it up to date first; until then, nothing can be
            told of it.
    """

    source: str
    target: str
    rows: dict[str, int]
    resumes: bool
    problems: tuple[Problem, ...]
    is_old: bool = False


class Progress(msgspec.Struct, frozen=True):
    """How far a move is.

    Attributes:
        stage: ``copy``, and then ``verify``.
        table: Which table is in work.
        done: How many rows of all tables went through this stage.
        total: How many there are.
    """

    stage: Stage
    table: str
    done: int
    total: int


class TableReport(msgspec.Struct, frozen=True):
    """A table on both sides.

    Attributes:
        table: Its name.
        source: What its rows in the source add up to.
        target: What those in the target do, read from there.
    """

    table: str
    source: Digest
    target: Digest

    @property
    def is_equal(self) -> bool:
        """Whether both hold the same rows."""
        return self.source == self.target


class Report(msgspec.Struct, frozen=True):
    """What was found on both sides at the end.

    Attributes:
        source: Where the records are, without a password.
        target: Where they went.
        tables: Each table.
        numbers: The greatest number that was given in each numbered table, even if its row is gone: source and target.
        resumed: Whether a move that was interrupted was continued.
        was_there: Whether the target held the same records before, so that there was nothing to move.
        seconds: How long it took. For so long the source could not be written.
    """

    source: str
    target: str
    tables: tuple[TableReport, ...]
    numbers: dict[str, tuple[int, int]]
    resumed: bool = False
    was_there: bool = False
    seconds: float = 0.0

    @property
    def is_equal(self) -> bool:
        """Whether both sides hold the same."""
        return all(each.is_equal for each in self.tables) and self.numbers_are_kept

    @property
    def numbers_are_kept(self) -> bool:
        """Whether no number of the source will be given again by the target."""
        return all(target >= source for source, target in self.numbers.values())

    @property
    def rows(self) -> int:
        """How many rows the source has."""
        return sum(each.source.rows for each in self.tables)
