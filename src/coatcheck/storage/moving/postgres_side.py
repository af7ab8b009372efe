"""A PostgreSQL database as the source or the target of a move."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from typing import Any, Final

import msgspec
import psycopg
from psycopg import sql

from ..errors import ForeignDatabaseError, SchemaTooNewError, StorageAccessError
from ..postgres.addresses import address_of, shown
from ..postgres.failures import failure_of, our_failures
from ..postgres.locks import begin
from ..postgres.migrations import MIGRATIONS
from ..postgres.opening import prepare
from ..unfinished import MARKER
from .errors import SchemaMismatchError, SchemaTooOldError
from .model import NUMBERED, Column, Kind, Mark, Row, Table
from .schema import checked, own_tables

__all__ = ["PostgresSide", "PostgresTarget", "identity_of", "is_new", "shown"]

Connection = psycopg.Connection[tuple[Any, ...]]

_KINDS: Final[Mapping[str, Kind]] = {
    "bigint": "integer",
    "boolean": "boolean",
    "bytea": "blob",
    "double precision": "real",
    "smallint": "integer",
    "text": "text",
}
_SESSION: Final = (
    "SET lock_timeout = '10s'; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; "
    "SET synchronize_seqscans = off"
)
_LOOK: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_IDENTITY: Final = """
SELECT (SELECT system_identifier FROM pg_control_system()), oid, current_schema()
FROM pg_database WHERE datname = current_database()"""
_HAS: Final = "SELECT to_regclass(%s) IS NOT NULL"
_SCHEMA: Final = "SELECT number FROM coatcheck_schema"
_COLUMNS: Final = """
SELECT table_name, column_name, data_type FROM information_schema.columns
WHERE table_schema = current_schema() AND is_generated = 'NEVER' AND table_name = ANY(%s)
ORDER BY table_name, column_name COLLATE "C"
"""
_REFERENCES: Final = """
SELECT format('ALTER TABLE %%I DROP CONSTRAINT %%I', relname, conname),
    format('ALTER TABLE %%I ADD CONSTRAINT %%I %%s', relname, conname, pg_get_constraintdef(pg_constraint.oid))
FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE contype = 'f' AND nspname = current_schema() AND relname = ANY(%s)
ORDER BY relname, conname"""
# Unique ones stay: it is they that let no row in twice.
_INDEXES: Final = """
SELECT format('DROP INDEX %%I', own.relname), pg_get_indexdef(own.oid)
FROM pg_index JOIN pg_class own ON own.oid = indexrelid JOIN pg_class of ON of.oid = indrelid
JOIN pg_namespace ON pg_namespace.oid = of.relnamespace
WHERE NOT indisunique AND nspname = current_schema() AND of.relname = ANY(%s)
ORDER BY own.relname"""
_FETCH: Final = "FETCH FORWARD 500 FROM rows"
_SEQUENCE: Final = "SELECT pg_get_serial_sequence(%s, %s)"
_LEDGER: Final = "SELECT ledger FROM changes"
_SET_LEDGER: Final = "UPDATE changes SET ledger = %s"
_SET_SEQUENCE: Final = "SELECT setval(%s, greatest(%s, 1), %s)"


def is_new(url: str) -> bool:
    """Tell whether a database has no tables of this program.

    Raises:
        StorageError: If it cannot be reached.
    """
    with our_failures(), closing(_connect(url)) as connection:
        return not _has(connection, "coatcheck_schema")


def identity_of(url: str) -> str:
    """Return a name of a database that no other one has.

    Raises:
        StorageError: If it cannot be reached.
    """
    with our_failures(), closing(_connect(url)) as connection:
        return _identity(connection)


class PostgresSide:
    """A PostgreSQL database that is read. Satisfies ``sides.Side``.

    Args:
        url: Where it is.
        locked: Whether nobody may write to it until this is closed. Otherwise it is read as it is at this moment.

    Raises:
        StorageOpenError: If it cannot be used.
        StorageBusyError: If somebody else writes for too long, or it cannot be reached.
        SchemaTooOldError: If it is not up to date, and only to be looked at.
    """

    def __init__(self, url: str, *, locked: bool) -> None:
        self.shown: str = shown(url)
        self._tables: dict[str, Table] | None = None
        self._types: dict[str, list[str]] = {}
        with our_failures(), ExitStack() as opened:
            self._connection: Connection = opened.enter_context(closing(_connect(url)))
            self.identity: str = _identity(self._connection)
            self._begin(url, locked=locked)
            opened.pop_all()

    def _begin(self, url: str, *, locked: bool) -> None:
        if not _has(self._connection, "coatcheck_schema"):
            raise ForeignDatabaseError(f"{self.shown} is no database of this program.", path=self.shown)
        if not locked:
            self._connection.execute(_LOOK)
            _check_schema(self._connection, self.shown)
            return
        prepare(url)
        _check_schema(self._connection, self.shown)
        self._connection.execute(begin(()).encode())  # transactions wait from here on
        names = sql.SQL(", ").join(map(sql.Identifier, own_tables()))
        # And so does what is no transaction. Reading goes on.
        self._connection.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(names))

    def tables(self) -> dict[str, Table]:
        """See ``Side``."""
        if self._tables is None:
            with our_failures():
                found = self._connection.execute(_COLUMNS, (list(own_tables()),)).fetchall()
            for table, column, kind in found:
                self._types.setdefault(table, []).append(kind)
                if kind not in _KINDS:
                    raise SchemaMismatchError(
                        f"{self.shown} has a column {table}.{column} of the type {kind}."
                    )
            self._tables = checked(_tables(found), self.shown)
        return self._tables

    def count(self, table: Table) -> int:
        """See ``Side``."""
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table.name))
        return int(self._one(query)[0])

    def rows(self, table: Table) -> Generator[Row, None, None]:
        """See ``Side``."""
        query = sql.SQL("DECLARE rows NO SCROLL CURSOR FOR SELECT {} FROM {}").format(
            sql.SQL(", ").join(
                sql.SQL("{}::int" if column.kind == "boolean" else "{}").format(sql.Identifier(column.name))
                for column in table.columns
            ),
            sql.Identifier(table.name),
        )
        # If somebody stops in the midst, this part of the transaction is undone, and the cursor with it.
        with our_failures(), self._connection.transaction(), self._connection.cursor(binary=True) as cursor:
            self._connection.execute(query)
            while found := cursor.execute(_FETCH, prepare=False).fetchall():
                yield from found
            cursor.execute("CLOSE rows")

    def find_nul(self, table: Table) -> str | None:
        """See ``Side``. There can be none."""
        del table
        return None

    def numbers(self) -> dict[str, int]:
        """See ``Side``."""
        found = {}
        for table, column in NUMBERED.items():
            query = sql.SQL("SELECT coalesce(max({}), 0) FROM {}")
            (greatest,) = self._one(query.format(sql.Identifier(column), sql.Identifier(table)))
            found[table] = max(greatest, self._counted(table, column))
        return found

    def _counted(self, table: str, column: str) -> int:
        with our_failures():
            sequence = _sequence(self._connection, table, column)
        if sequence is None:
            return int(self._one(sql.SQL(_LEDGER))[0])
        # Its name comes quoted.
        query = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.SQL(sequence))
        last, is_called = self._one(query)
        return int(last) if is_called else 0

    def _one(self, query: sql.Composed | sql.SQL) -> Row:
        with our_failures():
            found = self._connection.execute(query).fetchone()
        return found or (0,)

    def mark(self) -> Mark | None:
        """See ``Side``."""
        with our_failures():
            if not _has(self._connection, MARKER):
                return None
        (text,) = self._one(sql.SQL(_READ_MARK))
        return msgspec.json.decode(text, type=Mark)

    def close(self) -> None:
        """See ``Side``."""
        self._connection.close()


class PostgresTarget(PostgresSide):
    """A PostgreSQL database that records are moved into. Satisfies ``sides.Target``.

    A second connection holds the right to write of everybody, so that no server and no other move comes between.

    Args:
        url: Where it is. Its schema is made if it is empty.

    Raises:
        StorageOpenError: If it cannot be used.
        StorageBusyError: If somebody else writes for too long, or it cannot be reached.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, locked=True)

    def _begin(self, url: str, *, locked: bool) -> None:
        del locked
        with ExitStack() as opened:
            self._guard: Connection = opened.enter_context(closing(_connect(url)))
            if self.mark() is None:
                prepare(url)
            _check_schema(self._connection, self.shown)
            self._guard.execute(begin(()).encode())
            opened.pop_all()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with our_failures(), self._connection.transaction():
            yield self._connection

    def begin(self, mark: Mark) -> None:
        """See ``Target``."""
        names = list(own_tables())
        with self._transaction() as connection:
            dropped = [
                *connection.execute(_REFERENCES, (names,)).fetchall(),
                *connection.execute(_INDEXES, (names,)).fetchall(),
            ]
            for drop, _ in dropped:
                connection.execute(drop.encode())
            set_aside = mark.set_aside + tuple(make for _, make in dropped)
            text = msgspec.json.encode(msgspec.structs.replace(mark, set_aside=set_aside)).decode()
            connection.execute(_MAKE_MARK)
            connection.execute(_REMOVE_MARK)
            connection.execute(_WRITE_MARK, (text,))
            connection.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(map(sql.Identifier, names))))

    def write(self, table: Table, rows: Iterable[Row]) -> None:
        """See ``Target``."""
        query = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
            sql.Identifier(table.name),
            sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns),
        )
        with self._transaction() as connection, connection.cursor() as cursor, cursor.copy(query) as copy:
            copy.set_types(self._types[table.name])
            for row in rows:
                copy.write_row(row)

    def clear(self, table: Table) -> None:
        """See ``Target``."""
        with self._transaction() as connection:
            connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table.name)))

    def finish(self, mark: Mark, numbers: Mapping[str, int]) -> None:
        """See ``Target``."""
        with self._transaction() as connection:
            for statement in mark.set_aside:
                connection.execute(statement.encode())
            for table, number in numbers.items():
                sequence = _sequence(connection, table, NUMBERED[table])
                if sequence is None:
                    connection.execute(_SET_LEDGER, (number,))
                else:
                    connection.execute(_SET_SEQUENCE, (sequence, number, number > 0))
            connection.execute(_DROP_MARK)
        tables = sql.SQL(", ").join(map(sql.Identifier, own_tables()))
        with our_failures():  # or the first requests would be planned for empty tables
            self._connection.execute(sql.SQL("ANALYZE {}").format(tables))

    def close(self) -> None:
        """See ``Side``."""
        self._guard.close()
        super().close()


