"""Clients whose identifier is the URL of their metadata: nobody registers them, and nobody is taken for them."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from coatcheck.accounts.errors import TooManyAttemptsError
from coatcheck.accounts.policy import Rate, ThrottlePolicy
from coatcheck.flows.provider.metadata_documents import client_by_document
from coatcheck.oauth.errors import InvalidClientError
from coatcheck.oauth.metadata_rules.document_ids import is_document_id
from coatcheck.oauth.model import OAuthClient

from .documents_known import Known, with_provider
from .world import ELSEWHERE, HOME, Tunables, World, asynchronous

ID = "https://app.example/client.json"
URI = "https://app.example/callback"
DOCUMENT = {
    "client_id": ID,
    "client_name": "App",
    "redirect_uris": [URI],
    "id_token_signed_response_alg": "ES256",  # its key is made in no time
}


class Place:
    """A client's document, and whoever begins to sign in to it."""

    def __init__(self, world: World, **policy: Any) -> None:
        self.world = world
        self.known = Known()
        self.context = with_provider(world.context, self.known, **{"registration": "open", **policy})

    def put(self, *, fresh_for: int | None = None, **document: Any) -> None:
        self.known.put(ID, {**DOCUMENT, **document}, fresh_for=fresh_for)

    async def find(self, client_id: str = ID, *, elsewhere: bool = False) -> OAuthClient | None:
        return await client_by_document(self.context, client_id, client=ELSEWHERE if elsewhere else HOME)

    async def refused(self, client_id: str = ID) -> str:
        with pytest.raises(InvalidClientError) as caught:
            await self.find(client_id)
        return caught.value.detail or ""

    async def stored(self) -> OAuthClient | None:
        return await self.world.storage.records.find_client(ID)


@asynchronous
async def test_a_client_is_what_its_document_says(world: World) -> None:
    place = Place(world)
    place.put()
    client = await place.find()
    assert client is not None
    assert (client.id, client.name, client.redirect_uris) == (ID, "App", (URI,))
    assert client.token_endpoint_auth_method == "none"
    assert client.registered_by == "metadata-document"
    assert not client.first_party
    assert client == await place.stored()


@asynchronous
async def test_it_is_fetched_once_and_kept_as_long_as_it_says_within_bounds(world: World) -> None:
    place = Place(world)
    place.put(fresh_for=300)
    first = await place.find()
    place.put(client_name="Changed", fresh_for=300)
    world.clock.advance(299)
    assert await place.find() == first
    assert place.known.asked == [ID]
    world.clock.advance(1)
    changed = await place.find()
    assert changed is not None
    assert changed.name == "Changed"
    assert changed == await place.stored()
    world.clock.advance(300)
    assert await place.find() == changed


@asynchronous
async def test_what_only_the_operator_gives_stays(world: World) -> None:
    place = Place(world)
    place.put(first_party=True)
    client = await place.find()
    assert client is not None
    assert not client.first_party
    ours = replace(client, first_party=True, audiences=("https://api.example",))
    await world.storage.records.replace_client(ours)
    world.clock.advance(86_400)
    place.put(client_name="Changed")
    found = await place.find()
    assert found is not None
    assert (found.first_party, found.audiences, found.name) == (True, ours.audiences, "Changed")


@asynchronous
async def test_that_it_could_not_be_had_is_never_kept(world: World) -> None:
    place = Place(world)
    assert "cannot be had" in await place.refused()
    place.put()
    assert await place.find() is not None
    place.known.documents.clear()
    world.clock.advance(86_400)
    assert "cannot be had" in await place.refused()  # nobody can withdraw what is believed for ever
    place.put()
    assert await place.find() is not None


@asynchronous
async def test_a_document_that_is_mended_is_seen_at_once(world: World) -> None:
    place = Place(world)
    place.put(redirect_uris=[])
    assert "redirect URI" in await place.refused()
    place.put()
    assert await place.find() is not None


