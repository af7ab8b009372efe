"""The services that follow the ledger: adding them, and knowing them again."""

import asyncio

import pytest

from coatcheck.flows.errors import (
    InvalidServiceError,
    ServiceTakenError,
    UnknownServiceError,
    UnknownServiceKeyError,
)
from tests.flows.world import World, asynchronous

HOSTILE = {
    "empty": "",
    "long": "x" * 65,
    "very long": "x" * 60_000,
    "newline": "orders\nINFO",
    "end of line": "orders\n",
    "escape": "\x1b[2J",
    "space": "my orders",
    "path": "../orders",
    "sql": "x'; DROP TABLE services; --",
    "letters": "örders",
    "dash first": "-orders",
}


@asynchronous
async def test_a_service_is_known_by_its_key_until_it_is_removed(world: World) -> None:
    services = world.flows.services
    service, key = await services.add("orders", audience="https://api.example")
    assert await services.authenticate(key) == service
    assert await services.list() == [service]
    await services.remove("orders")
    assert await services.list() == []
    with pytest.raises(UnknownServiceKeyError):
        await services.authenticate(key)


@asynchronous
async def test_the_key_is_kept_as_its_hash_only(world: World) -> None:
    service, key = await world.flows.services.add("orders")
    assert key.startswith("cck_")
    assert len(key) >= 4 + 43
    assert key.encode() not in service.digest
    assert key not in repr(service)
    _, another = await world.flows.services.add("billing")
    assert another != key


@asynchronous
async def test_keys_that_are_none_are_refused_alike(world: World) -> None:
    _, key = await world.flows.services.add("orders")
    for wrong in ("", "cck_", key[:-1], key + "A", key.upper(), "cck_" + "x" * 60_000, "\ud800", " " + key):
        with pytest.raises(UnknownServiceKeyError) as caught:
            await world.flows.services.authenticate(wrong)
        assert str(caught.value) == str(UnknownServiceKeyError())


@asynchronous
async def test_of_many_who_add_one_name_at_once_one_wins(world: World) -> None:
    outcomes = await asyncio.gather(
        *(world.flows.services.add("orders") for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(outcome, ServiceTakenError) for outcome in outcomes) == 7
    assert len(await world.flows.services.list()) == 1


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
@asynchronous
async def test_a_name_that_is_none_is_neither_stored_nor_repeated(world: World, name: str) -> None:
    for attempt in (world.flows.services.add(name), world.flows.services.remove(name)):
        with pytest.raises(InvalidServiceError) as caught:
            await attempt
        assert caught.value.field == "name"
        assert not name or name not in str(caught.value)
    assert await world.flows.services.list() == []


@pytest.mark.parametrize("audience", ["", "x" * 513, "https://a b", "https://a\n", "ü", "\0"], ids=range(6))
@asynchronous
async def test_an_audience_that_is_none_is_refused(world: World, audience: str) -> None:
    with pytest.raises(InvalidServiceError) as caught:
        await world.flows.services.add("orders", audience=audience)
    assert caught.value.field == "audience"


@asynchronous
async def test_a_service_that_is_not_there_is_told(world: World) -> None:
    with pytest.raises(UnknownServiceError):
        await world.flows.services.remove("orders")
