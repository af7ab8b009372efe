"""A Redis for all tests of this part."""

from collections.abc import Iterator

import pytest

from tests.engines import RedisServer, redis_server


@pytest.fixture(scope="session")
def redis_running() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def redis_url(redis_running: RedisServer) -> Iterator[str]:
    """The address of a Redis with nothing in it, for one test."""
    yield redis_running.url()
    redis_running.execute("FLUSHALL")
