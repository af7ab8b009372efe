"""A world over each kind of storage."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from coatcheck.flows.ports import Storage
from coatcheck.storage.memory import MemoryStorage
from coatcheck.storage.postgres import PostgresStorage
from coatcheck.storage.sqlite import SQLiteStorage

from .watched import WatchedStorage
from .world import World

# All flows on PostgreSQL: COATCHECK_TEST_STORAGES=postgres pytest tests/flows. That takes minutes, so as a rule only
# what depends on several writers runs there: test_transactions_of_users.py.
STORAGES = os.environ.get("COATCHECK_TEST_STORAGES", "memory sqlite").split()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with its tables: to copy it is quicker than to make one for each test."""
    path = tmp_path_factory.mktemp("template") / "coatcheck.db"
    asyncio.run(SQLiteStorage(path).close())
    return path


@pytest.fixture
def database(empty_database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(empty_database, tmp_path / "coatcheck.db"))


@pytest.fixture(params=STORAGES)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    storage: Storage
    if request.param == "memory":
        storage = MemoryStorage()
    elif request.param == "sqlite":
        storage = SQLiteStorage(request.getfixturevalue("database"))
    else:
        storage = PostgresStorage(request.getfixturevalue("postgres_url"), pool=4)
    yield from _watched(storage)


@pytest.fixture
def sqlite_world(database: Path) -> Iterator[World]:
    """A world whose file others may open too."""
    yield from _watched(SQLiteStorage(database, notice=timedelta(0)))


def _watched(storage: Storage) -> Iterator[World]:
    watched = WatchedStorage(storage)
    world = World(watched)
    yield world
    asyncio.run(world.close())
    assert watched.faults == []
