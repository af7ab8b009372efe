"""The public keys of clients: fetched when they are needed, and not as often as a stranger likes."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from coatcheck.flows.provider.client_keys import keys_of
from coatcheck.flows.provider.document_cache import DocumentCache, Keeping
from coatcheck.jose import Key
from coatcheck.oauth.documents import DocumentError
from coatcheck.oauth.errors import InvalidClientError
from coatcheck.oauth.model import OAuthClient
from coatcheck.storage.memory import MemoryStorage

from .documents_known import Known, with_provider
from .world import World, asynchronous

URL = "https://app.example/jwks"
DAY = timedelta(days=1)
OLD = Key.generate("ES256", kid="old")
NEW = Key.generate("ES256", kid="new")
BY_URL = OAuthClient(id="c", name="C", created_at=0, jwks_uri=URL)


def jwks(*keys: Key) -> dict[str, object]:
    return {"keys": [key.to_jwk() for key in keys]}


class Place:
    """A client's keys, and whoever asks for them."""

    def __init__(self, world: World) -> None:
        self.clock = world.clock
        self.known = Known()
        self.context = with_provider(world.context, self.known)
        self.known.put(URL, jwks(OLD))

    async def kids(self, kid: str | None = "old", algorithm: str = "ES256") -> list[str | None]:
        return [key.kid for key in await keys_of(self.context, BY_URL, algorithm=algorithm, kid=kid)]

    async def refused(self, kid: str | None = "old", algorithm: str = "ES256") -> str | None:
        with pytest.raises(InvalidClientError) as caught:
            await self.kids(kid, algorithm)
        return caught.value.detail


@pytest.fixture
def place() -> Iterator[Place]:
    world = World(MemoryStorage())
    yield Place(world)
    asyncio.run(world.close())


@asynchronous
async def test_they_are_fetched_once_and_kept(place: Place) -> None:
    assert await place.kids() == ["old"]
    place.clock.advance(599)
    assert await place.kids(None) == ["old"]
    assert place.known.asked == [URL]
    place.clock.advance(1)
    await place.kids()
    assert len(place.known.asked) == 2


@asynchronous
async def test_the_same_object_is_given_as_long_as_they_are_the_same(place: Place) -> None:
    first = await keys_of(place.context, BY_URL, algorithm="ES256", kid="old")
    place.clock.advance(3600)
    assert await keys_of(place.context, BY_URL, algorithm="ES256", kid="old") is first


@asynchronous
async def test_a_new_key_is_found_at_once(place: Place) -> None:
    await place.kids()
    place.known.put(URL, jwks(OLD, NEW))
    place.clock.advance(30)
    assert await place.kids("new") == ["old", "new"]


@asynchronous
async def test_whoever_makes_identifiers_up_has_nothing_fetched(place: Place) -> None:
    await place.kids()
    for number in range(20):
        assert "no such key" in (await place.refused(f"made up {number}") or "")
        place.clock.advance(1)
    assert len(place.known.asked) == 1
    place.clock.advance(10)
    await place.refused("made up")
    assert len(place.known.asked) == 2


@asynchronous
async def test_of_many_at_once_one_fetches_for_all(place: Place) -> None:
    place.known.hold = asyncio.Event()
    asking = [asyncio.create_task(place.kids()) for _ in range(10)]
    await asyncio.sleep(0)
    asking[0].cancel()  # the one that began it: the others are not to suffer from it
    await asyncio.sleep(0)
    place.known.hold.set()
    assert [await each for each in asking[1:]] == [["old"]] * 9
    assert len(place.known.asked) == 1


@asynchronous
async def test_nobody_who_waits_need_be_left_when_it_fails(place: Place) -> None:
    place.known.documents.clear()
    place.known.hold = asyncio.Event()
    asking = asyncio.create_task(place.kids())
    await asyncio.sleep(0)
    asking.cancel()
    place.known.hold.set()
    await asyncio.sleep(0)
    assert asking.cancelled()


@asynchronous
async def test_where_they_cannot_be_fetched_the_old_ones_are_good_for_an_hour(place: Place) -> None:
    await place.kids()
    place.known.documents.clear()
    place.clock.advance(3599)
    assert await place.kids() == ["old"]
    place.clock.advance(1)
    assert "cannot be fetched" in (await place.refused() or "")


@asynchronous
async def test_what_could_not_be_fetched_is_not_tried_again_with_every_request(place: Place) -> None:
    place.known.documents.clear()
    for _ in range(5):
        assert "cannot be fetched" in (await place.refused() or "")
    assert len(place.known.asked) == 1
    place.known.put(URL, jwks(OLD))
    place.clock.advance(5)
    assert await place.kids() == ["old"]


@pytest.mark.parametrize("said, kept", [(0, 60), (30, 60), (300, 300), (10**9, 86_400)], ids=str)
@asynchronous
async def test_how_long_they_are_kept_is_theirs_to_say_within_bounds(
    place: Place, said: int, kept: int
) -> None:
    place.known.put(URL, jwks(OLD), fresh_for=said)
    await place.kids()
    place.clock.advance(kept - 1)
    await place.kids()
    assert len(place.known.asked) == 1
    place.clock.advance(1)
    await place.kids()
    assert len(place.known.asked) == 2


@asynchronous
async def test_registered_ones_are_not_fetched(place: Place) -> None:
    client = OAuthClient(id="c", name="C", created_at=0, jwks=b'{"keys":[]}')
    with pytest.raises(InvalidClientError):
        await keys_of(place.context, client, algorithm="ES256", kid=None)
    with pytest.raises(InvalidClientError, match="unknown"):
        await keys_of(place.context, OAuthClient(id="c", name="C", created_at=0), algorithm="ES256", kid=None)
    assert place.known.asked == []


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"keys":1}', b"\xff", b"[" * 10_000], ids=lambda body: repr(body[:12])
)
@asynchronous
async def test_what_is_no_key_set_is_a_refusal_of_the_client(place: Place, body: bytes) -> None:
    place.known.put(URL, body)
    assert "cannot be read" in (await place.refused() or "")


@asynchronous
async def test_a_key_for_another_algorithm_is_none(place: Place) -> None:
    assert "no such key" in (await place.refused("old", "RS256") or "")


@asynchronous
async def test_what_is_kept_is_bounded(place: Place) -> None:
    cache, keeping = DocumentCache(), Keeping(least=DAY, usual=DAY, most=DAY)
    for number in range(501):
        place.known.put(f"https://{number}.example/", number)
        await cache.get(place.context, f"https://{number}.example/", keeping=keeping)
    assert not cache.is_fresh("https://0.example/", at=place.clock())
    assert cache.is_fresh("https://1.example/", at=place.clock())
    cache.forget("https://1.example/")
    cache.forget("https://1.example/")
    place.known.documents.clear()
    with pytest.raises(DocumentError):
        await cache.get(place.context, "https://1.example/", keeping=keeping)
    read = place.context.client_keys
    for number in range(501):
        read.read(b'{"keys":[]}' + b" " * number, "ES256")
    assert len(read._sets) == 500
