"""A connection whose every failure is one of ours, and whose every statement is finished when a method returns.

A statement that was not stepped to its end would keep its view of the database: later reads would be stale, and the
write-ahead log could never start again from its beginning.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final

from ..errors import (
    DamagedDatabaseError,
    RecordConflictError,
    StorageBusyError,
    StorageError,
    StorageFailedError,
    StorageMisuseError,
)
from ..sql import Parameters, Row

__all__ = ["Connection", "failure_of", "is_busy", "primary_code"]

_RETRY_AFTER: Final = 1.0
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def primary_code(error: sqlite3.Error) -> int | None:
    """Return SQLite's result code without its extension, or ``None`` if the error is the driver's own."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def is_busy(error: sqlite3.Error) -> bool:
    """Tell whether another connection was in the way."""
    return primary_code(error) == sqlite3.SQLITE_BUSY


def failure_of(error: sqlite3.Error) -> StorageError:
    """Return the error to raise instead of one of the driver's. SQLite's texts name columns, never values."""
    detail = str(error)
    if isinstance(error, sqlite3.IntegrityError):
        return RecordConflictError(detail=detail)
    if isinstance(error, sqlite3.ProgrammingError):
        return StorageMisuseError(
            "The storage is closed, or cannot hold a value of that type.", detail=detail
        )
    if is_busy(error):
        return StorageBusyError(retry_after=_RETRY_AFTER, detail=detail)
    if primary_code(error) in _DAMAGED:
        return DamagedDatabaseError(detail=detail)
    return StorageFailedError(detail=detail)


class Connection:
    """One connection to the file. Its methods are synchronous: none of them waits for anything but the disk."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw
        # One cursor for all: making one costs a tenth of a keyed read. The statements are cached by their text.
        self._cursor = raw.cursor()

    def row(self, sql: str, parameters: Parameters) -> Row | None:
        """Return the only row of a query, or ``None``. A query that may have several says ``LIMIT 1``."""
        try:
            found: Row | None = self._cursor.execute(sql, parameters).fetchone()
        except sqlite3.Error as error:
            raise failure_of(error) from error
        return found

    def rows(self, sql: str, parameters: Parameters) -> list[Row]:
        """Return all rows of a query, or of a change that returns what it changed."""
        try:
            return self._cursor.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise failure_of(error) from error

    def rows_each(self, sql: str, many: Iterable[Parameters]) -> list[list[Row]]:
        """Return all rows of the same query for each of many parameters."""
        return [self.rows(sql, parameters) for parameters in many]

    def change(self, sql: str, parameters: Parameters) -> int:
        """Make a change and return how many rows it concerned, not counting what cascades."""
        try:
            return self._cursor.execute(sql, parameters).rowcount
        except sqlite3.Error as error:
            raise failure_of(error) from error

    def change_each(self, sql: str, many: Iterable[Parameters]) -> list[int]:
        """Make the same change for each of many parameters, and return the count of each."""
        return [self.change(sql, parameters) for parameters in many]

    def try_begin(self) -> bool:
        """Begin a transaction that may write, or return ``False`` if another process is in one."""
        try:
            self._cursor.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            if is_busy(error):
                return False
            raise failure_of(error) from error
        return True

    def commit(self) -> None:
        """Commit. If that fails, nothing of the transaction is left."""
        try:
            self._cursor.execute("COMMIT")
        except sqlite3.Error as error:
            self.roll_back()
            raise failure_of(error) from error

    def roll_back(self) -> None:
        """Undo the open transaction, if there is one: SQLite itself ends it after some failures."""
        try:
            if self._raw.in_transaction:
                self._raw.rollback()
        except sqlite3.Error as error:
            raise failure_of(error) from error

    def close(self) -> None:
        """Close the connection. Harmless if it is closed already."""
        self._raw.close()
