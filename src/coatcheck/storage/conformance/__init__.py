"""What every storage must do, as tests that any storage can run. Needs ``pytest``.

A storage's own tests subclass a suite and say how to open an empty storage::

    class TestMyStorage(conformance.SharedStorageSuite):
        @pytest.fixture
        def new_storage(self, tmp_path: Path) -> conformance.Factory:
            return functools.partial(MyStorage, tmp_path / "records.db")

Three tiers: *behaviour* of each method, *atomicity* of transactions and of what is to happen once, *contention* of
many tasks. ``SharedStorageSuite`` adds the contention of many processes and what transactions of users promise, and is
for storages that can be shared by some: its factory is called in other processes too, so it can be pickled, and opens
the same records each time. No test skips itself.
"""

from __future__ import annotations

import pytest

_WITH_TESTS = (
    "atomicity",
    "behaviour_of_accounts",
    "behaviour_of_authorizations",
    "behaviour_of_clients",
    "behaviour_of_families",
    "behaviour_of_ledger",
    "behaviour_of_logout",
    "behaviour_of_profiles",
    "behaviour_of_revocation",
    "behaviour_of_server",
    "behaviour_of_sessions",
    "behaviour_of_statuses",
    "behaviour_of_signals",
    "concurrency",
    "contention",
)
pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in _WITH_TESTS))
del pytest

from .atomicity import Atomicity  # noqa: E402 - after the line above, so that a failure shows its values
from .behaviour import Behaviour  # noqa: E402
from .concurrency import SharedConcurrency  # noqa: E402
from .contention import Contention, SharedContention  # noqa: E402
from .driving import Factory, scenario  # noqa: E402

__all__ = [
    "Atomicity",
    "Behaviour",
    "Contention",
    "Factory",
    "SharedConcurrency",
    "SharedContention",
    "SharedStorageSuite",
    "StorageSuite",
    "scenario",
]


class StorageSuite(Behaviour, Atomicity, Contention):
    """All that a storage for one process must do."""


class SharedStorageSuite(StorageSuite, SharedContention, SharedConcurrency):
    """All that a storage for several processes must do."""
