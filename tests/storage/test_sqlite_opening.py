"""Which files are opened, which are refused, and how a schema comes about."""

import multiprocessing
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from coatcheck.errors import CoatcheckError
from coatcheck.storage.conformance.driving import run
from coatcheck.storage.conformance.samples import a_user
from coatcheck.storage.errors import (
    DamagedDatabaseError,
    ForeignDatabaseError,
    NotADatabaseError,
    SchemaTooNewError,
    StorageAccessError,
    StorageBusyError,
    StorageError,
    StorageOpenError,
)
from coatcheck.storage.sqlite import SQLiteStorage, opening
from coatcheck.storage.sqlite.migrations import APPLICATION_ID, MIGRATIONS


async def nothing(_: object) -> None:
    """Open and close only."""


def open_and_close(path: Path) -> None:
    run(lambda: SQLiteStorage(path), nothing)


def pragma(path: Path, name: str) -> object:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "coatcheck.db"


@pytest.fixture
def used(path: Path) -> Path:
    async def fill(storage: SQLiteStorage) -> None:
        for number in range(50):
            await storage.records.add_user(a_user(str(number)))

    run(lambda: SQLiteStorage(path), fill)  # type: ignore[arg-type] # the very kind that was opened
    return path


# --- what it makes ---------------------------------------------------------------------------------------


def test_a_new_file_is_for_its_owner_alone_and_so_are_those_beside_it(path: Path) -> None:
    before = os.umask(0)
    try:
        storage = SQLiteStorage(path)
        names = sorted(path.parent.iterdir())
        modes = {stat.S_IMODE(each.stat().st_mode) for each in names}
    finally:
        os.umask(before)
    assert [each.name for each in names] == ["coatcheck.db", "coatcheck.db-shm", "coatcheck.db-wal"]
    assert modes == {0o600}
    run(lambda: storage, nothing)
    assert list(path.parent.iterdir()) == [path]


def test_a_new_file_says_whose_it_is_and_how_far_its_schema_goes(path: Path) -> None:
    open_and_close(path)
    assert pragma(path, "application_id") == APPLICATION_ID == int.from_bytes(b"COAT")
    assert pragma(path, "user_version") == len(MIGRATIONS)
    assert pragma(path, "journal_mode") == "wal"


@pytest.mark.parametrize("name", ["a b.db", "a?mode=memory", "a#b.db", "100%25.db", "ü.db", "'.db"])
def test_any_name_is_that_of_a_file(tmp_path: Path, name: str) -> None:
    open_and_close(tmp_path / name)
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_path_may_be_text_and_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run(lambda: SQLiteStorage("here.db"), nothing)
    assert (tmp_path / "here.db").exists()


def test_an_empty_file_is_as_good_as_none(path: Path) -> None:
    path.touch(0o644)
    open_and_close(path)
    assert pragma(path, "application_id") == APPLICATION_ID


@pytest.mark.parametrize("synchronous, level", [("normal", 1), ("full", 2)])
def test_the_writer_has_the_settings_that_keep_the_records_safe(
    path: Path, synchronous: opening.Synchronous, level: int
) -> None:
    reader, writer = opening.open_connections(path, synchronous=synchronous)
    with closing(reader), closing(writer):
        expected = {
            "synchronous": level,
            "foreign_keys": 1,
            "trusted_schema": 0,
            "secure_delete": 1,
            "busy_timeout": 0,
        }
        assert {name: writer.execute(f"PRAGMA {name}").fetchone()[0] for name in expected} == expected
        assert reader.execute("PRAGMA query_only").fetchone() == (1,)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("DELETE FROM users")


# --- what it refuses -------------------------------------------------------------------------------------


def contents(directory: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in directory.iterdir()}


def assert_refused(path: Path, error: type[CoatcheckError]) -> StorageError:
    before = contents(path.parent)
    with pytest.raises(error) as caught:
        SQLiteStorage(path)
    assert contents(path.parent) == before
    assert isinstance(caught.value, StorageError)
    return caught.value


