"""From a credential to an identity: what is remembered never outlives what was committed, here or elsewhere."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from coatcheck.flows import authentication as module
from coatcheck.flows.errors import InvalidTokenError
from coatcheck.flows.model import SignedIn
from coatcheck.flows.ports import Records, Storage
from coatcheck.sessions.errors import InvalidSessionError
from coatcheck.sessions.policy import NIST_AAL3, SessionPolicy
from coatcheck.storage.errors import StorageBusyError
from coatcheck.storage.sqlite import SQLiteStorage
from tests.flows.ways import WAYS, Scene
from tests.flows.world import (
    ADA,
    ELSEWHERE,
    EVE,
    HOME,
    World,
    access_token,
    asynchronous,
    cookie,
)


@pytest.fixture
def other_process(sqlite_world: World, database: Path) -> Iterator[World]:
    """The same file, opened by somebody else."""
    # What it may take a moment to notice, by default, it here notices at once: so that no test has to wait.
    world = sqlite_world.sibling(SQLiteStorage(database, notice=timedelta(0)))
    yield world
    asyncio.run(world.close())


async def seen(world: World, signed_in: SignedIn) -> tuple[str, frozenset[str]] | None:
    if not await world.is_in(signed_in):
        return None
    identity = await world.identity(signed_in)
    return identity.email, identity.scopes


@pytest.mark.parametrize("way", WAYS)
@asynchronous
async def test_asvs_7_4_1_what_ended_is_refused_by_the_very_next_request_in_every_process(
    sqlite_world: World, other_process: World, way: str
) -> None:
    for world in (sqlite_world, other_process):
        WAYS[way].prepare(world)
    scene = await Scene.laid(sqlite_world)
    everybody = (scene.here, scene.there, scene.app)
    for world in (sqlite_world, other_process):
        for each in everybody:
            assert await world.is_in(each)
            assert recalled(world, each) == (world.tunables.sessions.binding == "off")
    await WAYS[way].take(scene)
    for world in (other_process, sqlite_world):
        for each in everybody:
            if each.session.id in scene.named(WAYS[way].ends):
                assert not recalled(world, each)
                assert not await world.is_in(each)


@asynchronous
async def test_a_process_as_it_is_by_default_notices_within_some_milliseconds(
    sqlite_world: World, database: Path
) -> None:
    signed_in = await sqlite_world.signed_up()
    other = sqlite_world.sibling(SQLiteStorage(database))
    assert await other.is_in(signed_in)
    await sqlite_world.flows.administration.end_sessions(ADA)
    await asyncio.sleep(0.005)
    assert not recalled(other, signed_in)
    assert not await other.is_in(signed_in)
    await other.close()


def recalled(world: World, signed_in: SignedIn) -> bool:
    credential = signed_in.secret or access_token(signed_in)
    via: module.Via = "bearer" if signed_in.secret is None else "cookie"
    return world.flows.authentication.recall(credential.encode(), via) is not None


@asynchronous
async def test_what_changed_shows_at_the_very_next_request_in_every_process(
    sqlite_world: World, other_process: World
) -> None:
    browser = await sqlite_world.signed_up()
    await sqlite_world.flows.administration.set_scopes(ADA, ["read"])
    app = await sqlite_world.signed_in(credential="tokens")
    worlds = (sqlite_world, other_process)
    for world in worlds:
        for each in (browser, app):
            assert await seen(world, each) == (ADA, frozenset({"read"}))
    await other_process.flows.administration.set_scopes(ADA, [])
    for world in worlds:
        for each in (browser, app):
            assert await seen(world, each) == (ADA, frozenset())
    identity = await sqlite_world.identity(browser)
    await sqlite_world.post()
    await sqlite_world.flows.account.request_email_change(identity, "new@example.com", client=HOME)
    secret = await sqlite_world.token()
    await other_process.flows.account.confirm_email_change(identity, secret, client=HOME)
    for world in worlds:
        assert await seen(world, browser) == ("new@example.com", frozenset())
        assert await seen(world, app) is None


@asynchronous
async def test_a_commit_that_concerns_nobody_here_causes_no_look_up_and_one_that_does_causes_one(
    sqlite_world: World, other_process: World
) -> None:
    ada = await sqlite_world.signed_up(credential="tokens")
    eve = await sqlite_world.signed_up(EVE)
    storage = Closed(sqlite_world.storage)
    sqlite_world.flows.authentication._context = replace(sqlite_world.context, storage=storage)
    for each in (ada, eve):
        assert await sqlite_world.is_in(each)
    looked_up = storage.reads
    for elsewhere in (sqlite_world, other_process):
        await elsewhere.storage.records.write_throttles({"key": 1.0})
        stranger = await elsewhere.signed_in(EVE)
        await elsewhere.flows.administration.end_session(stranger.session.id)
        assert not recalled(sqlite_world, ada)  # it has to be asked first what was committed
        for each in (ada, eve):
            assert await sqlite_world.is_in(each)
            assert recalled(sqlite_world, each)
        assert storage.reads == looked_up
    await other_process.flows.administration.set_scopes(EVE, ["read"])
    for each in (ada, eve):
        assert await sqlite_world.is_in(each)
    assert storage.reads > looked_up
    assert (await sqlite_world.identity(eve)).scopes == {"read"}
    looked_up = storage.reads
    await other_process.flows.administration.end_session(ada.session.id)
    assert not await sqlite_world.is_in(ada)
    assert await sqlite_world.is_in(eve)
    assert recalled(sqlite_world, eve)


@pytest.mark.parametrize("many", [False, True], ids=["everything", "many"])
@asynchronous
async def test_what_concerns_everybody_has_everybody_looked_up_again(
    world: World, monkeypatch: pytest.MonkeyPatch, *, many: bool
) -> None:
    signed_in = await world.signed_up()
    others = [await world.signed_in() for _ in range(3)]
    assert await world.is_in(signed_in)
    if many:
        monkeypatch.setattr(module, "_MOST_REMEMBERED", 2)
        await world.flows.ending.end_others(await world.identity(signed_in))
    else:
        await world.flows.revoking.everything(actor="server")
    assert await world.is_in(signed_in) == many
    for each in others:
        assert not await world.is_in(each)


@asynchronous
async def test_a_request_that_finds_everything_as_it_was_reads_nothing(world: World) -> None:
    signed_in = await world.signed_up()
    await world.identity(signed_in)
    closed = Closed(world.storage)
    world.flows.authentication._context = replace(world.context, storage=closed)
    for _ in range(3):
        assert (await world.identity(signed_in)).email == ADA
    assert closed.reads == 0


class Closed:
    """A storage that counts who wants its records."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.reads = 0
        self.transaction = storage.transaction
        self.version = storage.version
        self.close = storage.close
        self.watch = storage.watch
        self.change_throttles = storage.change_throttles

    @property
    def records(self) -> Records:
        self.reads += 1
        return self._storage.records


