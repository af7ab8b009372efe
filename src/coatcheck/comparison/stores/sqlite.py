"""A file of SQLite, in a temporary folder."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import StoreError
from .base import Kind, Line

__all__ = ["SQLiteStore"]

_SETTINGS = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", "PRAGMA busy_timeout = 5000")
_TABLE = "CREATE TABLE sessions (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"


class SQLiteStore:
    """Sessions in a file, with a write-ahead log."""

    def __init__(self) -> None:
        """Make the folder."""
        self.kind: Kind = "sqlite"
        self.name: str = "SQLite"
        self.place: str = "a file in a temporary folder, with a write-ahead log (synchronous = normal)"
        self.version: str = sqlite3.sqlite_version
        self._folder = tempfile.TemporaryDirectory(prefix="coatcheck-compare-")
        self._path = str(Path(self._folder.name) / "sessions.db")

    def __repr__(self) -> str:
        return "<SQLiteStore>"

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Let no error of the driver out of a block.

        Raises:
            StoreError: In its place: the disk is full, say.
        """
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(
                "SQLite cannot be used in the folder for temporary files: is the disk full?",
                detail=str(error),
            ) from None

    def fill(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Make the table, and put something there."""
        connection = _open(self._path)
        try:
            connection.execute(_TABLE)
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO sessions VALUES (?, ?)", rows)
            connection.execute("COMMIT")
        finally:
            connection.close()

    def connect(self) -> Line:
        """Open the file once more."""
        return _SQLiteLine(_open(self._path))

    def clear(self) -> None:
        """Remove the folder."""
        self._folder.cleanup()


class _SQLiteLine:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def find(self, key: bytes) -> bytes | None:
        row = self._connection.execute("SELECT value FROM sessions WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def put(self, key: bytes, value: bytes) -> None:
        self._connection.execute("INSERT OR REPLACE INTO sessions VALUES (?, ?)", (key, value))

    def remove(self, key: bytes) -> None:
        self._connection.execute("DELETE FROM sessions WHERE key = ?", (key,))

    def close(self) -> None:
        self._connection.close()


def _open(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in _SETTINGS:
        connection.execute(statement)
    return connection