@pytest.mark.parametrize(
    "text", [b"%PDF-1.7\n" * 100, b"short", bytes(4096), b"SQLite format 3\0" + b"x" * 4080]
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, text: bytes) -> None:
    path.write_bytes(text)
    assert str(path) in str(assert_refused(path, NotADatabaseError))


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE notes (text)"],
        ["PRAGMA journal_mode = WAL", "CREATE TABLE notes (text)"],
        ["PRAGMA application_id = 252006673"],
        ["PRAGMA user_version = 1"],
        ["CREATE TABLE users (id)", "PRAGMA user_version = 1"],
    ],
)
def test_the_database_of_another_application_is_refused_and_left_alone(
    path: Path, statements: list[str]
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    error = assert_refused(path, ForeignDatabaseError)
    assert isinstance(error, StorageOpenError)
    assert error.path == str(path)


def test_the_log_of_another_application_is_left_alone(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode = WAL")
    other.execute("CREATE TABLE notes (text)")
    crashed = path.parent / "crashed"
    crashed.mkdir()
    for each in (path, path.with_name("coatcheck.db-wal")):
        shutil.copy(each, crashed)
    other.close()
    before = contents(crashed)
    with pytest.raises(ForeignDatabaseError):
        SQLiteStorage(crashed / "coatcheck.db")
    assert contents(crashed).items() >= before.items()


def test_a_database_of_a_newer_release_is_refused_and_left_alone(used: Path) -> None:
    with closing(sqlite3.connect(used)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    error = assert_refused(used, SchemaTooNewError)
    assert isinstance(error, SchemaTooNewError)
    assert (error.found, error.supported) == (len(MIGRATIONS) + 1, len(MIGRATIONS))


def test_a_corrupt_schema_is_refused_and_left_alone(used: Path) -> None:
    text = bytearray(used.read_bytes())
    text[100:4096] = b"\xa5" * 3996  # all of the first page but the header
    used.write_bytes(text)
    assert_refused(used, DamagedDatabaseError)


def test_corrupt_records_are_an_error_of_ours_where_they_are_read(used: Path) -> None:
    with closing(sqlite3.connect(used)) as connection:
        roots = [page for (page,) in connection.execute("SELECT rootpage FROM sqlite_schema")]
    text = bytearray(used.read_bytes())
    for page in roots:  # all but the schema, without which it cannot be opened at all
        text[(page - 1) * 4096 : page * 4096] = b"\xa5" * 4096
    used.write_bytes(text)

    async def read(storage: SQLiteStorage) -> None:
        with pytest.raises(DamagedDatabaseError):
            await storage.records.find_user("user-1")
        with pytest.raises(DamagedDatabaseError):
            await storage.records.list_users()
        with pytest.raises(DamagedDatabaseError):
            await storage.records.delete_user("user-1")

    run(lambda: SQLiteStorage(used), read)  # type: ignore[arg-type] # the very kind that was opened


@pytest.mark.parametrize("name", [":memory:", "", ".", "no/such/directory/x.db", "nul\0.db", "n" * 300])
def test_a_path_that_cannot_be_a_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StorageAccessError):
        SQLiteStorage(name)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageAccessError):
        SQLiteStorage(tmp_path)


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@contextmanager
def without_privileges() -> Iterator[None]:
    """The superuser may write anywhere: be somebody else for a while."""
    is_superuser = os.geteuid() == 0
    if is_superuser:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_superuser:
            os.seteuid(0)


def test_a_directory_that_may_not_be_written_is_refused(open_to_all: Path) -> None:
    open_to_all.chmod(0o555)
    with without_privileges(), pytest.raises(StorageAccessError):
        SQLiteStorage(open_to_all / "coatcheck.db")
    assert list(open_to_all.iterdir()) == []


@pytest.mark.parametrize("directory_mode", [0o777, 0o555])
@pytest.mark.parametrize("file_mode", [0o444, 0o000])
def test_a_file_that_may_not_be_written_is_refused(
    open_to_all: Path, directory_mode: int, file_mode: int
) -> None:
    path = open_to_all / "coatcheck.db"
    open_and_close(path)
    before = path.read_bytes()
    path.chmod(file_mode)
    open_to_all.chmod(directory_mode)
    with without_privileges(), pytest.raises(StorageAccessError):
        SQLiteStorage(path)
    assert path.read_bytes() == before


def test_an_sqlite_that_is_too_old_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 36, 9))
    with pytest.raises(StorageOpenError, match=r"3\.37"):
        SQLiteStorage(path)
    assert not path.exists()


def test_a_file_that_stays_locked_is_refused_after_a_while(
    used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_SECONDS_TO_OPEN", 0.25)  # longer than one attempt
    with closing(sqlite3.connect(used, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageBusyError):
            SQLiteStorage(used)
    open_and_close(used)


# --- migrations ------------------------------------------------------------------------------------------

STEPS = (("CREATE TABLE a (x)", f"PRAGMA application_id = {APPLICATION_ID}"), ("ALTER TABLE a ADD COLUMN y",))


def migrate(path: Path, steps: tuple[tuple[str, ...], ...]) -> None:
    for connection in opening.open_connections(path, synchronous="normal", migrations=steps):
        connection.close()


def test_steps_are_taken_in_order_and_once(path: Path) -> None:
    migrate(path, STEPS[:1])
    assert pragma(path, "user_version") == 1
    for _ in range(2):
        migrate(path, STEPS)
        assert pragma(path, "user_version") == 2
    migrate(path, (*STEPS, ("INSERT INTO a VALUES (1, 2)", "CREATE INDEX a_by_y ON a (y)")))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT x, y FROM a").fetchall() == [(1, 2)]


def test_a_step_that_fails_leaves_the_schema_before_it(path: Path) -> None:
    broken = (*STEPS, ("CREATE TABLE b (z)", "CREATE TABLE a (again)"))
    with pytest.raises(StorageError):
        migrate(path, broken)
    assert pragma(path, "user_version") == 2
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("a",)]
    migrate(path, STEPS)


def start(path: Path, line: Barrier) -> None:
    line.wait(60)
    run(lambda: SQLiteStorage(path, busy_timeout=timedelta(seconds=30)), nothing)


def test_processes_may_start_at_once(tmp_path: Path) -> None:
    spawning = multiprocessing.get_context("spawn")
    for attempt in range(3):
        path = tmp_path / f"{attempt}.db"
        line = spawning.Barrier(6)
        processes = [spawning.Process(target=start, args=(path, line)) for _ in range(6)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(60)
        assert [process.exitcode for process in processes] == [0] * 6
        assert pragma(path, "user_version") == len(MIGRATIONS)
        assert pragma(path, "integrity_check") == "ok"
