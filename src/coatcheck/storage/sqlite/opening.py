"""Opening the file: whose is it, may it be used, and is its schema that of this program?"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final, Literal, NoReturn

from ..errors import (
    DamagedDatabaseError,
    ForeignDatabaseError,
    HalfMovedError,
    NotADatabaseError,
    SchemaTooNewError,
    StorageAccessError,
    StorageBusyError,
    StorageOpenError,
)
from ..unfinished import MARKER
from .connection import failure_of, is_busy, primary_code
from .migrations import APPLICATION_ID, MIGRATIONS

__all__ = ["Synchronous", "open_connections"]

Synchronous = Literal["normal", "full"]

_SECONDS_TO_OPEN: Final = 10.0  # while other processes start, migrate, or recover the file after a crash
_SECONDS_TO_LOCK: Final = 0.1
_SECONDS_BETWEEN: Final = 0.01
_SECONDS_TO_READ: Final = (
    2.0  # a read waits in such rare moments only: readers and writers do not meet in WAL mode
)
_MAX_LOG_BYTES: Final = 16 * 2**20
_OLDEST_SQLITE: Final = (3, 37, 0)  # STRICT tables
_NO_ACCESS: Final = frozenset(
    {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
)


def open_connections(
    path: Path, *, synchronous: Synchronous, migrations: Sequence[Sequence[str]] = MIGRATIONS
) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """Return two connections to the file, one that only reads and one that writes, with the schema up to date.

    Raises:
        StorageOpenError: If it cannot be, one subclass per reason. The file was left as it was.
        StorageBusyError: If another process kept the file locked all the while.
        DamagedDatabaseError: If the file is corrupt.
    """
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StorageOpenError(
            f"SQLite {sqlite3.sqlite_version} is too old: 3.37 or newer is needed.", path=str(path)
        )
    _create(path)
    deadline = time.monotonic() + _SECONDS_TO_OPEN
    while True:
        try:
            return _open(path, synchronous=synchronous, migrations=migrations)
        except sqlite3.Error as error:
            # Processes that start at once would wait for each other's locks if they kept their own meanwhile.
            if not is_busy(error) or time.monotonic() >= deadline:
                _refuse(error, path)
        time.sleep(_SECONDS_BETWEEN)


def _open(
    path: Path, *, synchronous: Synchronous, migrations: Sequence[Sequence[str]]
) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    _inspect(path, newest=len(migrations))
    with ExitStack() as opened:
        writer = opened.enter_context(closing(_connect(path, "rw")))
        _prepare_writer(writer, synchronous)
        _migrate(writer, path=path, migrations=migrations)
        writer.execute("PRAGMA busy_timeout = 0")  # from here on it is the event loop that waits
        reader = opened.enter_context(
            closing(_connect(path, "rw"))
        )  # it may have to make the index of the log
        _prepare_reader(reader)
        opened.pop_all()
    return reader, writer


def _create(path: Path) -> None:
    # An existing file is never opened here: closing it would drop the locks that this process holds on it.
    if str(path) in {".", ":memory:"}:
        raise StorageAccessError(
            "The database needs the path of a file. For records in memory, there is MemoryStorage.",
            path=str(path),
        )
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise StorageAccessError(
            f"The database {path} cannot be created: {reason}.", path=str(path)
        ) from error


def _connect(path: Path, mode: Literal["ro", "rw"]) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=_SECONDS_TO_LOCK,
        isolation_level=None,  # transactions begin and end where it is written, and nowhere else
        check_same_thread=False,
    )


def _inspect(path: Path, *, newest: int) -> None:
    # Whoever closes a database last moves the log into the file. What may be somebody else's is not to be changed, so
    # if there is a log, it is only read.
    mode: Literal["ro", "rw"] = "ro" if path.with_name(f"{path.name}-wal").exists() else "rw"
    with closing(_connect(path, mode)) as connection:
        connection.execute(
            "BEGIN"
        )  # one view for all questions: another process may just be making the schema
        _check_owner(connection, path=path, newest=newest)


def _check_owner(connection: sqlite3.Connection, *, path: Path, newest: int) -> int:
    """Return the number of the schema, 0 for an empty database."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != APPLICATION_ID and (application or version or objects):
        raise ForeignDatabaseError(
            f"The database {path} belongs to another application. Use another file.", path=str(path)
        )
    if version > newest:
        raise SchemaTooNewError(path=str(path), found=version, supported=newest)
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (MARKER,)).fetchone():
        raise HalfMovedError(path=str(path))
    return int(version)


def _prepare_writer(connection: sqlite3.Connection, synchronous: Synchronous) -> None:
    for setting in (
        "journal_mode = WAL",
        f"synchronous = {synchronous}",
        f"journal_size_limit = {_MAX_LOG_BYTES}",
        "foreign_keys = ON",
        "trusted_schema = OFF",
        "secure_delete = ON",  # who deletes an account expects its address and hash to leave the file, too
    ):
        connection.execute(f"PRAGMA {setting}").fetchall()


def _prepare_reader(connection: sqlite3.Connection) -> None:
    for setting in (
        "query_only = ON",
        "trusted_schema = OFF",
        f"busy_timeout = {_SECONDS_TO_READ * 1000:.0f}",
    ):
        connection.execute(f"PRAGMA {setting}").fetchall()


def _migrate(connection: sqlite3.Connection, *, path: Path, migrations: Sequence[Sequence[str]]) -> None:
    version = -1
    while version < len(migrations):
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = _check_owner(connection, path=path, newest=len(migrations))
            if version == len(migrations):
                # Nothing is left to do but to see whether this process may write at all: it would begin, all the same.
                connection.execute(f"PRAGMA user_version = {version}")
                connection.execute("ROLLBACK")
            else:
                for statement in migrations[version]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {version + 1}")
                connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise


def _refuse(error: sqlite3.Error, path: Path) -> NoReturn:
    code = primary_code(error)
    if code == sqlite3.SQLITE_NOTADB:
        raise NotADatabaseError(
            f"The file {path} is not an SQLite database, or is damaged at its start.", path=str(path)
        ) from error
    if code in _NO_ACCESS:
        raise StorageAccessError(
            f"The database {path} cannot be opened for writing. This program must be allowed to write the file "
            "and to make files beside it.",
            path=str(path),
            detail=str(error),
        ) from error
    if is_busy(error):
        raise StorageBusyError(retry_after=_SECONDS_TO_OPEN, detail=f"{path}: {error}") from error
    if code == sqlite3.SQLITE_CORRUPT:
        raise DamagedDatabaseError(detail=f"{path}: {error}") from error
    raise failure_of(error) from error
