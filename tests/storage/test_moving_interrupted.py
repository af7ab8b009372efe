"""A move that is killed goes on where it was, whenever that was; and nobody writes beside it."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from coatcheck.storage.errors import HalfMovedError, StorageBusyError, StorageError
from coatcheck.storage.moving import (
    MoveNotVerifiedError,
    OtherMoveError,
    Progress,
    compare,
    move,
    survey,
)
from coatcheck.storage.postgres import PostgresStorage
from coatcheck.storage.sqlite import SQLiteStorage
from tests.engines import PostgresServer
from tests.storage.populations import contents, make_file, populate, schema

ROOT = Path(__file__).parent.parent.parent

# Moves in children, each of which kills itself at another moment; the last one may finish. Batches of seven rows.
KILLED = """
import json, os, signal, sys
from coatcheck.storage.moving import engine, move, postgres_side, sqlite_side

source, target, moments = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
engine._BATCH, engine._STEP = 7, 1

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def wrap(name, before):
    for kind in (postgres_side.PostgresTarget, sqlite_side.SQLiteTarget):
        def wrapped(self, *arguments, real=getattr(kind, name)):
            before and die()
            real(self, *arguments)
            die()
        setattr(kind, name, wrapped)

def told_until(moment):
    stage, share = moment
    def tell(progress):
        if progress.stage == stage and progress.done >= share * progress.total:
            die()
    return tell

