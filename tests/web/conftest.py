"""One event loop for all, and a site with nobody on it."""

from collections.abc import AsyncIterator

import pytest

from tests.web.sites import Site, open_site


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as made:
        yield made
