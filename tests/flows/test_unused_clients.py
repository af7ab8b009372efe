"""Clients of strangers that nobody uses are forgotten; all others stay."""

from typing import Any

import pytest

from coatcheck.flows.provider.unused_clients import UnusedClients
from coatcheck.oauth.model import API, Consent, OAuthClient, Permission

from .world import World, asynchronous

DAYS = 86_400.0


async def add(world: World, client_id: str = "c", **fields: Any) -> OAuthClient:
    given = {"registered_by": "itself", **fields}
    client = OAuthClient(id=client_id, name="C", created_at=world.clock(), **given)
    assert await world.storage.records.add_client(client)
    return client


async def is_there(world: World, client_id: str = "c") -> bool:
    return await world.storage.records.find_client(client_id) is not None


@pytest.mark.parametrize("registered_by", ["itself", "metadata-document"])
@asynchronous
async def test_nobody_used_it_in_30_days(world: World, registered_by: str) -> None:
    await add(world, registered_by=registered_by)
    world.clock.advance(30 * DAYS - 1)
    await world.flows.housekeeping.tidy()
    assert await is_there(world)
    world.clock.advance(1)
    await world.flows.housekeeping.tidy()
    assert not await is_there(world)
    (entry,) = await world.storage.records.list_entries(after=0, limit=10)
    assert (entry.kind, entry.value, entry.actor) == ("client", "c", "server")


@asynchronous
async def test_what_an_administrator_registered_stays(world: World) -> None:
    await add(world, registered_by="administrator")
    world.clock.advance(365 * DAYS)
    assert await UnusedClients(world.context).sweep() == 0


@asynchronous
async def test_what_somebody_consented_to_stays(world: World) -> None:
    user = await world.signed_up()
    await add(world)
    await world.storage.records.put_consent(
        Consent(user_id=user.user.id, client_id="c", scope=frozenset({"openid"}), granted_at=world.clock())
    )
    world.clock.advance(365 * DAYS)
    assert await UnusedClients(world.context).sweep() == 0


@asynchronous
async def test_what_has_a_permission_stays(world: World) -> None:
    await add(world)
    api = API(audience="https://api.example", name="A", created_at=world.clock())
    await world.storage.records.add_api(api)
    await world.storage.records.put_permission(
        Permission(kind="client", holder="c", audience=api.audience, scopes=frozenset({"read"}))
    )
    world.clock.advance(365 * DAYS)
    assert await UnusedClients(world.context).sweep() == 0
    await world.storage.records.delete_api(api.audience)
    assert await UnusedClients(world.context).sweep() == 1


@asynchronous
async def test_all_are_looked_at_some_at_a_time(world: World) -> None:
    for number in range(150):
        await add(world, f"c{number:03}", registered_by="itself" if number == 120 else "administrator")
    world.clock.advance(30 * DAYS)
    sweeping = UnusedClients(world.context)
    assert [await sweeping.sweep() for _ in range(4)] == [0, 1, 0, 0]


@asynchronous
async def test_one_that_somebody_removes_meanwhile_does_no_harm(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(world)
    world.clock.advance(30 * DAYS)
    records = world.storage.records

    async def removed_by_then(client_id: str) -> bool:
        await records.delete_client(client_id)
        return False

    monkeypatch.setattr(type(records), "is_client_used", lambda _, client_id: removed_by_then(client_id))
    assert await UnusedClients(world.context).sweep() == 0
