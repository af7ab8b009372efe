"""Clients as whoever runs this server manages them."""

import asyncio

import msgspec
import pytest

from coatcheck._core.secrets import digest
from coatcheck.flows.errors import InvalidTokenError, UnknownClientError
from coatcheck.flows.provider.clients import cached_client
from coatcheck.flows.provider.shared_secrets import open_secret
from coatcheck.jose import Key
from coatcheck.oauth.errors import InvalidClientMetadataError, InvalidRedirectURIError
from coatcheck.oauth.model import OAuthClient
from coatcheck.oauth.registration import ClientMetadata
from coatcheck.revocation.model import Entry
from tests.flows.granting import a_client, granted
from tests.flows.world import ISSUER, World, asynchronous

ROOT = "user:root"
CALLBACK = "https://app.example/callback"
WEB = ClientMetadata(
    client_name="My App",
    redirect_uris=(CALLBACK,),
    grant_types=("authorization_code", "refresh_token"),
    id_token_signed_response_alg="ES256",
)
MACHINE = ClientMetadata(client_name="Robot", grant_types=("client_credentials",), response_types=())


async def a_machine_with_a_key(world: World, **changes: object) -> OAuthClient:
    metadata = msgspec.structs.replace(MACHINE, token_endpoint_auth_method="private_key_jwt", **changes)
    client, secret = await world.flows.provider.clients.add(metadata, actor=ROOT)
    assert secret is None
    return client


async def entries(world: World) -> list[Entry]:
    return await world.flows.revoking.history()


@asynchronous
async def test_a_client_is_registered_with_a_secret_that_is_stored_as_its_hash_only(world: World) -> None:
    clients = world.flows.provider.clients
    client, secret = await clients.add(WEB, actor=ROOT)
    assert secret is not None
    assert secret.startswith("ccs_")
    assert len(secret) == 4 + 43  # 256 bits
    assert (client.secret_digest, client.sealed_secret) == (digest(secret), None)
    assert (client.name, client.redirect_uris, client.registered_by) == (
        "My App",
        (CALLBACK,),
        "administrator",
    )
    assert await clients.get(client.id) == await clients.find(client.id) == client
    assert secret not in repr(client)


@asynchronous
async def test_a_secret_that_has_to_be_known_is_sealed_too(world: World) -> None:
    clients = world.flows.provider.clients
    for metadata in (
        msgspec.structs.replace(WEB, id_token_signed_response_alg="HS256"),
        msgspec.structs.replace(WEB, token_endpoint_auth_method="client_secret_jwt"),
    ):
        client, secret = await clients.add(metadata, actor=ROOT)
        assert client.sealed_secret is not None
        assert open_secret(world.sealer, client.sealed_secret, owner="client") == secret
    # It has to be known from now on, and is not: another one is made.
    plain, old = await clients.add(WEB, actor=ROOT)
    client, new = await clients.change(plain.id, {"id_token_signed_response_alg": "HS256"}, actor=ROOT)
    assert new not in (None, old)
    assert client.sealed_secret is not None
    # A change that has nothing to do with it leaves it alone.
    again, none = await clients.change(plain.id, {"client_uri": "https://app.example/"}, actor=ROOT)
    assert (again.secret_digest, again.sealed_secret, none) == (
        client.secret_digest,
        client.sealed_secret,
        None,
    )
    public, none = await clients.change(
        plain.id, {"token_endpoint_auth_method": "none", "id_token_signed_response_alg": None}, actor=ROOT
    )
    assert (public.secret_digest, public.sealed_secret, none) == (None, None, None)


@asynchronous
async def test_what_signs_for_a_client_is_there_before_somebody_waits_for_it(world: World) -> None:
    keys = world.context.access_tokens.keys
    metadata = msgspec.structs.replace(
        WEB, id_token_signed_response_alg="Ed25519", userinfo_signed_response_alg="PS256"
    )
    await world.flows.provider.clients.add(metadata, actor=ROOT)
    assert {key.algorithm.name for key in await keys.key_set()} == {"ES256", "Ed25519", "PS256"}
    # A machine gets no ID tokens.
    await world.flows.provider.clients.add(MACHINE, actor=ROOT)
    assert len(await keys.key_set()) == 3


@asynchronous
async def test_what_cannot_be_registered_is_told_and_not_stored(world: World) -> None:
    clients = world.flows.provider.clients
    with pytest.raises(InvalidRedirectURIError):
        await clients.add(ClientMetadata(client_name="x"), actor=ROOT)
    for metadata in (
        msgspec.structs.replace(WEB, client_name="p\u0430ypal"),
        msgspec.structs.replace(WEB, client_name="App\u202e"),
        msgspec.structs.replace(WEB, id_token_signed_response_alg="none"),
        msgspec.structs.replace(WEB, sector_identifier_uri="https://app.example/sector"),
    ):
        with pytest.raises(InvalidClientMetadataError):
            await clients.add(metadata, actor=ROOT)
    assert await clients.list() == []


