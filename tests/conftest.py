"""What every test may rely on: the same environment everywhere, and hypothesis without a stopwatch."""

import gc
import logging
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from tests.engines import PostgresServer

hypothesis.settings.register_profile("local", deadline=None, max_examples=30)
hypothesis.settings.register_profile(
    "ci", hypothesis.settings.get_profile("local"), derandomize=True, database=None, print_blob=True
)
hypothesis.settings.register_profile("brief", hypothesis.settings.get_profile("ci"), max_examples=10)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2000)
USUAL = "ci" if "CI" in os.environ else "local"
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", USUAL))


def pytest_collection_finish() -> None:
    """Leave out of later searches for garbage what is there to stay: the imported and the collected."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def _nothing_left_open() -> Iterator[None]:
    """Have what a module does not close found in that module, not in whichever test garbage is next looked for."""
    yield
    gc.collect()


@pytest.fixture(scope="session", autouse=True)
def _plain_environment() -> Iterator[None]:
    """Take away what on one machine or another would change what the tests see."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("COATCHECK_", "FORCE_COLOR", "PYTHON")):
                patch.delenv(name)
        patch.setenv("COLUMNS", "100")
        patch.setenv("NO_COLOR", "1")
        patch.setenv("TERM", "dumb")
        patch.setenv("TZ", "UTC")
        yield


@pytest.fixture(autouse=True)
def _plain_logging() -> None:
    """Have everybody log from warnings on, though a framework has set the root logger up when its app was made."""
    logging.getLogger().setLevel(logging.WARNING)


@pytest.fixture(scope="session")
def postgres() -> Iterator["PostgresServer"]:
    """A PostgreSQL server. It has a database ``empty`` with all tables: to copy that is quicker than to make them."""
    from coatcheck.storage.postgres.opening import prepare
    from tests.engines import postgres_server

    with postgres_server() as server:
        server.execute("CREATE DATABASE empty")
        prepare(server.url("empty"))
        yield server


@pytest.fixture
def postgres_url(postgres: "PostgresServer") -> Iterator[str]:
    """The address of a database with all tables and nothing in them, for one test."""
    with postgres.database("empty") as url:
        yield url
