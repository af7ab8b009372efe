"""The two ways in which records reach the server. Satisfy ``storage.sql.Access``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol, TypeVar

import psycopg

from ..errors import StorageFailedError, StorageMisuseError, UnstorableTextError
from ..sql import Parameters, Row
from .connections import Connection, Pool
from .failures import failure_of, is_lost, our_failures
from .statements import Statement, statement_of

__all__ = ["CommittedAccess", "Supply", "TransactionAccess"]

Result = TypeVar("Result")
_ONE_MOMENT: Final = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
Cursor = psycopg.AsyncCursor[tuple[Any, ...]]


class Supply(Protocol):
    """Where the connections are from, and who wants to know what is committed."""

    async def pool(self, *, writes: bool) -> Pool:
        """Return the pool of the running event loop; where a write would wait for itself, refuse."""
        ...

    def committed(self) -> None:
        """Note that something was committed which every node is told of."""
        ...


class CommittedAccess:
    """Reads what is committed; each change is a transaction of its own."""

    def __init__(self, supply: Supply) -> None:
        self._supply = supply

    async def row(self, sql: str, parameters: Parameters) -> Row | None:
        """See ``Access``."""
        statement = statement_of(sql)
        return await self._read(lambda connection: _row(connection, statement, parameters))

    async def rows(self, sql: str, parameters: Parameters) -> list[Row]:
        """See ``Access``."""
        statement = statement_of(sql)
        return await self._read(lambda connection: _rows(connection, statement, parameters))

    async def rows_each(self, sql: str, many: Iterable[Parameters]) -> list[list[Row]]:
        """See ``Access``. All of it is read at one moment."""
        statement, all_of_them = statement_of(sql), list(many)

        async def read(connection: Connection) -> list[list[Row]]:
            async with _pipeline(connection):
                await connection.execute(_ONE_MOMENT)
                found = await _rows_each(connection, statement, all_of_them)
                await connection.execute(b"COMMIT")
            return found

        return await self._read(read)

    async def change(self, sql: str, parameters: Parameters) -> int:
        """See ``Access``."""
        statement = statement_of(sql)
        return await self._write(statement, lambda connection: _change(connection, statement, parameters))

    async def change_each(self, sql: str, many: Iterable[Parameters]) -> list[int]:
        """See ``Access``."""
        statement, all_of_them = statement_of(sql), list(many)

        async def change(connection: Connection) -> list[int]:
            if len(all_of_them) == 1:
                return [await _change(connection, statement, all_of_them[0])]
            async with _pipeline(connection), connection.transaction():
                cursors = await _all_changes(connection, statement, all_of_them)
            return list(map(_count, cursors))

        return await self._write(statement, change)

    async def take(self, sql: str, parameters: Parameters) -> list[Row]:
        """See ``Access``."""
        statement = statement_of(sql)
        return await self._write(statement, lambda connection: _take(connection, statement, parameters))

    async def _read(self, read: Callable[[Connection], Awaitable[Result]]) -> Result:
        pool = await self._supply.pool(writes=False)
        pool.round_trips += 1
        try:
            async with pool.connection() as connection:
                return await read(connection)
        except psycopg.Error as error:
            if not is_lost(error):
                raise failure_of(error) from error
        # What was read can be read again: the server may have been restarted since this connection was last used.
        with our_failures():
            async with pool.connection() as connection:
                return await read(connection)

    async def _write(self, statement: Statement, write: Callable[[Connection], Awaitable[Result]]) -> Result:
        pool = await self._supply.pool(writes=True)
        pool.round_trips += 1
        with our_failures():
            async with pool.connection() as connection:
                result = await write(connection)
        if statement.tells:
            self._supply.committed()
        return result


class TransactionAccess:
    """Runs everything on the connection that the transaction is open on, until it ends.

    Attributes:
        tells: Whether a change was made that every node is told of.
    """

    def __init__(self, connection: Connection, pool: Pool) -> None:
        self._connection: Connection | None = connection
        self._pool = pool
        self.tells: bool = False

    def end(self) -> None:
        """Let go of the connection: what comes later belongs to no transaction, and is refused."""
        self._connection = None

    @property
    def _open(self) -> Connection:
        if self._connection is None:
            raise StorageMisuseError("The transaction has ended.")
        self._pool.round_trips += 1
        return self._connection

    def _statement(self, sql: str) -> Statement:
        statement = statement_of(sql)
        self.tells = self.tells or statement.tells
        return statement

    async def row(self, sql: str, parameters: Parameters) -> Row | None:
        """See ``Access``."""
        with our_failures():
            return await _row(self._open, statement_of(sql), parameters)

    async def rows(self, sql: str, parameters: Parameters) -> list[Row]:
        """See ``Access``."""
        with our_failures():
            return await _rows(self._open, statement_of(sql), parameters)

    async def rows_each(self, sql: str, many: Iterable[Parameters]) -> list[list[Row]]:
        """See ``Access``."""
        with our_failures():
            return await _rows_each(self._open, statement_of(sql), list(many))

    async def change(self, sql: str, parameters: Parameters) -> int:
        """See ``Access``."""
        with our_failures():
            return await _change(self._open, self._statement(sql), parameters)

    async def change_each(self, sql: str, many: Iterable[Parameters]) -> list[int]:
        """See ``Access``."""
        with our_failures():
            return await _change_each(self._open, self._statement(sql), list(many))

    async def take(self, sql: str, parameters: Parameters) -> list[Row]:
        """See ``Access``."""
        with our_failures():
            return await _take(self._open, self._statement(sql), parameters)


async def _run(connection: Connection, statement: Statement, parameters: Parameters) -> Cursor:
    # Binary: numbers come back as exactly what they were, and octets are not spelled out.
    cursor = connection.cursor(binary=True)
    return await cursor.execute(statement.text, parameters)


@asynccontextmanager
async def _pipeline(connection: Connection) -> AsyncIterator[None]:
    """Send what the block asks at once. Whoever is cancelled in there leaves a connection that nobody else may use."""
    try:
        async with connection.pipeline():
            yield
    except asyncio.CancelledError:
        await connection.close()
        raise


def _count(cursor: Cursor) -> int:
    if cursor.rowcount < 0:  # it was never sent, and nobody is to believe that it was done
        raise StorageFailedError(detail="the server was not asked")
    return cursor.rowcount


def _can_be(parameters: Parameters) -> bool:
    """Tell whether there can be a record with such values: PostgreSQL keeps no text with a NUL in it."""
    return not any(isinstance(value, str) and "\0" in value for value in parameters.values())


async def _row(connection: Connection, statement: Statement, parameters: Parameters) -> Row | None:
    return await (await _run(connection, statement, parameters)).fetchone() if _can_be(parameters) else None


async def _rows(connection: Connection, statement: Statement, parameters: Parameters) -> list[Row]:
    return await (await _run(connection, statement, parameters)).fetchall() if _can_be(parameters) else []


async def _take(connection: Connection, statement: Statement, parameters: Parameters) -> list[Row]:
    if not _can_be(parameters):
        raise UnstorableTextError
    return await (await _run(connection, statement, parameters)).fetchall()


async def _change(connection: Connection, statement: Statement, parameters: Parameters) -> int:
    if not _can_be(parameters):
        raise UnstorableTextError
    return _count(await _run(connection, statement, parameters))


async def _rows_each(connection: Connection, statement: Statement, many: list[Parameters]) -> list[list[Row]]:
    if len(many) == 1:
        return [await _rows(connection, statement, many[0])]
    async with _pipeline(connection):
        cursors = [await _run(connection, statement, each) if _can_be(each) else None for each in many]
        return [[] if cursor is None else await cursor.fetchall() for cursor in cursors]


async def _change_each(connection: Connection, statement: Statement, many: list[Parameters]) -> list[int]:
    if len(many) == 1:
        return [await _change(connection, statement, many[0])]
    async with _pipeline(connection):
        cursors = await _all_changes(connection, statement, many)
    return list(map(_count, cursors))


async def _all_changes(connection: Connection, statement: Statement, many: list[Parameters]) -> list[Cursor]:
    # What they did is known when the pipeline ends.
    if not all(map(_can_be, many)):
        raise UnstorableTextError
    return [await _run(connection, statement, parameters) for parameters in many]
