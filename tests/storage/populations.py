"""Files with rows in all tables, of values that engines could treat in different ways."""

import graphlib
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from coatcheck.storage.moving.model import Column, Row, Table
from coatcheck.storage.moving.schema import own_tables
from coatcheck.storage.sqlite.opening import open_connections

BOOLEAN = {("statuses", "stillborn"), ("signals", "is_last_word")}  # in PostgreSQL
TEXTS = (
    "",
    "a",
    "ada@example.com",
    "\\N",
    "\\.",
    "a\tb\nc\rd",
    "'\"%s:x$1",
    "é",
    "e\u0301",
    "\u202e",
    "\U0001f511",
)
NUMBERS = (0.0, 0.1, 1.8e9, -2.5, 5e-324, 1e300, float("inf"), 1 / 3, 2.0**53)
INTEGERS = (0, 1, -1, 2**31, 2**63 - 1, -(2**63))
OCTETS = (b"", b"\0", b"\\x00", bytes(range(256)), b"{}")


def make_file(path: Path) -> Path:
    """Make a file with all tables and nothing in them."""
    for connection in open_connections(path, synchronous="normal"):
        connection.close()
    return path


def populate(path: Path, seed: int, *, rows: int = 5) -> None:
    """Add rows to all tables, as many as go together."""
    chance = random.Random(seed)  # noqa: S311 - test data
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN")
        connection.execute("UPDATE session_generation SET number = ?", (chance.randrange(9),))
        for table in _parents_first(connection):
            for _ in range(rows):
                _add(connection, table, chance)
        # A session may be there before its parent.
        sessions = [key for (key,) in connection.execute("SELECT id FROM sessions")]
        for key in sessions[::2]:
            change = "UPDATE sessions SET parent_id = ? WHERE id = ?"
            connection.execute(change, (chance.choice([None, *sessions]), key))
        # Its number is never given to another.
        connection.execute("DELETE FROM ledger WHERE seq = (SELECT max(seq) FROM ledger)")
        connection.execute("COMMIT")


def _references(connection: sqlite3.Connection, table: str) -> dict[str, tuple[str, str]]:
    found = connection.execute(f"PRAGMA foreign_key_list({table})").fetchall()
    return {column: (parent, key) for _, _, parent, column, key, *_ in found}


def _parents_first(connection: sqlite3.Connection) -> list[Table]:
    tables = own_tables()
    graph = {
        name: {parent for parent, _ in _references(connection, name).values() if parent != name}
        for name in tables
    }
    return [tables[name] for name in graphlib.TopologicalSorter(graph).static_order()]


def _add(connection: sqlite3.Connection, table: Table, chance: random.Random) -> None:
    values = {column.name: _value(table, column, chance) for column in table.columns}
    for column, (parent, key) in _references(connection, table.name).items():
        keys = [key for (key,) in connection.execute(f"SELECT {key} FROM {parent}")]  # noqa: S608 - names of the schema
        values[column] = chance.choice(keys or [None])
    if table.name == "permissions":
        holder = chance.choice(("user_id", "role", "client_id"))
        values |= {name: None for name in ("user_id", "role", "client_id") if name != holder}
    if table.name == "links":
        values["user_id"] = chance.choice((None, values["user_id"]))
    names, places = ", ".join(values), ", ".join(f":{name}" for name in values)
    connection.execute(f"INSERT OR IGNORE INTO {table.name} ({names}) VALUES ({places})", values)  # noqa: S608


def _value(table: Table, column: Column, chance: random.Random) -> Any:
    if (table.name, column.name) in BOOLEAN:
        return chance.randrange(2)
    if column.name in {"seq", "number"}:
        return chance.randrange(1, 10**6)
    if column.kind == "text":
        return chance.choice(TEXTS) + chance.choice(("", str(chance.random())))
    if column.kind == "real":
        return chance.choice((*NUMBERS, chance.uniform(-1e12, 1e12)))
    if column.kind == "integer":
        return chance.choice((*INTEGERS, chance.randrange(10**6)))
    return chance.choice(OCTETS) + chance.randbytes(chance.randrange(40))


def contents(path: Path) -> dict[str, list[Row]]:
    """Return all rows of all tables, and what was counted."""
    with closing(sqlite3.connect(path)) as connection:
        found: dict[str, list[Row]] = {}
        for name, table in own_tables().items():
            names = ", ".join(column.name for column in table.columns)
            found[name] = sorted(connection.execute(f"SELECT {names} FROM {name}").fetchall(), key=repr)  # noqa: S608
        found["counted"] = connection.execute(
            "SELECT name, seq FROM sqlite_sequence WHERE seq > 0"
        ).fetchall()
    return found


def schema(path: Path) -> list[Row]:
    """Return the statements that made what there is."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"
        ).fetchall()
