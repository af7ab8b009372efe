"""Clients that register themselves: who may, what becomes of it, and who manages it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from coatcheck._core.secrets import digest
from coatcheck.accounts.errors import TooManyAttemptsError
from coatcheck.accounts.policy import Rate, ThrottlePolicy
from coatcheck.flows.provider.errors import InvalidInitialAccessTokenError, UnknownInitialAccessTokenError
from coatcheck.flows.provider.registration import Registered, Registration
from coatcheck.flows.provider.shared_secrets import open_secret
from coatcheck.oauth.errors import (
    InvalidClientMetadataError,
    InvalidRegistrationTokenError,
    OAuthError,
    RegistrationNotSupportedError,
    RegistrationTokenNeededError,
)
from coatcheck.oauth.registration import read_metadata
from coatcheck.revocation.model import Entry

from .documents_known import Known, with_provider
from .world import ELSEWHERE, HOME, Tunables, World, asynchronous

URI = "https://app.example/callback"
# ES256: its key is made in no time.
DOCUMENT: dict[str, Any] = {"redirect_uris": [URI], "id_token_signed_response_alg": "ES256"}


class Desk:
    """Where clients register."""

    def __init__(self, world: World, registration: str = "open") -> None:
        self.world = world
        self.known = Known()
        context = with_provider(world.context, self.known, registration=registration)
        self.flow = Registration(context, world.flows.provider.clients)
        self.tokens = world.flows.provider.initial_access_tokens

    async def register(self, *, token: str | None = None, **document: Any) -> Registered:
        return await self.flow.register({**DOCUMENT, **document}, token=token, client=HOME)


@asynchronous
async def test_a_stranger_gets_nothing_that_they_did_not_ask_for_and_not_all_that_they_did(
    world: World,
) -> None:
    registered = await Desk(world).register(first_party=True, audiences=["https://api.example"])
    client = await world.storage.records.find_client(registered.client.id)
    assert client == registered.client
    assert client.registered_by == "itself"
    assert client.address == HOME.address
    assert not client.first_party
    assert client.audiences is None
    permissions = await world.storage.records.list_permissions(kind="client", holder=client.id)
    assert permissions == []


@asynchronous
async def test_secrets_are_kept_as_digests_and_never_shown_by_accident(world: World) -> None:
    registered = await Desk(world).register()
    assert registered.secret is not None
    assert registered.client.secret_digest == digest(registered.secret)
    assert registered.client.sealed_secret is None
    assert registered.client.registration_digest == digest(registered.token)
    assert registered.secret not in repr(registered)
    assert registered.token not in repr(registered)


@asynchronous
async def test_a_secret_that_is_needed_again_is_sealed_and_long_enough(world: World) -> None:
    registered = await Desk(world).register(token_endpoint_auth_method="client_secret_jwt")
    sealed = registered.client.sealed_secret
    assert sealed is not None
    assert registered.secret is not None
    assert open_secret(world.sealer, sealed, owner="client") == registered.secret
    assert len(registered.secret) >= 64  # for HS512 (RFC 7518 section 3.2)


@asynchronous
async def test_a_public_client_gets_no_secret(world: World) -> None:
    registered = await Desk(world).register(token_endpoint_auth_method="none")
    assert (registered.secret, registered.client.secret_digest) == (None, None)


class TestWhoMay:
    @asynchronous
    async def test_where_it_is_off_nobody(self, world: World) -> None:
        with pytest.raises(RegistrationNotSupportedError):
            await Desk(world, "off").register()
        _, token = await Desk(world).tokens.add("partner")
        with pytest.raises(RegistrationNotSupportedError):
            await Desk(world, "off").register(token=token)

    @asynchronous
    async def test_where_a_token_is_needed_whoever_has_one_as_often_as_it_says(self, world: World) -> None:
        desk = Desk(world, "token")
        with pytest.raises(RegistrationTokenNeededError):
            await desk.register()
        _, token = await desk.tokens.add("partner", uses=2)
        await desk.register(token=token)
        await desk.register(token=token)
        with pytest.raises(InvalidRegistrationTokenError):
            await desk.register(token=token)

    @asynchronous
    async def test_metadata_that_is_refused_uses_nothing_up(self, world: World) -> None:
        desk = Desk(world, "token")
        _, token = await desk.tokens.add("partner", uses=1)
        with pytest.raises(OAuthError):
            await desk.register(token=token, redirect_uris=["javascript:alert(1)"])
        await desk.register(token=token)

    @asynchronous
    async def test_of_many_with_the_last_use_one_gets_it(self, world: World) -> None:
        desk = Desk(world, "token")
        _, token = await desk.tokens.add("partner", uses=1)
        sector = "https://app.example/sector"
        desk.known.put(sector, [URI])
        desk.known.hold = asyncio.Event()  # until all of them were let in
        asked = [
            asyncio.create_task(desk.register(token=token, sector_identifier_uri=sector)) for _ in range(5)
        ]
        await desk.known.wait(5)
        desk.known.hold.set()
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert sum(isinstance(each, Registered) for each in found) == 1
        assert sum(isinstance(each, InvalidRegistrationTokenError) for each in found) == 4
        assert len(await world.storage.records.list_clients(after="", limit=10)) == 1

    @pytest.mark.parametrize("registration", ["token", "open"])
    @asynchronous
    async def test_a_token_that_is_not_good_is_not_as_good_as_none(
        self, world: World, registration: str
    ) -> None:
        desk = Desk(world, registration)
        record, expired = await desk.tokens.add("partner", lifetime=timedelta(seconds=10))
        await desk.register(token=expired)
        world.clock.advance(10)
        _, removed = await desk.tokens.add("partner")
        await desk.tokens.remove((await desk.tokens.list())[0].id)
        assert [each.id for each in await desk.tokens.list()] == [record.id]
        for token in ("", "made up", expired, removed, "a" * 1000):
            with pytest.raises(InvalidRegistrationTokenError):
                await desk.register(token=token)

    @asynchronous
    async def test_strangers_are_counted_by_where_they_come_from(self, world: World) -> None:
        world.tune(Tunables(throttles=ThrottlePolicy(registration_address=Rate(2, 60.0))))
        desk = Desk(world)
        await desk.register()
        await desk.register()
        with pytest.raises(TooManyAttemptsError):
            await desk.register()
        await desk.flow.register(DOCUMENT, token=None, client=ELSEWHERE)
        _, token = await desk.tokens.add("partner")
        await desk.register(token=token)  # they are known
        world.clock.advance(60)
        await desk.register()

    @pytest.mark.parametrize(
        "name, uses, lifetime",
        [("", None, None), ("a" * 65, None, None), ("a\x1b", None, None), ("a", 0, None), ("a", None, 0.0)],
    )
    @asynchronous
    async def test_a_token_of_no_use_is_not_made(
        self, world: World, name: str, uses: int | None, lifetime: float | None
    ) -> None:
        span = None if lifetime is None else timedelta(seconds=lifetime)
        with pytest.raises(InvalidInitialAccessTokenError):
            await Desk(world).tokens.add(name, uses=uses, lifetime=span)

    @asynchronous
    async def test_a_token_that_is_not_there_is_not_removed(self, world: World) -> None:
        with pytest.raises(UnknownInitialAccessTokenError):
            await Desk(world).tokens.remove("none")


class TestManagement:
    @asynchronous
    async def test_a_client_reads_and_replaces_its_own_metadata(self, world: World) -> None:
        desk = Desk(world)
        registered = await desk.register(client_name="Before", contacts=["ops@app.example"])
        client, token = registered.client, registered.token
        read = await desk.flow.read(client.id, token=token)
        assert (read.client, read.token, read.secret) == (client, token, None)
        document = {**DOCUMENT, "client_id": client.id, "client_name": "After"}
        changed = await desk.flow.update(client.id, document, token=token)
        assert (changed.client.name, changed.client.contacts) == ("After", ())
        assert changed.client.secret_digest == client.secret_digest
        assert await world.storage.records.find_client(client.id) == changed.client

    @asynchronous
    async def test_what_the_operator_gave_it_stays(self, world: World) -> None:
        desk = Desk(world)
        registered = await desk.register()
        ours = replace(registered.client, first_party=True, audiences=("https://api.example",))
        await world.storage.records.replace_client(ours)
        document = {**DOCUMENT, "client_id": ours.id}
        changed = await desk.flow.update(ours.id, document, token=registered.token)
        assert (changed.client.first_party, changed.client.audiences) == (True, ours.audiences)

    @asynchronous
    async def test_another_method_brings_a_secret_or_takes_it(self, world: World) -> None:
        desk = Desk(world)
        registered = await desk.register(token_endpoint_auth_method="none")
        document = {**DOCUMENT, "client_id": registered.client.id}
        changed = await desk.flow.update(registered.client.id, document, token=registered.token)
        assert changed.secret is not None
        document["token_endpoint_auth_method"] = "none"
        changed = await desk.flow.update(registered.client.id, document, token=registered.token)
        assert (changed.secret, changed.client.secret_digest) == (None, None)

    @asynchronous
    async def test_fewer_scopes_void_what_was_issued_before(self, world: World) -> None:
        desk = Desk(world)
        registered = await desk.register(scope="openid email")
        document = {**DOCUMENT, "client_id": registered.client.id, "scope": "openid"}
        await desk.flow.update(registered.client.id, document, token=registered.token)
        (entry,) = await entries(world)
        assert (entry.kind, entry.value) == ("client", registered.client.id)
        assert entry.cutoff is not None

    @pytest.mark.parametrize(
        "said",
        [
            {"client_id": "another"},
            {"client_id": None},
            {"registration_access_token": "x"},
            {"registration_client_uri": "x"},
            {"client_secret_expires_at": 0},
            {"client_id_issued_at": 0},
            {"client_secret": "chosen by somebody"},
            {"client_secret": 1},
        ],
        ids=str,
    )
    @asynchronous
    async def test_what_is_the_servers_to_say_is_not_changed(
        self, world: World, said: dict[str, Any]
    ) -> None:
        desk = Desk(world)
        registered = await desk.register()
        document = {**DOCUMENT, "client_id": registered.client.id, **said}
        with pytest.raises(InvalidClientMetadataError):
            await desk.flow.update(registered.client.id, document, token=registered.token)

    @asynchronous
    async def test_the_secret_that_it_has_may_be_repeated(self, world: World) -> None:
        desk = Desk(world)
        registered = await desk.register()
        document = {**DOCUMENT, "client_id": registered.client.id, "client_secret": registered.secret}
        changed = await desk.flow.update(registered.client.id, document, token=registered.token)
        assert changed.client == registered.client

    @asynchronous
    async def test_deleting_it_ends_what_it_was_given(self, world: World) -> None:
        desk = Desk(world)
        registered = await desk.register()
        await desk.flow.delete(registered.client.id, token=registered.token)
        assert await world.storage.records.find_client(registered.client.id) is None
        (entry,) = await entries(world)
        assert (entry.kind, entry.value, entry.cutoff) == ("client", registered.client.id, None)
        assert entry.actor == f"client:{registered.client.id}"
        with pytest.raises(InvalidRegistrationTokenError):
            await desk.flow.read(registered.client.id, token=registered.token)

    @asynchronous
    async def test_nobody_manages_another_client(self, world: World) -> None:
        desk = Desk(world)
        mine, other = await desk.register(), await desk.register()
        ours, _ = await world.flows.provider.clients.add(read_metadata(DOCUMENT), actor="administrator")
        for client_id in (other.client.id, ours.id, "none"):
            for token in (mine.token, "", "a" * 500):
                with pytest.raises(InvalidRegistrationTokenError):
                    await desk.flow.read(client_id, token=token)
                with pytest.raises(InvalidRegistrationTokenError):
                    await desk.flow.update(client_id, {**DOCUMENT, "client_id": client_id}, token=token)
                with pytest.raises(InvalidRegistrationTokenError):
                    await desk.flow.delete(client_id, token=token)
            with pytest.raises(RegistrationTokenNeededError):
                await desk.flow.read(client_id, token=None)
        assert len(await world.storage.records.list_clients(after="", limit=10)) == 3

    @asynchronous
    async def test_a_client_that_was_switched_off_manages_nothing(self, world: World) -> None:
        desk = Desk(world)
        registered = await desk.register()
        await world.flows.provider.clients.disable(registered.client.id, actor="administrator")
        with pytest.raises(InvalidRegistrationTokenError):
            await desk.flow.read(registered.client.id, token=registered.token)

    @asynchronous
    async def test_a_client_that_goes_meanwhile_is_not_brought_back(self, world: World) -> None:
        desk = Desk(world)
        registered = await desk.register()
        desk.known.hold = asyncio.Event()
        sector = "https://app.example/sector"
        desk.known.put(sector, [URI])
        document = {**DOCUMENT, "client_id": registered.client.id, "sector_identifier_uri": sector}
        changing = asyncio.create_task(
            desk.flow.update(registered.client.id, document, token=registered.token)
        )
        await desk.known.wait(1)
        await world.flows.provider.clients.remove(registered.client.id, actor="administrator")
        desk.known.hold.set()
        with pytest.raises(InvalidRegistrationTokenError):
            await changing


class TestSectors:
    @asynchronous
    async def test_a_sector_is_fetched_and_must_name_all_redirect_uris(self, world: World) -> None:
        desk = Desk(world)
        sector = "https://sector.example/uris"
        wish = {"subject_type": "pairwise", "sector_identifier_uri": sector}
        with pytest.raises(InvalidClientMetadataError) as caught:
            await desk.register(**wish)
        assert caught.value.detail == "it is not there"
        desk.known.put(sector, ["https://other.example/"])
        with pytest.raises(InvalidClientMetadataError):
            await desk.register(**wish)
        desk.known.put(sector, [URI, "https://other.example/"])
        assert (await desk.register(**wish)).client.sector == "sector.example"


async def entries(world: World) -> list[Entry]:
    return await world.storage.records.list_entries(after=0, limit=10)