class Suspending:
    """A storage whose reads wait, as those of a database across a network do."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.watch = storage.watch
        self.transaction = storage.transaction
        self.version = storage.version
        self.close = storage.close
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()
        self.stops_after: str | None = None

    @property
    def records(self) -> Any:
        return self

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._storage.records, name)

        async def slow(*args: object, **kwargs: object) -> object:
            result = await real(*args, **kwargs)
            if name == self.stops_after:
                self.stops_after = None
                self.reached.set()
                await self.go_on.wait()
            return result

        return slow


@pytest.mark.parametrize("stops_after", ["find_session_by_digest", "find_session", "find_user"])
@pytest.mark.parametrize("noticed", [True, False])
@asynchronous
async def test_a_session_that_ends_while_it_is_looked_up_is_not_remembered(
    world: World, stops_after: str, *, noticed: bool
) -> None:
    signed_in = await world.signed_up(credential="tokens" if stops_after == "find_session" else "cookie")
    bystander = await world.signed_in()
    suspending = Suspending(world.storage)
    slow = World.__new__(World)
    slow.flows = world.with_storage(suspending)
    suspending.stops_after = stops_after
    lookup = asyncio.create_task(slow.is_in(signed_in))
    await suspending.reached.wait()
    await world.flows.administration.end_session(signed_in.session.id)
    if noticed:  # by somebody else's request, in between
        assert await slow.is_in(bystander)
    suspending.go_on.set()
    await lookup  # it began before the end, and may have either outcome
    assert not recalled(slow, signed_in)
    assert not await slow.is_in(signed_in)


@asynchronous
async def test_a_remembered_session_expires_when_it_is_idle_or_old(world: World) -> None:
    world.tune(replace(world.tunables, sessions=SessionPolicy(profile=NIST_AAL3)))
    signed_in = await world.signed_up()
    for _ in range(5):
        world.clock.advance(899)
        assert await world.is_in(signed_in)
    assert recalled(world, signed_in) or await world.is_in(signed_in)
    world.clock.advance(900)
    assert not recalled(world, signed_in)
    assert not await world.is_in(signed_in)
    again = await world.signed_in()
    end = again.session.expires_at
    while world.clock.now + 800 < end:
        world.clock.advance(800)
        assert await world.is_in(again)
    world.clock.now = end
    assert not await world.is_in(again)


@asynchronous
async def test_use_is_noted_once_per_interval(world: World) -> None:
    signed_in = await world.signed_up()
    records = world.storage.records
    noted = set()
    version = world.storage.version()
    commits = 0
    for _ in range(240):  # four hours, once a minute
        world.clock.advance(60)
        assert await world.is_in(signed_in)
        session = await records.find_session(signed_in.session.id)
        assert session is not None
        noted.add(session.last_seen_at)
        commits += world.storage.version() != version
        version = world.storage.version()
    assert commits <= 4  # that is nothing that others have to be told of
    assert len(noted) == 5


@asynchronous
async def test_a_bound_session_is_looked_at_every_time_with_cookie_or_token(world: World) -> None:
    world.tune(replace(world.tunables, sessions=SessionPolicy(binding="user-agent")))
    browser = await world.signed_up()
    app = await world.signed_in(credential="tokens")
    authentication = world.flows.authentication
    token = access_token(app)
    for _ in range(2):
        await authentication.by_cookie(cookie(browser), client=HOME)
        await authentication.by_token(token, presented_as=token.encode(), client=HOME)
        assert not recalled(world, browser)
    with pytest.raises(InvalidTokenError):
        await authentication.by_token(token, presented_as=token.encode(), client=ELSEWHERE)
    with pytest.raises(InvalidSessionError):
        await authentication.by_cookie(cookie(browser), client=ELSEWHERE)
    for each in (browser, app):
        assert not await world.is_in(each)


@asynchronous
async def test_a_storage_that_is_too_busy_to_note_a_use_does_not_fail_the_request(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    signed_in = await world.signed_up()
    world.clock.advance(2 * 3600)

    async def busy(*_: object) -> None:
        raise StorageBusyError(retry_after=1.0)

    monkeypatch.setattr(type(world.storage.records), "touch_session", busy)
    assert await world.is_in(signed_in)
    assert "was not noted [storage_busy]" in caplog.text


@asynchronous
async def test_a_cookie_is_found_under_the_header_that_it_came_in(world: World) -> None:
    signed_in = await world.signed_up()
    header = f"theme=dark; __Host-coatcheck={signed_in.secret}".encode()
    authentication = world.flows.authentication
    assert authentication.recall(header, "cookie") is None
    known = await authentication.by_cookie(cookie(signed_in), presented_as=header)
    assert authentication.recall(header, "bearer") is None
    assert authentication.recall(header, "cookie") is known
    assert await authentication.by_cookie(cookie(signed_in), presented_as=header) is known
    assert (await authentication.by_cookie(cookie(signed_in))).user == known.user
    assert repr(known) == f"<Known user {signed_in.user.id} via cookie>"


@asynchronous
async def test_what_is_remembered_stays_small_whatever_clients_send(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in = await world.signed_up()
    authentication = world.flows.authentication
    long = b"x=" + b"y" * 10_000
    await authentication.by_cookie(cookie(signed_in), presented_as=long)
    assert authentication.recall(long, "cookie") is None
    monkeypatch.setattr(module, "_MOST_REMEMBERED", 10)
    for number in range(35):
        await authentication.by_cookie(cookie(signed_in), presented_as=f"{number}".encode())
        assert authentication.recall(f"{number}".encode(), "cookie") is not None
    assert len(authentication._known["cookie"]) <= 10


@pytest.mark.parametrize("secret", ["", "x", "\ud800", "é" * 43, "A" * 43, "A" * 100_000])
@asynchronous
async def test_what_is_no_secret_is_refused(world: World, secret: str) -> None:
    await world.signed_up()
    with pytest.raises(InvalidSessionError):
        await world.flows.authentication.by_cookie(secret)


@asynchronous
async def test_the_public_identifier_of_a_session_is_no_credential(world: World) -> None:
    signed_in = await world.signed_up()
    stored = await world.storage.records.find_session(signed_in.session.id)
    assert stored is not None
    assert stored.digest is not None
    for guess in (signed_in.session.id, stored.digest.hex(), stored.digest.decode("latin-1")):
        with pytest.raises(InvalidSessionError):
            await world.flows.authentication.by_cookie(guess)


@asynchronous
async def test_the_session_of_a_user_who_was_disabled_behind_the_flows_back_is_refused(world: World) -> None:
    browser = await world.signed_up()
    app = await world.signed_in(credential="tokens")
    user = browser.user
    fields = {name: getattr(user, name) for name in user.__struct_fields__}
    await world.storage.records.replace_user(type(user)(**fields | {"disabled_at": 1.0}), expected=user)
    assert not await world.is_in(browser)
    assert not await world.is_in(app)
