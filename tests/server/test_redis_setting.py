"""A server that is told of a Redis: what people see of it when it is there, when it is away, and when it forgets."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from coatcheck.server import storages
from coatcheck.server.doctor_facts import collect_facts
from coatcheck.server.errors import SettingsError
from coatcheck.server.settings import Settings, load_settings
from coatcheck.storage.errors import StorageOpenError
from coatcheck.storage.redis import RedisStorage
from coatcheck.storage.sqlite import SQLiteStorage
from tests.engines import RedisServer, redis_server
from tests.server.operated import operating
from tests.web.sites import EMAIL, PASSWORD, Site

pytestmark = pytest.mark.anyio
SECRET = "kR4xq9TzB2mWv7NcY5sLh8PdG3fJ6aEu"


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


def load(**arguments: Any) -> Settings:
    return load_settings(environment={}, directory="/nowhere", **arguments)


@asynccontextmanager
async def site_with(redis: RedisServer, path: Path) -> AsyncIterator[Any]:
    settings = load(database=str(path / "coatcheck.db"), redis=redis.url(), secret=SECRET)
    storage = storages.open_storage(settings)
    assert isinstance(storage, RedisStorage)
    async with operating(storage=storage) as operated:
        yield operated


async def sign_in(site: Site, password: str = PASSWORD) -> httpx.Response:
    async with site.program() as program:
        return await program.post("/auth/sign-in", json={"email": EMAIL, "password": password})


async def test_attack_guessing_a_password_is_limited_whether_redis_is_there_or_not(
    redis: RedisServer, tmp_path: Path
) -> None:
    async with site_with(redis, tmp_path) as operated:
        site: Site = operated.site
        await site.add_user()
        seen = [(await sign_in(site, f"wrong guess {number}")).status_code for number in range(12)]
        assert seen[0] == 401
        assert seen[-1] == 429
        assert redis.execute("ZCARD", "coatcheck:limits") != b":0\r\n"
        assert (await sign_in(site)).status_code == 429  # the right one does not tell that it is right
        await asyncio.to_thread(redis.kill)
        again = [(await sign_in(site, f"another {number}")).status_code for number in range(12)]
        assert again.count(401) <= seen.count(401)  # one more burst, and no end of it
        assert again[-1] == 429


async def test_people_sign_in_and_are_signed_out_while_redis_is_killed_and_comes_back(
    redis: RedisServer, tmp_path: Path
) -> None:
    async with site_with(redis, tmp_path) as operated:
        site: Site = operated.site
        await site.add_user()
        first = (await sign_in(site)).json()["access_token"]
        await asyncio.to_thread(redis.kill)
        second = (await sign_in(site)).json()["access_token"]
        await operated.server.flows.revoking.user(EMAIL, actor="tests")
        site.clock.now += 2
        await asyncio.to_thread(redis.start)
        third = (await sign_in(site)).json()["access_token"]
        answers = [await _status(site, token) for token in (first, second, third)]
        assert answers == [401, 401, 200]
        async with operated.client() as client:
            assert (await client.get("/readyz")).status_code == 200


async def _status(site: Site, token: str) -> int:
    async with site.program() as program:
        response = await program.get("/auth/session", headers={"authorization": f"Bearer {token}"})
    return response.status_code


async def test_the_metrics_tell_whether_redis_answers(redis: RedisServer, tmp_path: Path) -> None:
    async with site_with(redis, tmp_path) as operated:
        await operated.site.add_user()
        await sign_in(operated.site)
        line = 'coatcheck_storage_fact{fact="redis_is_up"}'
        assert await operated.figure(line) == 1
        await asyncio.to_thread(redis.kill)
        await sign_in(operated.site)
        assert await operated.figure(line) == 0


async def test_the_doctor_says_if_redis_is_away(
    redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "coatcheck.db"
    await SQLiteStorage(database).close()
    monkeypatch.chdir(tmp_path)
    arguments: dict[str, Any] = {"database": str(database), "secret": SECRET, "redis": redis.url()}
    assert not (await collect_facts(**arguments)).redis_is_away
    await asyncio.to_thread(redis.kill)
    assert (await collect_facts(**arguments)).redis_is_away
    assert not (await collect_facts(**{**arguments, "redis": "none"})).redis_is_away


ADDRESSES = [
    "redis://localhost",
    "redis://user:hunter2@10.0.0.6:6379/3",
    "rediss://[::1]:6380/0?ssl_ca_certs=/etc/ca.pem",
    "unix:///run/redis.sock?db=2",
]
NO_ADDRESSES = {
    "another scheme": "http://user:hunter2@host",
    "no host": "redis://:hunter2@/0",
    "a port that is none": "redis://:hunter2@host:port/0",
    "a port of nobody": "redis://:hunter2@host:0/0",
    "half an address": "redis://:hunter2@[host/0",
    "a database that is none": "redis://:hunter2@host/limits",
    "no path": "unix://",
    "a fragment": "redis://:hunter2#@host/0",
    "a path": "/run/hunter2",
}


@pytest.mark.parametrize("address", ADDRESSES)
async def test_an_address_of_redis_is_taken_and_not_shown(address: str) -> None:
    settings = load(redis=address)
    assert settings.redis is not None
    assert settings.redis.reveal() == address
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize("why", NO_ADDRESSES)
async def test_what_is_no_address_of_redis_is_refused_and_not_repeated(why: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(redis=NO_ADDRESSES[why])
    assert [each.key for each in caught.value.problems] == ["redis"]
    assert "hunter2" not in str(caught.value)


async def test_the_address_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "address").write_text("redis://:hunter2@host/1\n")
    settings = load_settings(environment={"COATCHECK_REDIS_FILE": "address"}, directory=tmp_path)
    assert settings.redis is not None
    assert settings.redis.reveal() == "redis://:hunter2@host/1"


async def test_who_lacks_the_extra_is_told_which(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in sys.modules if each.startswith("coatcheck.storage.redis")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(StorageOpenError, match=r"coatcheck\[redis\]"):
        storages.open_storage(load(database=":memory:", redis="redis://host", secret=SECRET))
