"""The layer of Redis over other storages passes the suite for storages of several processes."""

import functools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from coatcheck.storage import conformance
from coatcheck.storage.postgres import PostgresStorage
from coatcheck.storage.redis import RedisStorage
from coatcheck.storage.sqlite import SQLiteStorage
from tests.engines import RedisServer, redis_server


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def redis_url(redis: RedisServer) -> str:
    redis.execute("FLUSHALL")
    return redis.url()


def open_over_sqlite(path: Path, url: str) -> RedisStorage:
    # On a machine with much to do an answer takes its time, and these tests count in one place.
    return RedisStorage(SQLiteStorage(path), url, patience=timedelta(seconds=30))


def open_over_postgres(database: str, url: str) -> RedisStorage:
    return RedisStorage(PostgresStorage(database, pool=4), url, patience=timedelta(seconds=30))


class TestRedisOverSQLite(conformance.SharedStorageSuite):
    @pytest.fixture
    def new_storage(self, tmp_path: Path, redis_url: str) -> conformance.Factory:
        return functools.partial(open_over_sqlite, tmp_path / "coatcheck.db", redis_url)


# The records are PostgreSQL's, and are tested with it. What may differ is what happens at the same time.
class TestRedisOverPostgreSQL(conformance.Atomicity, conformance.SharedConcurrency):
    @pytest.fixture
    def new_storage(self, postgres_url: str, redis_url: str) -> conformance.Factory:
        return functools.partial(open_over_postgres, postgres_url, redis_url)
