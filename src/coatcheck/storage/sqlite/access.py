"""The two ways in which records reach the file. Satisfy ``storage.sql.Access``.

Nothing here waits for anything but its turn to write: the driver is called inline.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import StorageMisuseError
from ..sql import Parameters, Row
from .connection import Connection
from .writing import Writer, WriteTransaction

__all__ = ["CommittedAccess", "TransactionAccess"]


class CommittedAccess:
    """Reads what is committed; each change is a transaction of its own."""

    def __init__(self, *, reader: Connection, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def row(self, sql: str, parameters: Parameters) -> Row | None:
        """See ``Access``."""
        return self._reader.row(sql, parameters)

    async def rows(self, sql: str, parameters: Parameters) -> list[Row]:
        """See ``Access``."""
        return self._reader.rows(sql, parameters)

    async def rows_each(self, sql: str, many: Iterable[Parameters]) -> list[list[Row]]:
        """See ``Access``."""
        return self._reader.rows_each(sql, many)

    async def change(self, sql: str, parameters: Parameters) -> int:
        """See ``Access``."""
        async with WriteTransaction(self._writer) as connection:
            return connection.change(sql, parameters)

    async def change_each(self, sql: str, many: Iterable[Parameters]) -> list[int]:
        """See ``Access``."""
        async with WriteTransaction(self._writer) as connection:
            return connection.change_each(sql, many)

    async def take(self, sql: str, parameters: Parameters) -> list[Row]:
        """See ``Access``."""
        async with WriteTransaction(self._writer) as connection:
            return connection.rows(sql, parameters)


class TransactionAccess:
    """Runs everything on the connection that writes, until the transaction ends."""

    def __init__(self, connection: Connection) -> None:
        self._connection: Connection | None = connection

    def end(self) -> None:
        """Let go of the connection: what comes later belongs to no transaction, and is refused."""
        self._connection = None

    @property
    def _open(self) -> Connection:
        if self._connection is None:
            raise StorageMisuseError("The transaction has ended.")
        return self._connection

    async def row(self, sql: str, parameters: Parameters) -> Row | None:
        """See ``Access``."""
        return self._open.row(sql, parameters)

    async def rows(self, sql: str, parameters: Parameters) -> list[Row]:
        """See ``Access``."""
        return self._open.rows(sql, parameters)

    async def rows_each(self, sql: str, many: Iterable[Parameters]) -> list[list[Row]]:
        """See ``Access``."""
        return self._open.rows_each(sql, many)

    async def change(self, sql: str, parameters: Parameters) -> int:
        """See ``Access``."""
        return self._open.change(sql, parameters)

    async def change_each(self, sql: str, many: Iterable[Parameters]) -> list[int]:
        """See ``Access``."""
        return self._open.change_each(sql, many)

    async def take(self, sql: str, parameters: Parameters) -> list[Row]:
        """See ``Access``."""
        return self._open.rows(sql, parameters)
