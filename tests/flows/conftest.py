"""A world over each kind of storage."""

import asyncio
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from coatcheck.flows.ports import Storage
from coatcheck.storage.memory import MemoryStorage
from coatcheck.storage.sqlite import SQLiteStorage

from .world import World


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with its tables: to copy it is quicker than to make one for each test."""
    path = tmp_path_factory.mktemp("template") / "coatcheck.db"
    asyncio.run(SQLiteStorage(path).close())
    return path


@pytest.fixture
def database(empty_database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(empty_database, tmp_path / "coatcheck.db"))


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, database: Path) -> Iterator[World]:
    storage: Storage = MemoryStorage() if request.param == "memory" else SQLiteStorage(database)
    world = World(storage)
    yield world
    asyncio.run(world.close())


@pytest.fixture
def sqlite_world(database: Path) -> Iterator[World]:
    """A world whose file others may open too."""
    world = World(SQLiteStorage(database, notice=timedelta(0)))
    yield world
    asyncio.run(world.close())
