"""How records reach a database: as it is committed, or inside of one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

__all__ = ["SKIPS_LOCKED", "Access", "Parameters", "Row", "SQLTable"]

SKIPS_LOCKED: Final = "/* what nobody else is just taking */"
"""Stands behind a query for what one of many takes: an engine with several writers lets each find another."""

Row = tuple[Any, ...]
Parameters = Mapping[str, str | bytes | int | float | None]


class Access(Protocol):
    """What statements are run through: one text for every engine, with parameters named ``:so``."""

    async def row(self, sql: str, parameters: Parameters) -> Row | None:
        """Return the only row of a query, or ``None``."""
        ...

    async def rows(self, sql: str, parameters: Parameters) -> list[Row]:
        """Return all rows of a query."""
        ...

    async def rows_each(self, sql: str, many: Iterable[Parameters]) -> list[list[Row]]:
        """Return all rows of the same query for each of many parameters. A server is asked once for all of them."""
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


class SQLTable:
    """Base of the records of one table."""

    def __init__(self, access: Access) -> None:
        self._access = access
