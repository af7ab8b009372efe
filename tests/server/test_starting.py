"""A server that cannot start: it says why, and leaves nothing open."""

from pathlib import Path

import pytest

from coatcheck.flows.errors import ServerKeyError
from coatcheck.server.server import Server
from coatcheck.server.settings import Settings, load_settings
from coatcheck.storage.errors import StorageMisuseError

pytestmark = pytest.mark.anyio

SECRET = "kR4xq9TzB2mWv7NcY5sLh8PdG3fJ6aEu"
ANOTHER = "Ze7uHn3KxQ9rVt5BwM2yCs8LgP4dJf6A"


def settings_with(secret: str, folder: Path) -> Settings:
    return load_settings(
        environment={},
        directory=folder,
        mode="production",
        base_url="https://id.example",
        database=str(folder / "coatcheck.db"),
        secret=secret,
        mail="off",
        sign_up="closed",
    )


async def test_a_server_that_cannot_start_closes_what_it_opened(tmp_path: Path) -> None:
    async with Server(settings_with(SECRET, tmp_path)).running():
        pass
    server = Server(settings_with(ANOTHER, tmp_path))
    with pytest.raises(ServerKeyError):
        async with server.running():
            pytest.fail("It runs with keys that it cannot open.")
    with pytest.raises(StorageMisuseError, match="closed"):
        await server.storage.records.list_keys()
