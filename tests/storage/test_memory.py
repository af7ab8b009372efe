"""The storage in memory passes the suite for storages of one process."""

import pytest

from coatcheck.flows.ports import Storage
from coatcheck.storage import conformance
from coatcheck.storage.memory import MemoryStorage


class TestMemoryStorage(conformance.StorageSuite):
    @pytest.fixture
    def new_storage(self) -> conformance.Factory:
        return MemoryStorage


def test_it_satisfies_the_port() -> None:
    storage: Storage = MemoryStorage()
    assert storage.version() == 0