@pytest.mark.parametrize(
    "said",
    [
        {"client_id": "https://bank.example/client.json"},
        {"client_id": ID + "/"},
        {"client_id": None},
        {"client_secret": "x"},
        {"client_secret_expires_at": 0},
        {"token_endpoint_auth_method": "client_secret_basic"},
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"token_endpoint_auth_method": 1},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"grant_types": ["client_credentials"]},
        {"client_name": "p\u0430ypal"},
        {"sector_identifier_uri": "https://nowhere.example/"},
    ],
    ids=str,
)
@asynchronous
async def test_a_document_of_another_client_or_of_secrets_is_refused(
    world: World, said: dict[str, Any]
) -> None:
    place = Place(world)
    place.put(**said)
    assert "not accepted" in await place.refused()
    assert await place.stored() is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"\xff", b'{"a":1,"a":2}', b"[" * 9_999], ids=lambda each: repr(each[:9])
)
@asynchronous
async def test_what_is_no_json_object_is_no_client(world: World, body: bytes) -> None:
    place = Place(world)
    place.known.put(ID, body)
    assert "cannot be had" in await place.refused()


@asynchronous
async def test_identifiers_that_are_no_such_urls_are_not_fetched(world: World) -> None:
    place = Place(world)
    for client_id in ("app", "https://app.example", "https://app.example/#x", "http://localhost/client.json"):
        assert await place.find(client_id) is None
    assert place.known.asked == []


@pytest.mark.parametrize("registration", ["off", "token"])
@asynchronous
async def test_where_strangers_do_not_register_none_is_fetched(world: World, registration: str) -> None:
    place = Place(world, registration=registration)
    place.put()
    assert await place.find() is None
    assert place.known.asked == []


@asynchronous
async def test_a_client_that_was_switched_off_is_not_fetched_back(world: World) -> None:
    place = Place(world)
    place.put()
    assert await place.find() is not None
    await world.flows.provider.clients.disable(ID, actor="administrator")
    world.clock.advance(86_400)
    found = await place.find()
    assert found is not None
    assert found.disabled_at is not None
    assert len(place.known.asked) == 1


@asynchronous
async def test_a_client_that_was_removed_begins_anew(world: World) -> None:
    place = Place(world)
    place.put()
    assert await place.find() is not None
    await world.flows.provider.clients.remove(ID, actor="administrator")
    assert await place.find() == await place.stored()


@asynchronous
async def test_nobody_has_a_host_asked_as_often_as_they_like(world: World) -> None:
    limits = ThrottlePolicy(document_address=Rate(3, 60.0), document_host=Rate(5, 60.0))
    world.tune(Tunables(throttles=limits))
    place = Place(world)
    for number in range(3):
        await place.refused(f"https://app.example/{number}")
    with pytest.raises(TooManyAttemptsError):
        await place.find()
    for number in range(2):
        with pytest.raises(InvalidClientError):
            await place.find(f"https://app.example/{number}", elsewhere=True)
    with pytest.raises(TooManyAttemptsError):  # not from there either: it is the host that is spared
        await place.find(elsewhere=True)
    with pytest.raises(InvalidClientError):
        await place.find("https://other.example/client.json", elsewhere=True)
    assert len(place.known.asked) == 6


@asynchronous
async def test_what_is_kept_counts_as_nothing(world: World) -> None:
    world.tune(Tunables(throttles=ThrottlePolicy(document_address=Rate(1, 600.0))))
    place = Place(world)
    place.put()
    for _ in range(5):
        assert await place.find() is not None


@asynchronous
async def test_two_who_come_at_once_make_one_client(world: World) -> None:
    place = Place(world)
    place.put()
    one, other = await asyncio.gather(place.find(), place.find())
    assert one == other


@pytest.mark.parametrize(
    "client_id, production, development",
    [
        ("https://app.example/client.json", True, True),
        ("https://app.example/", True, True),
        ("https://app.example:8443/client?x=1", True, True),
        ("http://localhost:9000/client.json", False, True),
        ("http://app.example/client.json", False, False),
        ("https://app.example", False, False),
        ("https://user@app.example/x", False, False),
        ("https://app.example/a/../b", False, False),
        ("https://app.example/%2e%2e/b", False, False),
        ("https://app.example/x#y", False, False),
        ("https://app.example/" + "a" * 512, False, False),
        ("com.example.app:/x", False, False),
        ("", False, False),
    ],
    ids=lambda each: str(each)[:40],
)
def test_which_identifiers_lead_to_a_document(client_id: str, *, production: bool, development: bool) -> None:
    assert is_document_id(client_id, development=False) is production
    assert is_document_id(client_id, development=True) is development
