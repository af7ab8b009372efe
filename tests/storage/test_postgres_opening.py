"""A database that cannot be used is refused in words, and left as it was; several nodes open one at once."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from coatcheck.storage.errors import (
    ForeignDatabaseError,
    SchemaTooNewError,
    StorageAccessError,
    StorageOpenError,
    StorageUnreachableError,
)
from coatcheck.storage.postgres import PostgresStorage
from coatcheck.storage.postgres.migrations import MIGRATIONS
from coatcheck.storage.postgres.opening import prepare
from tests.engines import PostgresServer
from tests.guards.programs import free_port


def tables(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace ORDER BY relname"
        ).fetchall()
    return [name for (name,) in found]


def test_many_nodes_that_start_at_once_make_one_schema(postgres: PostgresServer) -> None:
    with postgres.database() as url, ThreadPoolExecutor(6) as threads:
        addresses = list(threads.map(prepare, [url] * 6))
        assert len(set(addresses)) == 1
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT number FROM coatcheck_schema").fetchall() == [
                (len(MIGRATIONS),)
            ]
            assert connection.execute("SELECT ledger FROM changes").fetchall() == [(0,)]


def test_a_step_that_fails_leaves_nothing(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        with pytest.raises(Exception, match="database"):
            prepare(
                url,
                migrations=[*MIGRATIONS, ("CREATE TABLE more (id BIGINT)", "CREATE TABLE more (id BIGINT)")],
            )
        assert tables(url) == []


def test_a_node_of_the_release_before_goes_on_beside_one_that_only_added(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        prepare(url)
        newer = [*MIGRATIONS, ("CREATE TABLE more (id BIGINT)",)]
        prepare(url, migrations=newer, readable_by=len(MIGRATIONS))
        before = tables(url)
        prepare(url)
        assert tables(url) == before


def test_a_node_that_would_not_understand_the_schema_is_refused(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        newer = [*MIGRATIONS, ("CREATE TABLE more (id BIGINT)",)]
        prepare(url, migrations=newer, readable_by=len(newer))
        with pytest.raises(SchemaTooNewError) as caught:
            PostgresStorage(url)
    assert (caught.value.found, caught.value.supported) == (len(newer), len(MIGRATIONS))


def test_the_tables_of_another_application_are_left_alone(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE users (name TEXT)")
        with pytest.raises(ForeignDatabaseError):
            PostgresStorage(url)
        assert tables(url) == ["users"]


def test_a_user_without_the_right_to_make_tables_is_told(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE ROLE weak LOGIN")
            connection.execute("REVOKE CREATE ON SCHEMA public FROM public")
        try:
            with pytest.raises(StorageAccessError, match="permission denied"):
                PostgresStorage(url.replace("coatcheck@", "weak@"))
        finally:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("DROP ROLE weak")


@pytest.mark.parametrize("url", ["postgresql://h:%zz/x", "postgresql://localhost/?nothing=1"])
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(StorageOpenError):
        PostgresStorage(url)


def test_a_database_that_is_not_there_is_told_without_the_password(postgres: PostgresServer) -> None:
    url = postgres.url("nowhere").replace("coatcheck@", "coatcheck:hunter2@")
    with pytest.raises(StorageAccessError) as caught:
        PostgresStorage(url)
    assert "nowhere" in caught.value.message
    assert "hunter2" not in f"{caught.value.message}{caught.value.detail}{caught.value.path}"


def test_a_server_that_does_not_answer_is_told_without_the_password() -> None:
    with pytest.raises(StorageUnreachableError) as caught:
        PostgresStorage(f"postgresql://coatcheck:hunter2@127.0.0.1:{free_port()}/x")
    assert caught.value.retry_after > 0
    assert "hunter2" not in f"{caught.value.message}{caught.value.detail}"


def test_a_database_of_another_encoding_is_refused(postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    try:
        with pytest.raises(StorageOpenError, match="UTF8"):
            PostgresStorage(postgres.url("latin"))
    finally:
        with psycopg.connect(postgres.url(), autocommit=True) as connection:
            connection.execute("DROP DATABASE latin")