@asynchronous
async def test_clients_are_listed_page_by_page(world: World) -> None:
    clients = world.flows.provider.clients
    added = sorted([(await clients.add(WEB, actor=ROOT))[0].id for _ in range(3)])
    page = await clients.list(limit=2)
    assert [each.id for each in page] == added[:2]
    assert [each.id for each in await clients.list(after=page[-1].id)] == added[2:]


@asynchronous
async def test_some_metadata_is_changed_and_all_other_stays(world: World) -> None:
    clients = world.flows.provider.clients
    await world.flows.provider.apis.add("https://api.example")
    metadata = msgspec.structs.replace(
        WEB, first_party=True, audiences=("https://api.example",), tos_uri="https://app.example/terms"
    )
    client, _ = await clients.add(metadata, actor=ROOT)
    changed, secret = await clients.change(
        client.id,
        {"client_name": "Other", "tos_uri": None, "redirect_uris": [CALLBACK, f"{CALLBACK}/2"]},
        actor=ROOT,
    )
    assert secret is None
    assert changed == msgspec.structs.replace(
        client, name="Other", tos_uri=None, redirect_uris=(CALLBACK, f"{CALLBACK}/2")
    )
    assert await entries(world) == []  # nothing that it has says more than before


@pytest.mark.parametrize(
    "before, after, voids",
    [
        ({}, {"scope": "openid"}, True),
        ({"scope": "openid read"}, {"scope": "openid"}, True),
        ({"scope": "openid"}, {"scope": "openid read"}, False),
        ({"scope": "openid"}, {"scope": None}, False),
        ({"audiences": ["https://a.example"]}, {"audiences": ["https://b.example"]}, True),
        ({}, {"grant_types": ["authorization_code"]}, True),
        ({}, {"first_party": True}, False),
    ],
    ids=range(7),
)
@asynchronous
async def test_a_client_that_may_ask_for_less_has_to_refresh_its_tokens(
    world: World, *, before: dict[str, object], after: dict[str, object], voids: bool
) -> None:
    clients = world.flows.provider.clients
    for audience in ("https://a.example", "https://b.example"):
        await world.flows.provider.apis.add(audience)
    client, _ = await clients.add(WEB, actor=ROOT)
    await clients.change(client.id, before, actor=ROOT)
    count = len(await entries(world))
    await clients.change(client.id, after, actor=ROOT)
    new = (await entries(world))[: len(await entries(world)) - count]
    assert [(each.kind, each.value, each.reason, each.actor) for each in new] == (
        [("client", client.id, "permissions-changed", ROOT)] if voids else []
    )


@asynchronous
async def test_attack_a_token_does_not_stay_the_sites_own_when_its_client_is_not_any_more(
    world: World,
) -> None:
    client = a_client(first_party=True, redirect_uris=(CALLBACK,))
    ours = await granted(world, client)
    token = await ours.token()
    assert (await ours.known(token)).first_party  # which is remembered
    world.clock.advance(1)
    await world.flows.provider.clients.change(client.id, {"first_party": None}, actor=ROOT)
    with pytest.raises(InvalidTokenError):
        await ours.known(token)


@asynchronous
async def test_the_apis_of_a_client_exist_and_are_named_as_they_spell_themselves(world: World) -> None:
    clients, apis = world.flows.provider.clients, world.flows.provider.apis
    await apis.add("https://api.example")
    client, _ = await clients.add(
        msgspec.structs.replace(WEB, audiences=("https://api.example/", f"{ISSUER}/")), actor=ROOT
    )
    assert client.audiences == ("https://api.example", ISSUER)
    with pytest.raises(InvalidClientMetadataError) as refused:
        await clients.change(client.id, {"audiences": ["https://other.example"]}, actor=ROOT)
    assert refused.value.field == "audiences"
    # One that is gone does not stand in the way of other changes.
    await apis.remove("https://api.example", actor=ROOT)
    changed, _ = await clients.change(client.id, {"client_name": "Other"}, actor=ROOT)
    assert (changed.name, changed.audiences) == ("Other", client.audiences)


@asynchronous
async def test_a_new_secret_replaces_the_old_one(world: World) -> None:
    clients = world.flows.provider.clients
    client, old = await clients.add(WEB, actor=ROOT)
    changed, new = await clients.new_secret(client.id)
    assert new != old
    assert (await clients.get(client.id)).secret_digest == changed.secret_digest == digest(new)
    machine = await a_machine_with_a_key(world)
    with pytest.raises(InvalidClientMetadataError):
        await clients.new_secret(machine.id)


