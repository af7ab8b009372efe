"""Each row is shown on a whole site, over HTTP."""

from collections.abc import AsyncIterator

import pytest

from tests.web.sites import Site, open_site


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as made:
        await made.add_user()
        yield made
