"""The probes: what they tell balancers, and what they do not tell strangers."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from coatcheck.flows.signing_keys import SigningKeys
from coatcheck.revocation.errors import RevocationError
from coatcheck.server.health import Health
from coatcheck.storage.memory import MemoryStorage
from tests.server.operated import Operated, operating

pytestmark = pytest.mark.anyio
PATHS = ["/healthz", "/readyz"]


@pytest.fixture
async def operated() -> AsyncIterator[Operated]:
    async with operating() as operated:
        yield operated


class Storage:
    """A storage of which some reads fail, or never end."""

    def __init__(self, storage: MemoryStorage, fail: Callable[[], Any]) -> None:
        self._storage = storage
        self._fail = fail
        self.reads = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    @property
    def records(self) -> Any:
        return self

    async def list_entries(self, **_: Any) -> Any:
        self.reads += 1
        return await self._fail()


def health_of(operated: Operated, fail: Callable[[], Any], **options: Any) -> tuple[Health, Storage]:
    context = operated.server.flows.context
    assert isinstance(context.storage, MemoryStorage)
    storage = Storage(context.storage, fail)
    object.__setattr__(context, "storage", storage)
    return Health(context, **options), storage


@pytest.mark.parametrize("path", PATHS)
async def test_a_server_that_is_well_says_so_and_no_more(operated: Operated, path: str) -> None:
    async with operated.client() as client:
        response = await client.get(path)
        assert (response.status_code, response.text) == (200, "ok\n")
        assert response.headers["cache-control"] == "no-store"
        assert "set-cookie" not in response.headers
        head = await client.head(path)
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("path", PATHS)
async def test_nothing_can_be_sent_to_a_probe(operated: Operated, path: str) -> None:
    async with operated.client() as client:
        response = await client.post(path, content=b"x")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
    assert response.headers["content-type"] == "application/problem+json"


async def test_the_probe_of_life_touches_nothing(operated: Operated) -> None:
    async def fail() -> None:
        raise AssertionError

    health_of(operated, fail)
    async with operated.client() as client:
        assert (await client.get("/healthz")).status_code == 200


async def test_a_server_that_is_told_to_stop_is_ready_no_more_and_still_alive(operated: Operated) -> None:
    async with operated.client() as client:
        assert (await client.get("/readyz")).status_code == 200
        operated.server.health.stop()
        response = await client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["code"] == "not_ready_stopping"
        assert response.headers["retry-after"] == "1"
        assert response.headers["cache-control"] == "no-store"
        assert (await client.head("/readyz")).content == b""
        assert (await client.get("/healthz")).status_code == 200


async def test_a_storage_that_is_away_is_named_and_none_of_its_secrets(
    operated: Operated, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise RevocationError("no", detail="postgresql://me:hunter2@db")

    operated.server.health, _ = health_of(operated, fail)
    caplog.set_level(logging.INFO, "coatcheck.health")
    async with operating_with(operated) as client:
        for _ in range(3):
            response = await client.get("/readyz")
            assert response.status_code == 503
            assert response.json()["code"] == "not_ready_storage"
            assert "hunter2" not in response.text
    assert [each.getMessage() for each in caplog.records] == ["not ready: The storage does not answer."]


def operating_with(operated: Operated) -> Any:
    from coatcheck.server.standalone import make_application

    operated.application = make_application(operated.server.settings, server=operated.server)
    return operated.client()


async def test_what_is_unexpected_is_logged_and_is_not_ready(
    operated: Operated, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    health, _ = health_of(operated, fail)
    assert await health.missing() == "storage"
    assert "looking at the storage failed" in caplog.text


async def test_a_storage_that_hangs_is_given_up_after_the_deadline(operated: Operated) -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    health, _ = health_of(operated, hang, deadline=0.01)
    assert await health.missing() == "storage"
    assert not health.was_ready


async def test_a_storage_that_cannot_even_be_interrupted_does_not_hold_the_answer(operated: Operated) -> None:
    let_go = asyncio.Event()

    async def hang() -> None:
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue

    health, storage = health_of(operated, hang, deadline=0.01)
    for _ in range(3):  # the later ones need not wait for what has been waited for
        assert await health.missing() == "storage"
    assert not health.was_ready
    looking = health._looking
    let_go.set()
    assert looking is not None
    await looking
    assert storage.reads == 1


async def test_a_server_that_is_stopped_while_it_looks_is_not_ready(operated: Operated) -> None:
    go = asyncio.Event()

    async def wait() -> list[object]:
        await go.wait()
        return []

    health, _ = health_of(operated, wait)
    asked = asyncio.create_task(health.missing())
    await asyncio.sleep(0)
    health.stop()
    go.set()
    assert await asked == "stopping"
    assert not health.was_ready


async def test_the_ledger_and_the_keys_are_looked_at_too(
    operated: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RevocationError("no")

    context = operated.server.flows.context
    monkeypatch.setattr(SigningKeys, "key_set", fail)
    assert await Health(context).missing() == "keys"
    monkeypatch.setattr(type(context.ledger), "catch_up", fail)
    assert await Health(context).missing() == "ledger"


async def test_however_many_strangers_ask_the_storage_is_asked_once(operated: Operated) -> None:
    now = [100.0]

    async def read() -> list[object]:
        await asyncio.sleep(0)
        return []

    health, storage = health_of(operated, read, ticks=lambda: now[0])
    assert await asyncio.gather(*(health.missing() for _ in range(50))) == [None] * 50
    assert await health.missing() is None
    assert storage.reads == 1
    now[0] += 1.0
    assert await health.missing() is None
    assert storage.reads == 2


async def test_one_who_hangs_up_does_not_take_the_answer_from_others(operated: Operated) -> None:
    go = asyncio.Event()

    async def wait() -> list[object]:
        await go.wait()
        return []

    health, storage = health_of(operated, wait)
    first, second = (asyncio.create_task(health.missing()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    go.set()
    assert await second is None
    assert storage.reads == 1


async def test_the_age_of_the_view_grows_while_the_ledger_cannot_be_read(operated: Operated) -> None:
    now, is_away = [100.0], [False]

    async def read() -> list[object]:
        if is_away[0]:
            raise RevocationError("no")
        return []

    health, _ = health_of(operated, read, ticks=lambda: now[0])
    now[0] += 5
    assert health.view_age == 5  # it was never read
    await health.missing()
    assert health.view_age == 0
    is_away[0] = True
    now[0] += 60
    await health.missing()
    assert health.view_age == 60
