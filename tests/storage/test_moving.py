"""Whatever a storage holds is the same in the other, there and back, and goes on where it was."""

import asyncio
import re
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coatcheck.flows.ports import Storage
from coatcheck.storage.conformance.samples import NOW, a_draft, a_service, a_signal, a_stream
from coatcheck.storage.moving import Digest, Progress, compare, move, survey
from coatcheck.storage.moving.digests import digest_of
from coatcheck.storage.moving.model import NUMBERED, Row
from coatcheck.storage.moving.postgres_side import PostgresSide
from coatcheck.storage.moving.schema import own_tables
from coatcheck.storage.postgres import PostgresStorage
from coatcheck.storage.sqlite import SQLiteStorage
from tests.engines import PostgresServer
from tests.flows.world import World
from tests.storage.populations import BOOLEAN, contents, make_file, populate, schema

# What an engine has for itself.
INTERNAL = {"changes", "coatcheck_schema"}


@contextmanager
def storage_at(address: str) -> Iterator[tuple[Storage, asyncio.Runner]]:
    with asyncio.Runner() as runner:
        storage: Storage = PostgresStorage(address) if "://" in address else SQLiteStorage(address)
        yield storage, runner
        runner.run(storage.close())


def answer(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        found = connection.execute(query.encode()).fetchone()
    return found and found[0]


# --- everything ------------------------------------------------------------------------------------------------


def test_every_table_and_column_of_either_engine_is_moved(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        columns = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND is_generated = 'NEVER'"
        ).fetchall()
    moved = {(name, column.name) for name, table in own_tables().items() for column in table.columns}
    assert {each for each in columns if each[0] not in INTERNAL} == moved
    with closing(PostgresSide(postgres_url, locked=False)) as side:
        assert side.tables().keys() == own_tables().keys()
        booleans = {
            (name, column.name)
            for name, table in side.tables().items()
            for column in table.columns
            if column.kind == "boolean"
        }
    assert booleans == BOOLEAN


def test_every_table_that_numbers_its_rows_goes_on_counting(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        numbered = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND is_identity = 'YES'"
        ).fetchall()
    assert dict([*numbered, ("ledger", "seq")]) == NUMBERED


@given(seed=st.integers(0, 2**32))
@settings(max_examples=4)
def test_any_records_are_the_same_there_and_back(postgres: PostgresServer, seed: int) -> None:
    with tempfile.TemporaryDirectory() as directory, postgres.database("empty") as url:
        source, back = make_file(Path(directory) / "a.db"), Path(directory) / "b.db"
        populate(source, seed)
        there = move(str(source), url)
        again = move(url, str(back))
        assert contents(back) == contents(source)
        assert schema(back) == schema(source)
        assert there.is_equal
        assert again.is_equal
        assert [each.source for each in there.tables] == [each.target for each in again.tables]


def test_all_tables_have_rows_in_what_is_tested(tmp_path: Path) -> None:
    populate(make_file(tmp_path / "a.db"), 1, rows=12)
    assert [name for name, rows in contents(tmp_path / "a.db").items() if not rows] == []


def test_the_tables_of_the_target_are_as_its_own_migrations_make_them(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    definitions = """
        SELECT array_agg(line ORDER BY line)::text FROM (
            SELECT pg_get_indexdef(indexrelid) AS line FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
            WHERE relnamespace = current_schema()::regnamespace
            UNION ALL SELECT conrelid::regclass || conname || pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = current_schema()::regnamespace
            UNION ALL SELECT tgname || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal
            UNION ALL SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace
        ) AS lines"""
    populate(make_file(tmp_path / "a.db"), 3)
    with postgres.database("empty") as url, postgres.database() as new:
        move(str(tmp_path / "a.db"), new)
        assert answer(new, definitions) == answer(url, definitions)


@pytest.mark.parametrize("engine", ["file", "database"])
def test_records_move_between_two_of_the_same_kind(
    postgres: PostgresServer, tmp_path: Path, engine: str
) -> None:
    source = make_file(tmp_path / "a.db")
    populate(source, 7)
    if engine == "file":
        assert move(str(source), str(tmp_path / "b.db")).is_equal
        assert contents(tmp_path / "b.db") == contents(source)
        return
    with postgres.database("empty") as one, postgres.database() as other:
        move(str(source), one)
        assert move(one, other).is_equal
        assert compare(str(source), other).is_equal


def test_a_file_of_an_earlier_release_is_brought_up_to_date_first(tmp_path: Path) -> None:
    from coatcheck.storage.sqlite.migrations import MIGRATIONS

    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 1")
        connection.execute(
            "INSERT INTO users VALUES ('u', 'a@example.com', 'a@example.com', NULL, '[]', 1, 1, NULL)"
        )
        connection.commit()
    plan = survey(str(path), str(tmp_path / "new.db"))
    assert (plan.is_old, plan.rows, plan.problems) == (True, {}, ())
    assert move(str(path), str(tmp_path / "new.db")).rows == 2  # with the generation of sessions


# --- goes on ---------------------------------------------------------------------------------------------------


def test_nobody_is_signed_out(postgres_url: str, tmp_path: Path) -> None:
    source, back = str(tmp_path / "a.db"), str(tmp_path / "b.db")
    with storage_at(source) as (storage, runner):
        world = World(storage)
        browser = runner.run(world.signed_up())
        app = runner.run(world.signed_in(credential="tokens"))
        keys = runner.run(world.context.access_tokens.key_set())
    world.hasher.pool.close()
    for one, other in ((source, postgres_url), (postgres_url, back)):
        move(one, other)
        with storage_at(other) as (storage, runner):
            later = world.sibling(storage)
            later.hasher.pool.close()
            assert runner.run(later.is_in(browser))
            assert runner.run(later.is_in(app))
            assert runner.run(later.context.access_tokens.key_set()).to_jwks() == keys.to_jwks()
    with storage_at(back) as (storage, runner):
        later = world.sibling(storage)
        later.hasher.pool.close()
        assert runner.run(later.can_refresh(app))


async def end_all(storage: Storage) -> int:
    async with storage.transaction() as records:
        return (await records.append_entries([a_draft(mark="after")]))[0].seq


def test_the_ledger_goes_on_behind_its_last_number_though_that_entry_is_gone(
    postgres_url: str, tmp_path: Path
) -> None:
    source, back = make_file(tmp_path / "a.db"), str(tmp_path / "b.db")
    with closing(sqlite3.connect(source)) as connection, connection:
        connection.execute(
            "INSERT INTO ledger VALUES (41, 'session', 's', NULL, ?, 'signed-out', 'a', ?, 'mark 41')",
            (NOW, NOW),
        )
        connection.execute("UPDATE sqlite_sequence SET seq = 1000 WHERE name = 'ledger'")
    assert move(str(source), postgres_url).numbers["ledger"] == (1000, 1000)
    assert move(postgres_url, back).numbers["ledger"] == (1000, 1000)
    for end in (postgres_url, back):
        with storage_at(end) as (storage, runner):
            assert runner.run(storage.records.find_mark(41)) == "mark 41"
            assert runner.run(end_all(storage)) == 1001
            assert runner.run(storage.records.find_mark(1001)) == "after"


def test_what_is_queued_later_is_numbered_behind_what_was_moved(postgres_url: str, tmp_path: Path) -> None:
    source = str(tmp_path / "a.db")

    async def queue(storage: Storage, *names: str) -> list[str]:
        async with storage.transaction() as records:
            await records.add_signals([a_signal(name) for name in names])
        return [signal.jti for signal in await storage.records.list_signals("stream-one", limit=10)]

    with storage_at(source) as (storage, runner):
        runner.run(storage.records.add_service(a_service()))
        runner.run(storage.records.add_stream(a_stream()))
        runner.run(queue(storage, "a", "b"))
    move(source, postgres_url)
    with storage_at(postgres_url) as (storage, runner):
        assert runner.run(queue(storage, "c")) == ["event-a", "event-b", "event-c"]


# --- told ------------------------------------------------------------------------------------------------------


def test_progress_is_told_from_nothing_to_all_of_both_stages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coatcheck.storage.moving.engine._STEP", 1)
    populate(make_file(tmp_path / "a.db"), 5)
    told: list[Progress] = []
    report = move(str(tmp_path / "a.db"), str(tmp_path / "b.db"), on_progress=told.append)
    for stage in ("copy", "verify"):
        done = [each.done for each in told if each.stage == stage]
        assert done == sorted(done)
        assert (done[0], done[-1]) == (0, report.rows)
        assert {each.total for each in told} == {report.rows}


def test_a_comparison_finds_one_changed_bit_and_numbers_that_would_be_given_again(
    postgres_url: str, tmp_path: Path
) -> None:
    source = make_file(tmp_path / "a.db")
    populate(source, 11)
    move(str(source), postgres_url)
    assert compare(str(source), postgres_url).is_equal
    with psycopg.connect(postgres_url) as connection:
        connection.execute("UPDATE changes SET ledger = 0")
    report = compare(str(source), postgres_url)
    assert all(each.is_equal for each in report.tables)
    assert not report.is_equal
    with psycopg.connect(postgres_url) as connection:
        connection.execute(
            "UPDATE sessions SET data = data || '\\x01' WHERE id = (SELECT min(id) FROM sessions)"
        )
    report = compare(str(source), postgres_url)
    assert [each.table for each in report.tables if not each.is_equal] == ["sessions"]


def test_what_rows_add_up_to_depends_on_each_of_them_and_not_on_their_order() -> None:
    rows: list[Row] = [(1, "a", b"a", None), (2, "a", b"a", 0.5)]
    assert digest_of(rows) == digest_of(rows[::-1])
    assert digest_of([]) == Digest(rows=0, total=0)
    others: list[list[Row]] = [
        rows[:1],
        [*rows, rows[0]],
        [rows[0], (2, "a", b"a", None)],
        [rows[0], (2, b"a", "a", 0.5)],
    ]
    assert len({digest_of(each) for each in (rows, *others)}) == 5
    assert re.fullmatch("[0-9a-f]{32}", digest_of(rows).hex)