@asynchronous
async def test_a_key_is_made_of_which_only_the_public_half_is_stored(world: World) -> None:
    clients = world.flows.provider.clients
    machine = await a_machine_with_a_key(world)
    changed, private = await clients.new_key(machine.id)
    key = Key.from_jwk(private)
    assert (key.algorithm.name, key.is_private) == ("ES256", True)
    assert changed.jwks is not None
    (stored,) = msgspec.json.decode(changed.jwks)["keys"]
    assert stored == key.public().to_jwk()
    assert "d" not in stored
    # The next one replaces it, or stands beside it.
    changed, second = await clients.new_key(machine.id, algorithm="Ed25519")
    assert [each["kid"] for each in msgspec.json.decode(changed.jwks or b"")["keys"]] == [second["kid"]]
    changed, third = await clients.new_key(machine.id, keep=True)
    kids = [each["kid"] for each in msgspec.json.decode(changed.jwks or b"")["keys"]]
    assert kids == [third["kid"], second["kid"]]
    # Its metadata can still be changed, keys and all.
    again, _ = await clients.change(machine.id, {"client_name": "Robot 2"}, actor=ROOT)
    assert again.jwks is not None
    assert [each["kid"] for each in msgspec.json.decode(again.jwks)["keys"]] == kids


@asynchronous
async def test_a_key_is_made_only_for_who_uses_one_and_signs_so(world: World) -> None:
    clients = world.flows.provider.clients
    web, _ = await clients.add(WEB, actor=ROOT)
    elsewhere = await a_machine_with_a_key(world, jwks_uri="https://app.example/jwks")
    pinned = await a_machine_with_a_key(world, token_endpoint_auth_signing_alg="Ed25519")
    for client, algorithm in ((web, None), (elsewhere, None), (pinned, "ES256"), (pinned, "HS256")):
        with pytest.raises(InvalidClientMetadataError):
            await clients.new_key(client.id, algorithm=algorithm)
    _, private = await clients.new_key(pinned.id)
    assert Key.from_jwk(private).algorithm.name == "Ed25519"


@asynchronous
async def test_a_client_that_is_switched_off_is_as_unknown_until_it_is_switched_on(world: World) -> None:
    clients = world.flows.provider.clients
    client, _ = await clients.add(WEB, actor=ROOT)
    assert await clients.cached(client.id) == client
    assert await clients.disable(client.id, actor=ROOT) == 0
    assert await clients.cached(client.id) is None
    found = await clients.find(client.id)
    assert found is not None
    assert found.disabled_at == world.clock()
    world.clock.advance(5)
    await clients.disable(client.id, actor=ROOT)
    assert (await clients.get(client.id)).disabled_at == found.disabled_at
    await clients.enable(client.id)
    assert await clients.cached(client.id) == client


@asynchronous
async def test_what_is_not_there_cannot_be_managed(world: World) -> None:
    clients = world.flows.provider.clients
    for attempt in (
        clients.get("nobody"),
        clients.change("nobody", {}, actor=ROOT),
        clients.replace("nobody", WEB, actor=ROOT),
        clients.new_secret("nobody"),
        clients.new_key("nobody"),
        clients.disable("nobody", actor=ROOT),
        clients.enable("nobody"),
        clients.remove("nobody", actor=ROOT),
    ):
        with pytest.raises(UnknownClientError):
            await attempt
    assert await clients.cached("nobody") is None
    assert await clients.cached("x" * 10_000) is None


# --- what is kept in memory ---------------------------------------------------------------------------------


@asynchronous
async def test_a_client_is_read_once_and_read_again_after_any_commit(world: World) -> None:
    clients = world.flows.provider.clients
    client, _ = await clients.add(WEB, actor=ROOT)
    await world.settled()
    first = await clients.cached(client.id)
    assert await clients.cached(client.id) is first
    await world.flows.provider.roles.add("anything")
    assert await clients.cached(client.id) == first
    await clients.change(client.id, {"client_name": "Other"}, actor=ROOT)
    changed = await clients.cached(client.id)
    assert changed is not None
    assert changed.name == "Other"


@asynchronous
async def test_what_changes_while_it_is_read_is_not_kept_as_it_was(world: World) -> None:
    storage, cache = world.storage, world.context.cache
    versions: list[int] = []

    async def load() -> int:
        if not versions:
            versions.append(1)
            # Somebody commits, and somebody else looks, while this one is still reading.
            await world.flows.provider.roles.add("anything")
            await cache.get(storage, "other", _two)
        return 1

    assert await cache.get(storage, "key", load) == 1
    assert await cache.get(storage, "key", _two) == 2


async def _two() -> int:
    return 2


@asynchronous
async def test_that_there_is_nothing_is_not_kept_and_the_cache_is_bounded(world: World) -> None:
    storage, cache = world.storage, world.context.cache

    async def nothing() -> int | None:
        return None

    assert await cache.get(storage, "key", nothing) is None
    assert await cache.get(storage, "key", _two) == 2
    for number in range(10_001):
        await cache.get(storage, number, _two)
    assert len(vars(cache)["_kept"]) <= 10_000


def test_another_process_that_removes_a_client_is_noticed(sqlite_world: World) -> None:
    async def body() -> None:
        client, _ = await sqlite_world.flows.provider.clients.add(WEB, actor=ROOT)
        other = sqlite_world.sibling()
        assert await cached_client(other.context, client.id) == client
        await sqlite_world.flows.provider.clients.remove(client.id, actor=ROOT)
        assert await cached_client(other.context, client.id) is None

    asyncio.run(body())
