"""The tables of this release, read off the schema itself, so that none can be forgotten."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from functools import cache
from typing import Final

from ..sqlite.migrations import MIGRATIONS
from ..unfinished import MARKER
from .errors import SchemaMismatchError
from .model import Column, Kind, Table

__all__ = ["checked", "own_tables", "read_tables"]

_KINDS: Final[Mapping[str, Kind]] = {"BLOB": "blob", "INTEGER": "integer", "REAL": "real", "TEXT": "text"}
_TABLES: Final = """
SELECT name FROM pragma_table_list
WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> ?
ORDER BY name"""
# What is computed from other columns has 2 or 3 there.
_COLUMNS: Final = "SELECT name, type, pk FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY name"


def read_tables(connection: sqlite3.Connection) -> dict[str, Table]:
    """Return all tables of an SQLite database, by name."""
    found = {}
    for (name,) in connection.execute(_TABLES, (MARKER,)).fetchall():
        columns = connection.execute(_COLUMNS, (name,)).fetchall()
        key = sorted((place, column) for column, _, place in columns if place)
        found[name] = Table(
            name=name,
            columns=tuple(Column(name=column, kind=_KINDS[kind]) for column, kind, _ in columns),
            key=tuple(column for _, column in key),
        )
    return found


@cache
def own_tables() -> Mapping[str, Table]:
    """Return the tables that a storage of this release has, by name."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for step in MIGRATIONS:
            for statement in step:
                connection.execute(statement)
        return read_tables(connection)


def checked(found: Mapping[str, Table], shown: str) -> dict[str, Table]:
    """Return the tables of this release as a storage has them.

    Raises:
        SchemaMismatchError: If one is not as it is to be.
    """
    tables = {}
    for name, own in own_tables().items():
        table = found.get(name)
        if table is None:
            raise SchemaMismatchError(f"{shown} has no table {name}: its schema is damaged.")
        if [column.name for column in table.columns] != [column.name for column in own.columns]:
            raise SchemaMismatchError(f"{shown} has other columns in {name} than this release.")
        tables[name] = table
    return tables
