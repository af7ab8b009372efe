"""No statement goes through a whole table, and none leaves the file's view of the database open."""

import importlib
import pkgutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from coatcheck.storage import sqlite
from coatcheck.storage.sqlite.opening import open_connections

# All of the keys are read at start; there are few.
WHOLE_TABLES = {("keys", "_LIST")}
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def statements() -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for module in pkgutil.iter_modules(sqlite.__path__):
        for name, value in vars(importlib.import_module(f"{sqlite.__name__}.{module.name}")).items():
            if isinstance(value, str) and value.strip().startswith(VERBS) and name != "_SELECT":
                found[module.name, name] = value
    return found


def plan(path: Path, statement: str) -> list[str]:
    reader, writer = open_connections(path, synchronous="normal")
    with closing(reader), closing(writer):
        parameters = dict.fromkeys(PARAMETERS, None)
        rows = writer.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
    return [detail for *_, detail in rows]


COLUMNS = [
    *(
        "id",
        "email",
        "email_key",
        "password_hash",
        "scopes",
        "created_at",
        "password_changed_at",
        "disabled_at",
    ),
    *("digest", "purpose", "user_id", "binding", "expires_at", "profile", "authenticated_at", "methods"),
    *(
        "last_seen_at",
        "idle_timeout",
        "address",
        "user_agent",
        "scope",
        "data",
        "data_revision",
        "session_id",
    ),
    *("client", "rotated_at", "sealed_successor", "key", "arrives_at", "sealed", "due_at", "attempts", "kid"),
    *("use", "now", "limit", "after", "at", "revision", "until"),
]
PARAMETERS = [*COLUMNS, *(f"old_{name}" for name in COLUMNS), "rotated_before"]


def test_there_are_statements_to_look_at() -> None:
    assert len(statements()) > 30


@pytest.mark.parametrize("where", statements(), ids="-".join)
def test_a_statement_searches_and_does_not_scan(tmp_path: Path, where: tuple[str, str]) -> None:
    steps = plan(tmp_path / "coatcheck.db", statements()[where])
    assert any(step.startswith("SCAN") for step in steps) == (where in WHOLE_TABLES), steps


def test_a_scan_would_be_seen(tmp_path: Path) -> None:
    assert plan(tmp_path / "coatcheck.db", "SELECT id FROM users WHERE email = :email") == ["SCAN users"]


def test_what_belongs_to_a_deleted_record_is_found_by_an_index(tmp_path: Path) -> None:
    reader, writer = open_connections(tmp_path / "coatcheck.db", synchronous="normal")
    with closing(reader), closing(writer):
        tables = [name for (name,) in reader.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        keys = [
            (table, column)
            for table in tables
            for _, _, _, column, *_ in reader.execute(f"PRAGMA foreign_key_list({table})")
        ]
        assert len(keys) == 3
        for table, column in keys:
            query = f"EXPLAIN QUERY PLAN SELECT 1 FROM {table} WHERE {column} = 'x'"  # noqa: S608 - of the schema
            assert reader.execute(query).fetchone()[3].startswith("SEARCH"), (table, column)


def test_every_table_is_strict(tmp_path: Path) -> None:
    reader, writer = open_connections(tmp_path / "coatcheck.db", synchronous="normal")
    with closing(reader), closing(writer):
        listed = reader.execute("PRAGMA table_list").fetchall()
    own = {row[1]: row[5] for row in listed if not row[1].startswith("sqlite_")}
    assert set(own.values()) == {1}
    assert len(own) == 7


def test_a_statement_of_the_reader_cannot_write(tmp_path: Path) -> None:
    reader, writer = open_connections(tmp_path / "coatcheck.db", synchronous="normal")
    with closing(reader), closing(writer), pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM keys")
