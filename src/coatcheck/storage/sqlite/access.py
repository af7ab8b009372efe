"""How records reach the database: as it is committed, or inside of one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from ..errors import StorageMisuseError
from .connection import Connection, Parameters, Row

__all__ = ["Access", "SQLiteTable", "TransactionAccess"]


class Access(Protocol):
    """What statements are run through. Reads never wait; a change may have to wait for its turn."""

    def row(self, sql: str, parameters: Parameters) -> Row | None:
        """Return the only row of a query, or ``None``."""
        ...

    def rows(self, sql: str, parameters: Parameters) -> list[Row]:
        """Return all rows of a query."""
        ...

    async def change(self, sql: str, parameters: Parameters) -> int:
        """Make a change and return how many rows it concerned."""
        ...

    async def change_each(self, sql: str, many: Iterable[Parameters]) -> list[int]:
        """Make the same change for each of many parameters: all of them or none."""
        ...

    async def take(self, sql: str, parameters: Parameters) -> list[Row]:
        """Make a change and return the rows that it returns."""
        ...


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

    def row(self, sql: str, parameters: Parameters) -> Row | None:
        """See ``Access``."""
        return self._open.row(sql, parameters)

    def rows(self, sql: str, parameters: Parameters) -> list[Row]:
        """See ``Access``."""
        return self._open.rows(sql, parameters)

    async def change(self, sql: str, parameters: Parameters) -> int:
        """See ``Access``."""
        return self._open.change(sql, parameters)

    async def change_each(self, sql: str, many: Iterable[Parameters]) -> list[int]:
        """See ``Access``."""
        return self._open.change_each(sql, many)

    async def take(self, sql: str, parameters: Parameters) -> list[Row]:
        """See ``Access``."""
        return self._open.rows(sql, parameters)


class SQLiteTable:
    """Base of the records of one table."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._row = access.row  # looked up once: it is in the path of every request
