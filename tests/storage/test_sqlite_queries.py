"""No statement goes through a whole table, and none leaves the file's view of the database open."""

import importlib
import pkgutil
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import asdict

from coatcheck.storage import sql
from coatcheck.storage.conformance.samples import NOW, a_draft
from coatcheck.storage.sql import ledger
from coatcheck.storage.sqlite.opening import open_connections

# Of these there are few.
WHOLE_TABLES = {
    *(("keys", "_LIST"), ("keys", "_DELETE_RETIRED"), ("services", "_LIST")),
    *(("clients", "_LIST_APIS"), ("clients", "_LIST_INITIAL")),
    *(("permissions", "_LIST"), ("permissions", "_LIST_ROLES")),
}
# They go through the outcome of a search, of as many rows as they are told; a test below counts the effort.
GO_THROUGH_WHAT_WAS_FOUND = {("ledger", "_DELETE_EXPIRED")}
VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE")


def statements() -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for module in pkgutil.iter_modules(sql.__path__):
        for name, value in vars(importlib.import_module(f"{sql.__name__}.{module.name}")).items():
            if isinstance(value, str) and value.strip().startswith(VERBS) and name != "_SELECT":
                found[module.name, name] = value
    return found


def plan(path: Path, statement: str) -> list[str]:
    reader, writer = open_connections(path, synchronous="normal")
    with closing(reader), closing(writer):
        parameters = dict.fromkeys(re.findall(r":([a-z_]+)", statement))
        rows = writer.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
    return [detail for *_, detail in rows]


def test_there_are_statements_to_look_at() -> None:
    assert len(statements()) > 30


@pytest.mark.parametrize("where", statements(), ids="-".join)
def test_a_statement_searches_and_does_not_scan(tmp_path: Path, where: tuple[str, str]) -> None:
    steps = plan(tmp_path / "coatcheck.db", statements()[where])
    scans = [step for step in steps if step.startswith("SCAN") and step != "SCAN CONSTANT ROW"]
    if where in GO_THROUGH_WHAT_WAS_FOUND:
        assert scans == ["SCAN oldest"], steps
    else:
        assert bool(scans) == (where in WHOLE_TABLES), steps


def test_tokens_to_be_forgotten_are_found_among_many_that_are_not(tmp_path: Path) -> None:
    """A client that refreshes very often has many that it exchanged just now."""
    (step,) = plan(tmp_path / "coatcheck.db", statements()["refresh_tokens", "_FORGET"])
    assert "(session_id=? AND rotated_at<?)" in step


def test_a_scan_would_be_seen(tmp_path: Path) -> None:
    assert plan(tmp_path / "coatcheck.db", "SELECT id FROM users WHERE email = :email") == ["SCAN users"]


def effort(path: Path, *, live: int, expired: int, limit: int) -> int:
    """Return how many instructions of SQLite's it takes to drop what has expired of a ledger of that size."""
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += 1
        return 0

    reader, writer = open_connections(path, synchronous="normal")
    with closing(reader), closing(writer):
        drafts = [a_draft(str(number), until=NOW) for number in range(expired)]
        drafts += [a_draft(str(number), until=NOW + 99) for number in range(live)]
        writer.executemany(ledger._APPEND.partition("RETURNING")[0], [asdict(draft) for draft in drafts])
        writer.set_progress_handler(count, 1)
        deleted = writer.execute(ledger._DELETE_EXPIRED, {"now": NOW, "limit": limit}).rowcount
        writer.set_progress_handler(None, 0)
    assert deleted == min(limit, expired)
    return taken


def test_to_drop_expired_entries_takes_no_longer_however_many_live_or_expired_ones_follow(
    tmp_path: Path,
) -> None:
    few = effort(tmp_path / "few.db", live=20, expired=10, limit=10)
    assert effort(tmp_path / "live.db", live=5000, expired=10, limit=10) <= few + 10
    assert effort(tmp_path / "expired.db", live=20, expired=5000, limit=10) <= few + 10
    assert effort(tmp_path / "none.db", live=5000, expired=0, limit=10) <= few + 10


def test_what_belongs_to_a_deleted_record_is_found_by_an_index(tmp_path: Path) -> None:
    reader, writer = open_connections(tmp_path / "coatcheck.db", synchronous="normal")
    with closing(reader), closing(writer):
        tables = [name for (name,) in reader.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        keys = [
            (table, column)
            for table in tables
            for _, _, _, column, *_ in reader.execute(f"PRAGMA foreign_key_list({table})")
        ]
        assert len(keys) >= 3
        for table, column in keys:
            query = f"EXPLAIN QUERY PLAN SELECT 1 FROM {table} WHERE {column} = 'x'"  # noqa: S608 - of the schema
            assert reader.execute(query).fetchone()[3].startswith("SEARCH"), (table, column)


def test_every_table_is_strict(tmp_path: Path) -> None:
    reader, writer = open_connections(tmp_path / "coatcheck.db", synchronous="normal")
    with closing(reader), closing(writer):
        listed = reader.execute("PRAGMA table_list").fetchall()
    own = {row[1]: row[5] for row in listed if not row[1].startswith("sqlite_")}
    assert set(own.values()) == {1}
    assert len(own) >= 9


def test_a_statement_of_the_reader_cannot_write(tmp_path: Path) -> None:
    reader, writer = open_connections(tmp_path / "coatcheck.db", synchronous="normal")
    with closing(reader), closing(writer), pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM keys")
