"""The storage in PostgreSQL passes the suite for storages of several processes."""

import functools

import pytest

from coatcheck.storage import conformance
from coatcheck.storage.postgres import PostgresStorage


class TestPostgresStorage(conformance.SharedStorageSuite):
    @pytest.fixture
    def new_storage(self, postgres_url: str) -> conformance.Factory:
        return functools.partial(PostgresStorage, postgres_url, pool=4)
