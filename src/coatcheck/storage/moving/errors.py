"""Why records are not moved.

::

    StorageError
    └─ MoveError
       ├─ SameStorageError            source and target are the same
       ├─ TargetNotEmptyError         the target holds other records
       ├─ DriverMissingError          what speaks to PostgreSQL is not installed
       ├─ OtherMoveError              a move from another source into the target is not finished
       ├─ SchemaTooOldError           the storage was written by an older release
       ├─ SchemaMismatchError         a table or column is missing
       ├─ UnfitRecordError            the target cannot hold a record; ``table`` and ``key`` say which
       ├─ InconsistentSourceError     rows of the source refer to others that are not there
       └─ MoveNotVerifiedError        the target does not hold what the source holds; ``tables`` says where
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ..errors import StorageError

__all__ = [
    "DriverMissingError",
    "InconsistentSourceError",
    "MoveError",
    "MoveNotVerifiedError",
    "OtherMoveError",
    "SameStorageError",
    "SchemaMismatchError",
    "SchemaTooOldError",
    "TargetNotEmptyError",
    "UnfitRecordError",
]


class MoveError(StorageError):
    """Base of why records are not moved."""

    code: ClassVar[str] = "move_error"


class DriverMissingError(MoveError):
    """What speaks to PostgreSQL is not installed."""

    code: ClassVar[str] = "driver_missing"

    def __init__(self) -> None:
        super().__init__('PostgreSQL needs the extra "postgres": pip install "coatcheck[postgres]"')


class SameStorageError(MoveError):
    """Source and target are the same storage."""

    code: ClassVar[str] = "same_storage"

    def __init__(self, shown: str) -> None:
        super().__init__(f"Source and target are the same: {shown}.")


class TargetNotEmptyError(MoveError):
    """The target holds records, and not those of the source.

    Attributes:
        rows: How many rows are in each table that has some.
    """

    code: ClassVar[str] = "target_not_empty"

    def __init__(self, shown: str, rows: dict[str, int]) -> None:
        found = ", ".join(f"{table} {count:,}" for table, count in sorted(rows.items()))
        super().__init__(
            f"{shown} is not empty ({found}). Records are moved into an empty database only: name another."
        )
        self.rows = rows


class OtherMoveError(MoveError):
    """A move from another source into the target was begun and is not finished.

    Attributes:
        source: Where that one came from.
    """

    code: ClassVar[str] = "other_move"

    def __init__(self, shown: str, *, source: str) -> None:
        super().__init__(
            f"A move from {source} into {shown} is not finished. Finish it, or drop it by --start-over."
        )
        self.source = source


class SchemaTooOldError(MoveError):
    """The storage was written by an older release, and is only to be looked at.

    Attributes:
        found: The number of its schema.
        needed: That of this release.
    """

    code: ClassVar[str] = "schema_too_old"

    def __init__(self, shown: str, *, found: int, needed: int) -> None:
        super().__init__(
            f"{shown} has schema {found}, and this release {needed}: start this release's server there once, "
            "or any of its commands."
        )
        self.found = found
        self.needed = needed


class SchemaMismatchError(MoveError):
    """A storage lacks a table or a column that its schema is to have, or has a type that is not known."""

    code: ClassVar[str] = "schema_mismatch"


class UnfitRecordError(MoveError):
    """The target cannot hold a record: text with the character NUL, in PostgreSQL.

    Attributes:
        table: Where it is.
        key: What tells it from others, as ``column='value'``.
    """

    code: ClassVar[str] = "unfit_record"

    def __init__(self, table: str, key: str) -> None:
        super().__init__(
            f"The table {table} has a text with the character NUL, which PostgreSQL cannot hold: {key}. "
            "Change or delete that record. Nothing was moved."
        )
        self.table = table
        self.key = key


class InconsistentSourceError(MoveError):
    """Rows of the source refer to others that are not there. The target stays refused by servers."""

    code: ClassVar[str] = "inconsistent_source"

    def __init__(self, detail: str | None) -> None:
        super().__init__(f"Rows of the source do not go together ({detail}): it is damaged.", detail=detail)


class MoveNotVerifiedError(MoveError):
    """The target does not hold what the source holds. It stays refused by servers.

    Attributes:
        tables: Where they differ.
    """

    code: ClassVar[str] = "move_not_verified"

    def __init__(self, tables: Sequence[str]) -> None:
        super().__init__(
            f"Source and target differ after the move: {', '.join(tables)}. Something else writes to the target. "
            "Stop that, and run the move again: it mends what differs."
        )
        self.tables: tuple[str, ...] = tuple(tables)
