"""PostgreSQL, in a table of our own, through psycopg."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql

from ...storage.errors import StorageError
from ...storage.postgres.addresses import shown
from ...storage.postgres.failures import failure_of
from ..errors import LeftoverError, StoreError
from .base import Kind, Line, new_name

__all__ = ["PostgreSQLStore"]

_SECONDS: Final = 5
_COMMENT: Final = "Made by coatcheck compare, which removes it. It may be dropped."

Connection = psycopg.Connection[tuple[Any, ...]]


class PostgreSQLStore:
    """Sessions in one table of a database that somebody else uses for other things."""

    def __init__(self, url: str) -> None:
        """Look whether it answers.

        Raises:
            StoreError: If it does not.
        """
        self.kind: Kind = "postgresql"
        self.name: str = "PostgreSQL"
        self.place: str = shown(url)
        self._url = url
        self._table = new_name()
        self._made = False
        with self.failures(), self._open() as connection:
            version = str(connection.info.server_version)
        self.version: str = f"{version[:-4]}.{int(version[-4:])}"

    def __repr__(self) -> str:
        return f"<PostgreSQLStore {self.place}>"

    def fill(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Make the table, and put something there. All of it is committed at once, or nothing is.

        Raises:
            StoreError: If the database does not let us.
        """
        self._made = True  # from here on it may be there, whatever happens
        with self.failures(), self._open() as connection, connection.transaction():
            cursor = connection.cursor()
            cursor.execute(self._sql("CREATE TABLE {} (key bytea PRIMARY KEY, value bytea NOT NULL)"))
            cursor.execute(self._sql("COMMENT ON TABLE {} IS {comment}"))
            with cursor.copy(self._sql("COPY {} (key, value) FROM STDIN (FORMAT BINARY)")) as copy:
                copy.set_types(["bytea", "bytea"])
                for row in rows:
                    copy.write_row(row)
            # What autovacuum would do in a minute, in the middle of the measurement.
        with self.failures(), self._open() as connection:
            connection.execute(self._sql("VACUUM ANALYZE {}"))

    def connect(self) -> Line:
        """Open one more connection.

        Raises:
            StoreError: If that fails.
        """
        with self.failures():
            return _PostgreSQLLine(self._open(), self._table)

    def clear(self) -> None:
        """Drop the table.

        Raises:
            LeftoverError: If that fails.
        """
        if not self._made:
            return
        try:
            with self._open() as connection:
                connection.execute("SET lock_timeout = '5s'")
                connection.execute(self._sql("DROP TABLE IF EXISTS {}"))
        except psycopg.Error as error:
            raise LeftoverError(
                f"The table {self._table} could not be removed from {self.place}: drop it yourself.",
                detail=failure_of(error).detail,
            ) from None
        self._made = False

    def _open(self) -> Connection:
        return psycopg.connect(
            self._url, autocommit=True, connect_timeout=_SECONDS, application_name="coatcheck compare"
        )

    def _sql(self, text: str) -> sql.Composed:
        # The text is a constant of this module; the name is one of ours, and quoted.
        return sql.SQL(text).format(sql.Identifier(self._table), comment=sql.Literal(_COMMENT))

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Let no error of the driver out of a block.

        Raises:
            StoreError: In its place.
        """
        try:
            yield
        except psycopg.Error as error:
            failure: StorageError = failure_of(error)
            raise StoreError(
                f"PostgreSQL at {self.place} cannot be used: {failure.message}", detail=failure.detail
            ) from None


class _PostgreSQLLine:
    def __init__(self, connection: Connection, table: str) -> None:
        self._connection = connection
        self._cursor = connection.cursor(binary=True)
        name = sql.Identifier(table)
        self._find = sql.SQL("SELECT value FROM {} WHERE key = %s").format(name).as_bytes(connection)
        self._put = (
            sql.SQL("INSERT INTO {} VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
            .format(name)
            .as_bytes(connection)
        )
        self._remove = sql.SQL("DELETE FROM {} WHERE key = %s").format(name).as_bytes(connection)

    def find(self, key: bytes) -> bytes | None:
        row = self._cursor.execute(self._find, (key,)).fetchone()
        return None if row is None else row[0]

    def put(self, key: bytes, value: bytes) -> None:
        self._cursor.execute(self._put, (key, value))

    def remove(self, key: bytes) -> None:
        self._cursor.execute(self._remove, (key,))

    def close(self) -> None:
        self._connection.close()