for moment in moments:
    child = os.fork()
    if not child:
        if moment[0] in ("begin", "clear", "finish"):
            wrap(*moment)
            move(source, target)
        else:
            move(source, target, on_progress=told_until(moment))
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    print(json.dumps([moment, os.WTERMSIG(status) if os.WIFSIGNALED(status) else -status]), flush=True)
"""
MOMENTS: list[list[Any]] = [
    ["begin", True],
    ["begin", False],
    *[["copy", share / 10] for share in (0, 1, 3, 4, 7, 9.9)],
    ["copy", 1],
    ["verify", 0],
    ["verify", 0.5],
    ["verify", 1],
    ["finish", True],
]


CHANGES = (
    "DELETE FROM assertions WHERE digest = (SELECT min(digest) FROM assertions)",
    "UPDATE codes SET expires_at = 5 WHERE digest = (SELECT min(digest) FROM codes)",
    "INSERT INTO throttles VALUES ('new', 7)",
    "DELETE FROM consents",
)


def kill(source: str, target: str, moments: list[list[Any]]) -> list[tuple[list[Any], int]]:
    """Move and be killed at each of the moments, and return by which signal."""
    command = [sys.executable, "-c", KILLED, source, target, json.dumps(moments)]
    ran = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=True,
    )
    return [tuple(json.loads(line)) for line in ran.stdout.splitlines()]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = make_file(tmp_path / "source.db")
    populate(path, 21, rows=8)
    return path


@pytest.mark.parametrize("to", ["postgresql", "sqlite"])
def test_a_move_that_is_killed_at_any_moment_goes_on_and_moves_nothing_twice(
    postgres: PostgresServer, source: Path, tmp_path: Path, to: str
) -> None:
    with postgres.database() as url:
        target = url if to == "postgresql" else str(tmp_path / "target.db")
        assert [signal for _, signal in kill(str(source), target, MOMENTS)] == [9] * len(MOMENTS)
        with pytest.raises(HalfMovedError):
            PostgresStorage(url) if to == "postgresql" else SQLiteStorage(target)
        assert survey(str(source), target).resumes
        report = move(str(source), target)
        assert report.resumed
        assert report.is_equal
        # Killed after the last commit, before it could say so.
        assert move(str(source), target).was_there
        back = tmp_path / "back.db"
        move(target, str(back))
    assert contents(back) == contents(source)
    assert schema(back) == schema(source)


def test_what_was_moved_before_the_kill_is_not_moved_again(postgres: PostgresServer, source: Path) -> None:
    with postgres.database() as url:
        kill(str(source), url, [["copy", 0.5]])
        with psycopg.connect(url) as connection:
            before = connection.execute("SELECT ctid, xmin, digest FROM codes ORDER BY 3").fetchall()
        move(str(source), url)
        with psycopg.connect(url) as connection:
            after = connection.execute("SELECT ctid, xmin, digest FROM codes ORDER BY 3").fetchall()
    assert before
    assert after == before


@pytest.mark.parametrize("to", ["postgresql", "sqlite"])
def test_what_the_source_was_given_between_the_kill_and_the_next_run_is_moved_too(
    postgres: PostgresServer,
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    to: str,
) -> None:
    with postgres.database() as url:
        target = url if to == "postgresql" else str(tmp_path / "target.db")

        def stop(progress: Progress) -> None:
            if progress.done > progress.total / 2:
                raise InterruptedError

        monkeypatch.setattr("coatcheck.storage.moving.engine._STEP", 1)
        monkeypatch.setattr("coatcheck.storage.moving.engine._BATCH", 3)
        with pytest.raises(InterruptedError):
            move(str(source), target, on_progress=stop)
        with closing(sqlite3.connect(source)) as connection, connection:
            for change in CHANGES:
                connection.execute(change)
        assert move(str(source), target).is_equal
        assert compare(str(source), target).is_equal


def unfinished(source: Path, target: str) -> None:
    def stop(progress: Progress) -> None:
        if progress.stage == "verify":
            raise InterruptedError

    with pytest.raises(InterruptedError):
        move(str(source), target, on_progress=stop)


@pytest.mark.parametrize("to", ["postgresql", "sqlite"])
def test_a_move_from_elsewhere_is_not_gone_on_with_unless_it_is_to_start_over(
    postgres: PostgresServer, source: Path, tmp_path: Path, to: str
) -> None:
    other = make_file(tmp_path / "other.db")
    populate(other, 22)
    with postgres.database() as url:
        target = url if to == "postgresql" else str(tmp_path / "target.db")
        unfinished(other, target)
        with pytest.raises(OtherMoveError) as refused:
            move(str(source), target)
        assert refused.value.source == str(other)
        assert [each.code for each in survey(str(source), target).problems] == ["other_move"]
        assert survey(str(source), target, start_over=True).problems == ()
        report = move(str(source), target, start_over=True)
        assert not report.resumed
        move(target, str(tmp_path / "back.db"))
    assert contents(tmp_path / "back.db") == contents(source)
    assert schema(tmp_path / "back.db") == schema(source)


def during(source: str, target: str, act: Callable[[], None]) -> None:
    """Do something once in the midst of a move."""
    done: list[Progress] = []

    def tell(progress: Progress) -> None:
        if progress.stage == "verify" and not done:
            done.append(progress)
            act()

    move(source, target, on_progress=tell)
    assert done


async def write_and_read(storage: SQLiteStorage) -> None:
    try:
        with pytest.raises(StorageBusyError):
            await storage.records.write_throttles({"a": 1.0})
        await storage.records.read_throttles(["a"])
    finally:
        await storage.close()


def test_a_server_on_the_file_is_told_to_come_later_with_its_writes_and_goes_on_reading(
    source: Path, tmp_path: Path
) -> None:
    import asyncio

    storage = SQLiteStorage(source, busy_timeout=timedelta(milliseconds=20))
    during(str(source), str(tmp_path / "b.db"), lambda: asyncio.run(write_and_read(storage)))
    assert compare(str(source), str(tmp_path / "b.db")).is_equal


def test_nobody_writes_to_the_database_that_is_moved_and_reading_goes_on(
    postgres_url: str, source: Path, tmp_path: Path
) -> None:
    move(str(source), postgres_url)

    def write_and_read() -> None:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute("SET lock_timeout = '20ms'")
            for change in ("DELETE FROM throttles", "DELETE FROM users"):
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    connection.execute(change.encode())
            assert connection.execute("SELECT count(*) FROM users").fetchone() != (0,)

    during(postgres_url, str(tmp_path / "b.db"), write_and_read)
    assert compare(postgres_url, str(tmp_path / "b.db")).is_equal


def test_nobody_else_opens_a_file_that_records_are_moved_into(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "b.db"

    def look() -> None:
        with (
            closing(sqlite3.connect(target, timeout=0)) as connection,
            pytest.raises(sqlite3.OperationalError),
        ):
            connection.execute("SELECT * FROM users")

    during(str(source), str(target), look)


def test_no_server_starts_on_a_database_that_records_are_moved_into(
    postgres: PostgresServer, source: Path
) -> None:
    def look(url: str) -> None:
        with pytest.raises(HalfMovedError):
            PostgresStorage(url)

    with postgres.database() as url:
        during(str(source), url, lambda: look(url))


@pytest.mark.parametrize("to", ["postgresql", "sqlite"])
def test_two_moves_into_the_same_target_do_not_meet(
    postgres: PostgresServer, source: Path, tmp_path: Path, to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_file(tmp_path / "other.db")
    monkeypatch.setattr("coatcheck.storage.moving.sqlite_side._SECONDS_TO_LOCK", 0.02)
    monkeypatch.setattr("coatcheck.storage.moving.postgres_side._SESSION", "SET lock_timeout = '20ms'")

    def also(target: str) -> None:
        with pytest.raises(StorageBusyError):
            move(str(other), target)

    with postgres.database() as url:
        target = url if to == "postgresql" else str(tmp_path / "target.db")
        during(str(source), target, lambda: also(target))


def test_a_target_that_somebody_else_writes_to_is_not_called_moved_and_is_mended(
    postgres: PostgresServer, source: Path
) -> None:
    with postgres.database() as url:

        def write() -> None:
            with psycopg.connect(url) as connection:
                connection.execute("INSERT INTO throttles VALUES ('strange', 1)")
                connection.execute("DELETE FROM keys")

        with pytest.raises(MoveNotVerifiedError) as refused:
            during(str(source), url, write)
        assert refused.value.tables == ("keys", "throttles")
        with pytest.raises(HalfMovedError):
            PostgresStorage(url)
        assert move(str(source), url).is_equal
        assert compare(str(source), url).is_equal


def test_a_server_that_dies_in_the_midst_is_a_designed_failure_and_the_move_goes_on_later(
    postgres: PostgresServer, source: Path
) -> None:
    with postgres.database() as url:

        def cut() -> None:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

        with pytest.raises(StorageError):
            during(str(source), url, cut)
        assert move(str(source), url).resumed
