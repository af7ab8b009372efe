"""What is in the way of a move is said before anything is written, and never with a password."""

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from coatcheck.storage.errors import (
    ForeignDatabaseError,
    HalfMovedError,
    NotADatabaseError,
    SchemaTooNewError,
    StorageAccessError,
    StorageError,
)
from coatcheck.storage.moving import (
    DriverMissingError,
    InconsistentSourceError,
    SameStorageError,
    SchemaMismatchError,
    SchemaTooOldError,
    TargetNotEmptyError,
    UnfitRecordError,
    address_shown,
    compare,
    move,
    survey,
)
from tests.engines import PostgresServer
from tests.storage.populations import contents, make_file, populate


def change(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return path


def codes(source: object, target: object) -> list[str]:
    return [each.code for each in survey(str(source), str(target)).problems]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = make_file(tmp_path / "source.db")
    populate(path, 31)
    return path


def test_a_look_changes_and_makes_nothing(postgres: PostgresServer, source: Path, tmp_path: Path) -> None:
    before = source.read_bytes()
    with postgres.database() as url:
        plan = survey(str(source), url)
        with psycopg.connect(url) as connection:
            made = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert made == (0,)
    assert survey(str(source), str(tmp_path / "new.db")) == survey(str(source), str(tmp_path / "new.db"))
    assert not (tmp_path / "new.db").exists()
    assert source.read_bytes() == before
    assert (plan.problems, plan.resumes) == ((), False)
    assert plan.rows == {name: len(rows) for name, rows in contents(source).items() if name != "counted"}


def test_a_source_that_is_not_there_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(StorageAccessError, match="There is no database at"):
        move(str(tmp_path / "none.db"), str(tmp_path / "b.db"))
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_our_tables_is_no_source(postgres: PostgresServer, tmp_path: Path) -> None:
    with postgres.database() as url, pytest.raises(ForeignDatabaseError):
        move(url, str(tmp_path / "b.db"))


@pytest.mark.parametrize(
    "statement, error",
    [
        ("PRAGMA user_version = 99", SchemaTooNewError),
        ("PRAGMA application_id = 7", ForeignDatabaseError),
    ],
)
def test_a_file_of_another_program_or_a_newer_release_is_refused(
    source: Path, tmp_path: Path, statement: str, error: type[Exception]
) -> None:
    empty = change(make_file(tmp_path / "empty.db"), statement)
    good = source.read_bytes()
    with pytest.raises(error):
        move(str(source), str(empty))
    assert codes(source, empty) == [getattr(error, "code", "")]
    change(source, statement)
    for refused in (move, survey, compare):
        with pytest.raises(error):
            refused(str(source), str(tmp_path / "b.db"))
    assert source.read_bytes() != good
    assert not (tmp_path / "b.db").exists()


@pytest.mark.parametrize("number, error", [(99, SchemaTooNewError), (0, SchemaTooOldError)])
def test_a_database_of_another_release_is_not_compared(
    postgres_url: str, source: Path, number: int, error: type[Exception]
) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("UPDATE coatcheck_schema SET number = %s", (number,))
    with pytest.raises(error):
        compare(str(source), postgres_url)
    newer = [SchemaTooNewError.code] if error is SchemaTooNewError else []
    assert codes(source, postgres_url) == newer  # what is older is brought up to date by a move


def test_what_is_no_database_is_refused(source: Path, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("no database, but long enough to be taken for one" * 100)
    for refused in (move, compare):
        with pytest.raises(NotADatabaseError):
            refused(str(text), str(source))
        with pytest.raises(NotADatabaseError):
            refused(str(source), str(text))
    assert codes(source, text) == ["not_a_database"]
    with pytest.raises(StorageError):
        move(str(source), str(tmp_path / "no" / "directory.db"))
    with pytest.raises(StorageError):
        compare(str(source), str(tmp_path))


@pytest.mark.parametrize("to", ["postgresql", "sqlite"])
def test_a_target_with_records_of_its_own_is_refused_and_left_as_it_is(
    postgres_url: str, source: Path, tmp_path: Path, to: str
) -> None:
    other = make_file(tmp_path / "other.db")
    populate(other, 32)
    target = postgres_url if to == "postgresql" else str(tmp_path / "target.db")
    move(str(other), target)
    with pytest.raises(TargetNotEmptyError) as refused:
        move(str(source), target)
    assert refused.value.rows["users"] == len(contents(other)["users"])
    assert codes(source, target) == ["target_not_empty"]
    assert compare(str(other), target).is_equal


def test_a_target_with_as_many_records_but_others_is_refused(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "target.db"
    move(str(source), str(target))
    change(target, "UPDATE users SET email = 'other' WHERE id = (SELECT min(id) FROM users)")
    assert codes(source, target) == []  # to count is not to read
    with pytest.raises(TargetNotEmptyError):
        move(str(source), str(target))


@pytest.mark.parametrize("what", ["file", "link", "database"])
def test_a_storage_is_not_moved_into_itself(
    postgres_url: str, source: Path, tmp_path: Path, what: str
) -> None:
    one = other = str(source)
    if what == "link":
        other = str(tmp_path / "link.db")
        Path(other).symlink_to(source)
    if what == "database":
        one, other = postgres_url, postgres_url.replace("127.0.0.1", "localhost") + "?application_name=x"
    with pytest.raises(SameStorageError):
        move(one, other)
    assert "same_storage" in codes(one, other)


def test_text_that_postgresql_cannot_hold_is_named_before_anything_is_done(
    postgres: PostgresServer, source: Path, tmp_path: Path
) -> None:
    change(source, "INSERT INTO throttles VALUES ('ab' || char(0) || 'c', 1)")
    with postgres.database() as url:
        with pytest.raises(UnfitRecordError) as refused:
            move(str(source), url)
        assert (refused.value.table, refused.value.key) == ("throttles", r"key='ab\x00c'")
        assert codes(source, url) == ["unfit_record"]
        with psycopg.connect(url) as connection:
            made = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        assert made == (0,)
    assert move(str(source), str(tmp_path / "b.db")).is_equal  # a file can


@pytest.mark.parametrize("to", ["postgresql", "sqlite"])
def test_rows_that_do_not_go_together_never_become_a_server_s(
    postgres: PostgresServer, source: Path, tmp_path: Path, to: str
) -> None:
    change(source, "INSERT INTO profiles VALUES ('nobody', x'7b7d', 1)")
    with postgres.database() as url:
        target = url if to == "postgresql" else str(tmp_path / "b.db")
        with pytest.raises(InconsistentSourceError, match="profiles"):
            move(str(source), target)
        with pytest.raises(HalfMovedError):  # nor is what is unfinished moved on
            move(target, str(tmp_path / "c.db"))
        with pytest.raises(HalfMovedError):
            compare(str(source), target)
        assert "half_moved" in codes(target, tmp_path / "c.db")
        change(source, "DELETE FROM profiles WHERE user_id = 'nobody'")
        assert move(str(source), target).resumed


def test_a_damaged_schema_is_refused(postgres: PostgresServer, source: Path) -> None:
    for statement in ("DROP TABLE throttles", "ALTER TABLE throttles ADD COLUMN more TEXT"):
        with postgres.database("empty") as url:
            with psycopg.connect(url) as connection:
                connection.execute(statement.encode())
            with pytest.raises(SchemaMismatchError, match="throttles"):
                move(str(source), url)
    with postgres.database("empty") as url:
        with psycopg.connect(url) as connection:
            connection.execute("ALTER TABLE throttles ALTER COLUMN arrives_at TYPE numeric")
        with pytest.raises(SchemaMismatchError, match="numeric"):
            move(str(source), url)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ann:hunter2@127.0.0.1:1/app",
        "postgresql://127.0.0.1:1/app?user=ann&password=hunter2",
        "postgresql://ann:hunter2@[127.0.0.1/app",
        "postgresql://ann:hunter2@127.0.0.1:port/app",
        "postgres://ann:hunter2@127.0.0.1:1/app?nonsense=1",
    ],
)
def test_no_error_shows_a_password_or_is_the_driver_s(source: Path, tmp_path: Path, address: str) -> None:
    for attempt, one, other in (
        (move, str(source), address),
        (move, address, str(tmp_path / "b.db")),
        (compare, str(source), address),
    ):
        with pytest.raises(StorageAccessError) as refused:
            attempt(one, other)
        assert "hunter2" not in f"{refused.value.message} {refused.value.detail} {refused.value.path}"
    assert "hunter2" not in f"{survey(str(source), address)} {address_shown(address)}"


def test_no_password_is_kept_in_the_target(postgres: PostgresServer, source: Path, tmp_path: Path) -> None:
    def stop(progress: object) -> None:
        raise InterruptedError

    with postgres.database("empty") as url:
        move(str(source), url)
        secret = url.replace("coatcheck@", "coatcheck:hunter2@")
        with pytest.raises(InterruptedError):
            move(secret, str(tmp_path / "b.db"), on_progress=stop)
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("b.db*"))
    assert b"unfinished_move" in kept
    assert b"hunter2" not in kept


def test_without_the_driver_it_is_said_what_to_install(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coatcheck.storage.moving.moves.find_spec", lambda _: None)
    with pytest.raises(DriverMissingError, match=r"coatcheck\[postgres\]"):
        move(str(source), "postgresql://127.0.0.1/app")
