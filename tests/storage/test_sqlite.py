"""The storage in SQLite passes the suite for storages of several processes."""

import functools
from pathlib import Path

import pytest

from coatcheck.storage import conformance
from coatcheck.storage.sqlite import SQLiteStorage


class TestSQLiteStorage(conformance.SharedStorageSuite):
    @pytest.fixture
    def new_storage(self, tmp_path: Path) -> conformance.Factory:
        return functools.partial(SQLiteStorage, tmp_path / "coatcheck.db")


class TestSQLiteStorageThatWaitsForTheDisk(conformance.SharedStorageSuite):
    @pytest.fixture
    def new_storage(self, tmp_path: Path) -> conformance.Factory:
        return functools.partial(SQLiteStorage, tmp_path / "coatcheck.db", synchronous="full")
