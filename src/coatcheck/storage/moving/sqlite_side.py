"""An SQLite file as the source or the target of a move."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from ..errors import ForeignDatabaseError, NotADatabaseError, SchemaTooNewError, StorageAccessError
from ..sqlite.connection import failure_of, primary_code
from ..sqlite.migrations import APPLICATION_ID, MIGRATIONS
from ..sqlite.opening import open_connections
from ..unfinished import MARKER
from .errors import SchemaTooOldError
from .model import NUMBERED, Mark, Row, Table
from .schema import checked, read_tables

__all__ = ["SQLiteSide", "SQLiteTarget", "identity_of"]

_SECONDS_TO_LOCK: Final = 10.0
_ROWS_AT_ONCE: Final = 200
_HAS_MARK: Final = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?"
# Unique ones stay: it is they that let no row in twice.
_INDEXES: Final = """
SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql LIKE 'CREATE INDEX %' ORDER BY name"""
_COUNTED: Final = "SELECT seq FROM sqlite_sequence WHERE name = ?"
_LEDGER: Final = "ledger"  # the only table whose numbers are kept though their rows are gone


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _names(table: Table) -> str:
    return ", ".join(_quoted(column.name) for column in table.columns)


@contextmanager
def _failures(path: str) -> Iterator[None]:
    """Let no error of the driver out of a block."""
    try:
        yield
    except sqlite3.Error as error:
        if primary_code(error) == sqlite3.SQLITE_NOTADB:
            raise NotADatabaseError(f"The file {path} is not an SQLite database.", path=path) from error
        if primary_code(error) in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}:
            raise StorageAccessError(f"The database {path} cannot be opened.", path=path) from error
        raise failure_of(error) from error


def identity_of(path: str) -> str:
    """Return a name of a file that no other one has."""
    return f"sqlite {Path(path).resolve()}"


class SQLiteSide:
    """An SQLite file that is read. Satisfies ``sides.Side``.

    Args:
        path: The file.
        locked: Whether nobody may write it until this is closed, so that it must be a file that this program may
            bring up to date. Otherwise it is left alone, and read as it is at this moment.

    Raises:
        StorageOpenError: If the file cannot be used.
        StorageBusyError: If another process writes for too long.
        SchemaTooOldError: If it is not up to date, and only to be looked at.
    """

    def __init__(self, path: str, *, locked: bool) -> None:
        self.shown: str = path
        self.identity: str = identity_of(path)
        self._tables: dict[str, Table] | None = None
        if not Path(path).exists():
            raise StorageAccessError(f"There is no database at {path}.", path=path)
        if locked:
            _bring_up_to_date(path)
        with _failures(path):
            self._connection: sqlite3.Connection = _connect(path)
            try:
                self._begin(locked=locked)
            except BaseException:
                self._connection.close()
                raise

    def _begin(self, *, locked: bool) -> None:
        # To begin so waits for whoever writes, and makes others wait. Readers are in nobody's way.
        self._connection.execute("BEGIN IMMEDIATE" if locked else "BEGIN")
        _check_schema(self._connection, self.shown)

    def tables(self) -> dict[str, Table]:
        """See ``Side``."""
        if self._tables is None:
            with _failures(self.shown):
                self._tables = checked(read_tables(self._connection), self.shown)
        return self._tables

    def count(self, table: Table) -> int:
        """See ``Side``."""
        return self._number(f"SELECT count(*) FROM {_quoted(table.name)}")  # noqa: S608 - a name of the schema

    def rows(self, table: Table) -> Generator[Row, None, None]:
        """See ``Side``."""
        sql = f"SELECT {_names(table)} FROM {_quoted(table.name)} NOT INDEXED"  # noqa: S608 - likewise
        with _failures(self.shown):
            cursor = self._connection.execute(sql)
            while found := cursor.fetchmany(_ROWS_AT_ONCE):
                yield from found

    def find_nul(self, table: Table) -> str | None:
        """See ``Side``."""
        texts = [_quoted(column.name) for column in table.columns if column.kind == "text"]
        if not texts:
            return None
        # As octets: its functions of text end at that character.
        conditions = " OR ".join(f"instr(CAST({text} AS BLOB), x'00')" for text in texts)
        key = table.key or tuple(column.name for column in table.columns)
        names = ", ".join(map(_quoted, key))
        sql = f"SELECT {names} FROM {_quoted(table.name)} WHERE {conditions} LIMIT 1"  # noqa: S608 - likewise
        with _failures(self.shown):
            found = self._connection.execute(sql).fetchone()
        return found and ", ".join(f"{name}={value!r}" for name, value in zip(key, found, strict=True))

    def numbers(self) -> dict[str, int]:
        """See ``Side``."""
        found = {}
        for table, column in NUMBERED.items():
            sql = f"SELECT coalesce(max({_quoted(column)}), 0) FROM {_quoted(table)}"  # noqa: S608 - likewise
            found[table] = self._number(sql)
        with _failures(self.shown):
            counted = self._connection.execute(_COUNTED, (_LEDGER,)).fetchone()
        return found | {_LEDGER: max(found[_LEDGER], *(counted or (0,)))}

    def _number(self, sql: str) -> int:
        with _failures(self.shown):
            return int(self._connection.execute(sql).fetchone()[0])

    def mark(self) -> Mark | None:
        """See ``Side``."""
        with _failures(self.shown):
            if self._connection.execute(_HAS_MARK, (MARKER,)).fetchone() is None:
                return None
            (text,) = self._connection.execute(_READ_MARK).fetchone()
        return msgspec.json.decode(text, type=Mark)

    def close(self) -> None:
        """See ``Side``."""
        self._connection.close()


class SQLiteTarget(SQLiteSide):
    """An SQLite file that records are moved into, and that nobody else may use meanwhile. Satisfies ``sides.Target``.

    Args:
        path: The file. It is made if it is not there.

    Raises:
        StorageOpenError: If the file cannot be used.
        StorageBusyError: If another process has it open.
    """

    def __init__(self, path: str) -> None:
        if not (Path(path).exists() and _has_mark(path)):
            _bring_up_to_date(path)
        super().__init__(path, locked=False)

    def _begin(self, *, locked: bool) -> None:
        del locked
        for setting in ("locking_mode = EXCLUSIVE", "foreign_keys = OFF", "cache_size = -65536"):
            self._connection.execute(f"PRAGMA {setting}").fetchall()
        with self._transaction():
            _check_schema(self._connection, self.shown)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _failures(self.shown):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise

    def begin(self, mark: Mark) -> None:
        """See ``Target``."""
        with self._transaction() as connection:
            dropped = connection.execute(_INDEXES).fetchall()
            for name, _ in dropped:
                connection.execute(f"DROP INDEX {_quoted(name)}")
            set_aside = mark.set_aside + tuple(sql for _, sql in dropped)
            connection.execute(_MAKE_MARK)
            connection.execute(_REMOVE_MARK)
            text = msgspec.json.encode(msgspec.structs.replace(mark, set_aside=set_aside)).decode()
            connection.execute(_WRITE_MARK, (text,))
            for table in self.tables().values():
                connection.execute(f"DELETE FROM {_quoted(table.name)}")  # noqa: S608 - a name of the schema

    def write(self, table: Table, rows: Iterable[Row]) -> None:
        """See ``Target``."""
        places = ", ".join("?" * len(table.columns))
        sql = f"INSERT INTO {_quoted(table.name)} ({_names(table)}) VALUES ({places})"  # noqa: S608 - likewise
        with self._transaction() as connection:
            connection.executemany(sql, rows)

    def clear(self, table: Table) -> None:
        """See ``Target``."""
        with self._transaction() as connection:
            connection.execute(f"DELETE FROM {_quoted(table.name)}")  # noqa: S608 - likewise

    def finish(self, mark: Mark, numbers: Mapping[str, int]) -> None:
        """See ``Target``."""
        with self._transaction() as connection:
            for statement in mark.set_aside:
                connection.execute(statement)
            broken = connection.execute("PRAGMA foreign_key_check").fetchone()
            if broken is not None:
                raise sqlite3.IntegrityError(f"a row of {broken[0]} belongs to none of {broken[2]}")
            connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (_LEDGER,))
            connection.execute(
                "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (_LEDGER, numbers[_LEDGER])
            )
            connection.execute(_DROP_MARK)
        with _failures(self.shown):
            self._connection.execute(
                "PRAGMA wal_checkpoint(TRUNCATE)"
            ).fetchall()  # into the file, and to the disk


_MAKE_MARK: Final = f"CREATE TABLE IF NOT EXISTS {MARKER} (mark TEXT NOT NULL) STRICT"
_REMOVE_MARK: Final = f"DELETE FROM {MARKER}"  # noqa: S608 - a constant
_WRITE_MARK: Final = f"INSERT INTO {MARKER} (mark) VALUES (?)"  # noqa: S608 - a constant
_READ_MARK: Final = f"SELECT mark FROM {MARKER}"  # noqa: S608 - a constant
_DROP_MARK: Final = f"DROP TABLE {MARKER}"


def _connect(path: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{Path(path).absolute().as_uri()}?mode=rw", uri=True, timeout=_SECONDS_TO_LOCK, isolation_level=None
    )


def _bring_up_to_date(path: str) -> None:
    for connection in open_connections(Path(path), synchronous="normal"):
        connection.close()


def _has_mark(path: str) -> bool:
    with _failures(path):
        connection = _connect(path)
        try:
            return connection.execute(_HAS_MARK, (MARKER,)).fetchone() is not None
        finally:
            connection.close()


def _check_schema(connection: sqlite3.Connection, path: str) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise ForeignDatabaseError(f"The database {path} is none of this program.", path=path)
    if version > len(MIGRATIONS):
        raise SchemaTooNewError(path=path, found=version, supported=len(MIGRATIONS))
    if version < len(MIGRATIONS):
        raise SchemaTooOldError(path, found=version, needed=len(MIGRATIONS))