_MAKE_MARK: Final = f"CREATE TABLE IF NOT EXISTS {MARKER} (mark TEXT NOT NULL)".encode()
_REMOVE_MARK: Final = f"DELETE FROM {MARKER}".encode()  # noqa: S608 - a constant
_WRITE_MARK: Final = f"INSERT INTO {MARKER} (mark) VALUES (%s)".encode()  # noqa: S608 - a constant
_READ_MARK: Final = "SELECT mark FROM unfinished_move"
_DROP_MARK: Final = f"DROP TABLE {MARKER}".encode()


def _connect(url: str) -> Connection:
    address = address_of(url)
    try:
        connection = psycopg.connect(address, autocommit=True)
    except psycopg.OperationalError as error:
        detail = failure_of(error).detail
        raise StorageAccessError(
            f"The database {shown(url)} cannot be reached: {detail}", path=shown(url)
        ) from None
    connection.execute(_SESSION)
    return connection


def _identity(connection: Connection) -> str:
    system, database, schema = connection.execute(_IDENTITY).fetchone() or (0, 0, "")
    return f"postgresql {system}/{database}/{schema}"


def _has(connection: Connection, table: str) -> bool:
    return connection.execute(_HAS, (table,)).fetchone() == (True,)


def _check_schema(connection: Connection, path: str) -> None:
    (number,) = connection.execute(_SCHEMA).fetchone() or (0,)
    if number > len(MIGRATIONS):
        raise SchemaTooNewError(path=path, found=number, supported=len(MIGRATIONS))
    if number < len(MIGRATIONS):
        raise SchemaTooOldError(path, found=number, needed=len(MIGRATIONS))


def _tables(found: Iterable[Row]) -> dict[str, Table]:
    columns: dict[str, list[Column]] = {}
    for table, column, kind in found:
        columns.setdefault(table, []).append(Column(name=column, kind=_KINDS[kind]))
    return {name: Table(name=name, columns=tuple(each), key=()) for name, each in columns.items()}


def _sequence(connection: Connection, table: str, column: str) -> str | None:
    """Return the name of the sequence that numbers a column, quoted, or ``None`` if it is the table ``changes``."""
    (name,) = connection.execute(_SEQUENCE, (table, column)).fetchone() or (None,)
    return None if name is None else str(name)
