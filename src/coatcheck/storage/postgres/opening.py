"""Opening the database: may it be used, and is its schema that of this program?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NoReturn

import psycopg
from psycopg import errors

from ..errors import (
    ForeignDatabaseError,
    HalfMovedError,
    SchemaTooNewError,
    StorageAccessError,
    StorageOpenError,
)
from ..unfinished import MARKER
from .addresses import address_of, shown
from .failures import failure_of, is_refused
from .locks import MIGRATION
from .migrations import MIGRATIONS, READABLE_BY

__all__ = ["prepare"]

_OLDEST: Final = 130_000
_SECONDS_TO_WAIT: Final = 60  # for another node that brings the schema up to date
_MARKER: Final = """
CREATE TABLE coatcheck_schema (
    "only" SMALLINT NOT NULL PRIMARY KEY CHECK ("only" = 1),
    number BIGINT NOT NULL,
    readable_by BIGINT NOT NULL
)"""

Connection = psycopg.Connection[tuple[Any, ...]]


def prepare(
    url: str, *, migrations: Sequence[Sequence[str]] = MIGRATIONS, readable_by: int = READABLE_BY
) -> str:
    """Bring the schema up to date, and return the address to connect to.

    Args:
        url: Where the database is: ``postgresql://user:password@host:port/name``.
        migrations: The steps of the schema.
        readable_by: How many steps a program has to know at least in order to use the schema that they lead to.

    Raises:
        StorageOpenError: If it cannot be used, one subclass per reason. Nothing in it was changed.
        StorageBusyError: If another node kept it locked all the while, or the server cannot be reached.
    """
    address = address_of(url)
    try:
        with psycopg.connect(address, autocommit=True) as connection:
            _check_server(connection, url)
            connection.execute(f"SET lock_timeout = '{_SECONDS_TO_WAIT}s'".encode())
            _migrate(connection, path=shown(url), migrations=migrations, readable_by=readable_by)
    except psycopg.Error as error:
        _refuse(error, url)
    return address


def _check_server(connection: Connection, url: str) -> None:
    if connection.info.server_version < _OLDEST:
        found = connection.info.parameter_status("server_version")
        raise StorageOpenError(f"PostgreSQL {found} is too old: 13 or newer is needed.", path=shown(url))
    if connection.info.parameter_status("server_encoding") != "UTF8":
        raise StorageOpenError("The database has to be made with the encoding UTF8.", path=shown(url))


def _migrate(
    connection: Connection, *, path: str, migrations: Sequence[Sequence[str]], readable_by: int
) -> None:
    # A look first: a node that has nothing to do waits for nobody, and needs no right to make tables.
    if _number(connection, path=path, newest=len(migrations)) >= len(migrations):
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION,))
        number = _number(connection, path=path, newest=len(migrations))
        for step in migrations[number:]:
            for statement in step:
                connection.execute(statement.encode())
        if number < len(migrations):
            connection.execute(
                "UPDATE coatcheck_schema SET number = %s, readable_by = %s", (len(migrations), readable_by)
            )


def _number(connection: Connection, *, path: str, newest: int) -> int:
    """Return the number of the schema, 0 for an empty database. There, inside of a transaction, it begins one."""
    (marker,) = connection.execute("SELECT to_regclass('coatcheck_schema')").fetchone() or (None,)
    if marker is None:
        (others,) = connection.execute(
            "SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
            " WHERE nspname = current_schema() AND relkind IN ('r', 'p') AND relname = ANY(%s)",
            (["users", "sessions", "ledger"],),
        ).fetchone() or (0,)
        if others:
            raise ForeignDatabaseError(
                f"The database {path} belongs to another application. Make one for this program.", path=path
            )
        if connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS:
            connection.execute(_MARKER)
            connection.execute('INSERT INTO coatcheck_schema ("only", number, readable_by) VALUES (1, 0, 0)')
        return 0
    number, readable_by = connection.execute(
        "SELECT number, readable_by FROM coatcheck_schema"
    ).fetchone() or (0, 0)
    if readable_by > newest:
        raise SchemaTooNewError(path=path, found=number, supported=newest)
    (unfinished,) = connection.execute("SELECT to_regclass(%s)", (MARKER,)).fetchone() or (None,)
    if unfinished is not None:
        raise HalfMovedError(path=path)
    return int(number)


def _refuse(error: psycopg.Error, url: str) -> NoReturn:
    path = shown(url)
    if isinstance(error, (errors.InsufficientPrivilege, errors.InvalidCatalogName)) or (is_refused(error)):
        raise StorageAccessError(
            f"The database {path} cannot be opened: {failure_of(error).detail}.", path=path
        ) from None
    failure = failure_of(error)
    failure.detail = f"{path}: {failure.detail}"
    raise failure from error
