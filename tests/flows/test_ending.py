"""The end of sessions: every way goes through one function, and none leaves a credential that works."""

import inspect
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

import pytest

from coatcheck.flows import (
    account,
    administration,
    authentication,
    ending,
    housekeeping,
    opening,
    re_authentication,
    recovery,
    sign_in,
    sign_up,
    tokens,
)
from coatcheck.flows.ending import Reason
from coatcheck.flows.errors import RecentSignInNeededError
from coatcheck.flows.model import SignedIn
from coatcheck.flows.ports import Records
from coatcheck.flows.service import Flows
from coatcheck.sessions.errors import InvalidRefreshTokenError, InvalidSessionError
from coatcheck.sessions.policy import SessionPolicy
from coatcheck.storage.memory import MemoryStorage
from tests.flows.world import (
    ADA,
    ELSEWHERE,
    EVE,
    HOME,
    OTHER_PASSWORD,
    PASSWORD,
    World,
    asks,
    asynchronous,
    cookie,
    refresh_token,
)

MODULES = (
    account,
    administration,
    authentication,
    ending,
    housekeeping,
    opening,
    re_authentication,
    recovery,
    sign_in,
    sign_up,
    tokens,
)


class Scene:
    """Somebody with a browser, another browser and a client with tokens."""

    def __init__(self, world: World, here: SignedIn, there: SignedIn, app: SignedIn) -> None:
        self.world = world
        self.here = here
        self.there = there
        self.app = app

    @classmethod
    async def laid(cls, world: World) -> "Scene":
        return cls(
            world,
            await world.signed_up(ADA),
            await world.signed_in(ADA),
            await world.signed_in(ADA, credential="tokens"),
        )

    def all(self) -> set[str]:
        return {each.session.id for each in (self.here, self.there, self.app)}


Way = Callable[[Scene], Awaitable[set[str]]]


async def sign_out(scene: Scene) -> set[str]:
    await scene.world.flows.ending.sign_out(await scene.world.identity(scene.here))
    return {scene.here.session.id}


async def end_one(scene: Scene) -> set[str]:
    identity = await scene.world.identity(scene.here)
    assert await scene.world.flows.ending.end(identity, scene.app.session.id)
    return {scene.app.session.id}


async def end_others(scene: Scene) -> set[str]:
    assert await scene.world.flows.ending.end_others(await scene.world.identity(scene.here)) == 2
    return {scene.there.session.id, scene.app.session.id}


async def end_everywhere(scene: Scene) -> set[str]:
    assert await scene.world.flows.ending.end_everywhere(await scene.world.identity(scene.here)) == 3
    return scene.all()


async def change_password(scene: Scene) -> set[str]:
    identity = await scene.world.identity(scene.here)
    await scene.world.flows.account.change_password(
        identity, PASSWORD, OTHER_PASSWORD, client=HOME, device=None
    )
    return {scene.there.session.id, scene.app.session.id}


async def confirm_email_change(scene: Scene) -> set[str]:
    world, identity = scene.world, await scene.world.identity(scene.here)
    await world.post()
    await world.flows.account.request_email_change(identity, EVE, client=HOME)
    await world.flows.account.confirm_email_change(identity, await world.token(), client=HOME)
    return {scene.there.session.id, scene.app.session.id}


async def deactivate(scene: Scene) -> set[str]:
    await scene.world.flows.account.deactivate(await scene.world.identity(scene.here))
    return scene.all()


async def delete(scene: Scene) -> set[str]:
    await scene.world.flows.account.delete(await scene.world.identity(scene.here))
    return scene.all()


async def reset(scene: Scene) -> set[str]:
    await scene.world.post()
    await scene.world.flows.recovery.request(ADA, client=ELSEWHERE)
    await scene.world.flows.recovery.reset(await scene.world.token(), OTHER_PASSWORD, client=ELSEWHERE)
    return scene.all()


async def administrator_disables(scene: Scene) -> set[str]:
    assert await scene.world.flows.administration.disable(ADA) == 3
    return scene.all()


async def administrator_deletes(scene: Scene) -> set[str]:
    await scene.world.flows.administration.delete(ADA)
    return scene.all()


async def administrator_ends_one(scene: Scene) -> set[str]:
    assert await scene.world.flows.administration.end_session(scene.app.session.id)
    assert not await scene.world.flows.administration.end_session(scene.app.session.id)
    return {scene.app.session.id}


async def administrator_ends_all(scene: Scene) -> set[str]:
    assert await scene.world.flows.administration.end_sessions(ADA) == 3
    return scene.all()


async def reuse(scene: Scene) -> set[str]:
    token = refresh_token(scene.app)
    await scene.world.flows.tokens.refresh(token, client=HOME)
    scene.world.clock.advance(11)
    with pytest.raises(InvalidRefreshTokenError):
        await scene.world.flows.tokens.refresh(token, client=HOME)
    return {scene.app.session.id}


async def sign_in_instead(scene: Scene) -> set[str]:
    await scene.world.signed_in(ADA, replaces=cookie(scene.there))
    return {scene.there.session.id}


async def sign_up_instead(scene: Scene) -> set[str]:
    world = scene.world
    await world.post()
    binding = await world.flows.sign_up.request(EVE, PASSWORD, client=HOME)
    await world.flows.sign_up.confirm(
        await world.token(), binding=binding, password=None, request=asks(replaces=cookie(scene.there))
    )
    return {scene.there.session.id}


async def too_many(scene: Scene) -> set[str]:
    world = scene.world
    world.clock.advance(1)
    world.tune(replace(world.tunables, sessions=SessionPolicy(max_sessions=1)))
    await world.signed_in(ADA)
    return scene.all()


WAYS: dict[str, Way] = {
    "Account.change_password": change_password,
    "Account.confirm_email_change": confirm_email_change,
    "Account.deactivate": deactivate,
    "Account.delete": delete,
    "Administration.delete": administrator_deletes,
    "Administration.disable": administrator_disables,
    "Administration.end_session": administrator_ends_one,
    "Administration.end_sessions": administrator_ends_all,
    "Ending.end": end_one,
    "Ending.end_everywhere": end_everywhere,
    "Ending.end_others": end_others,
    "Ending.sign_out": sign_out,
    "Recovery.reset": reset,
    "SignIn.with_password": sign_in_instead,
    "SignIn.with_password, beyond the limit": too_many,
    "SignUp.confirm": sign_up_instead,
    "Tokens.refresh": reuse,
}


@pytest.mark.parametrize("way", WAYS)
@asynchronous
async def test_asvs_7_4_1_every_way_ends_just_what_it_should_and_through_the_one_function(
    world: World, way: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "coatcheck.sessions")
    scene = await Scene.laid(world)
    ended: list[str] = []
    original = ending.end_sessions

    async def recording(records: Records, session_ids: Iterable[str], reason: Reason) -> list[str]:
        done = await original(records, session_ids, reason)
        ended.extend(done)
        return done

    for module in MODULES:
        if hasattr(module, "end_sessions"):
            monkeypatch.setattr(module, "end_sessions", recording)
    caplog.clear()
    expected = await WAYS[way](scene)
    assert set(ended) == expected
    assert len(ended) == len(expected)
    assert all(f"session {each} ended: " in caplog.text for each in expected)
    records = world.storage.records
    assert {each for each in scene.all() if await records.find_session(each) is None} == expected
    for signed_in in (scene.here, scene.there, scene.app):
        if signed_in.session.id in expected:
            assert not await world.is_in(signed_in)
    if scene.app.session.id in expected:
        assert not await world.can_refresh(scene.app)


def test_every_flow_that_may_end_a_session_is_in_the_table_of_ways() -> None:
    may_end = re.compile(r"\b(end_sessions|end_all_sessions|_end_all|open_session|_open)\(")
    flows = vars(Flows(World(MemoryStorage()).context)).values()
    found = {
        f"{type(flow).__name__}.{name}"
        for flow in flows
        for name, method in inspect.getmembers(type(flow), inspect.iscoroutinefunction)
        if not name.startswith("_") and may_end.search(inspect.getsource(method).partition(":")[2])
    }
    assert found == {way.partition(",")[0] for way in WAYS}


def test_nothing_but_the_one_function_deletes_sessions() -> None:
    sources = {module: inspect.getsource(module) for module in MODULES}
    assert [module.__name__ for module in MODULES if ".delete_sessions(" in sources[module]] == [
        "coatcheck.flows.ending"
    ]
    assert [module.__name__ for module in MODULES if ".delete_expired_sessions(" in sources[module]] == [
        "coatcheck.flows.housekeeping"
    ]
    # Deleting a user takes the sessions along: they are ended before.
    for module in MODULES:
        assert sources[module].count(".delete_user(") == sources[module].count("Reason.DELETED)")


@asynchronous
async def test_an_end_that_is_rolled_back_is_none(world: World) -> None:
    signed_in = await world.signed_up()

    async def end_and_fail() -> None:
        async with world.storage.transaction() as records:
            await ending.end_sessions(records, [signed_in.session.id], Reason.SIGNED_OUT)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await end_and_fail()
    assert await world.is_in(signed_in)


@asynchronous
async def test_signing_out_twice_is_harmless(world: World) -> None:
    identity = await world.identity(await world.signed_up())
    await world.flows.ending.sign_out(identity)
    await world.flows.ending.sign_out(identity)


@asynchronous
async def test_devices_are_listed_with_the_current_one_first_and_without_expired_ones(world: World) -> None:
    first = await world.signed_up()
    world.clock.advance(10 * 24 * 3600)
    second = await world.signed_in(client=ELSEWHERE)
    third = await world.signed_in(credential="tokens")
    world.clock.advance(1)
    devices = await world.flows.ending.list_devices(await world.identity(second))
    assert devices[0].session_id == second.session.id
    assert [device.is_current for device in devices] == [True, False, False]
    assert {device.session_id: device.kind for device in devices} == {
        first.session.id: "browser",
        second.session.id: "browser",
        third.session.id: "tokens",
    }
    assert devices[0].client == ELSEWHERE
    assert devices[0].methods == ("pwd",)
    world.clock.advance(4 * 24 * 3600 + 1)
    devices = await world.flows.ending.list_devices(await world.identity(second))
    assert first.session.id not in {device.session_id for device in devices}


@asynchronous
async def test_of_the_sessions_of_others_nobody_knows_or_ends_any(world: World) -> None:
    ada, eve = await world.signed_up(ADA), await world.signed_up(EVE)
    identity = await world.identity(eve)
    assert not await world.flows.ending.end(identity, ada.session.id)
    assert not await world.flows.ending.end(identity, "unknown")
    assert [each.session_id for each in await world.flows.ending.list_devices(identity)] == [eve.session.id]
    await world.flows.ending.end_everywhere(identity)
    assert await world.is_in(ada)


@asynchronous
async def test_asvs_7_5_2_ending_other_sessions_needs_a_recent_sign_in_and_ending_ones_own_does_not(
    world: World,
) -> None:
    here, there = await world.signed_up(), await world.signed_in()
    identity = await world.identity(here)
    world.clock.advance(301)
    with pytest.raises(RecentSignInNeededError):
        await world.flows.ending.end(identity, there.session.id)
    with pytest.raises(RecentSignInNeededError):
        await world.flows.ending.end_others(identity)
    assert await world.is_in(there)
    assert await world.flows.ending.end(identity, here.session.id)
    other = await world.identity(there)
    assert await world.flows.ending.end_everywhere(other) == 1


@asynchronous
async def test_a_session_that_shows_up_elsewhere_than_it_is_bound_to_ends_through_the_one_function(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "coatcheck.sessions")
    world.tune(replace(world.tunables, sessions=SessionPolicy(binding="address")))
    signed_in = await world.signed_up()
    by_cookie = world.flows.authentication.by_cookie
    await by_cookie(cookie(signed_in), client=HOME)
    with pytest.raises(InvalidSessionError):
        await by_cookie(cookie(signed_in), client=ELSEWHERE)
    assert f"session {signed_in.session.id} ended: bound-elsewhere" in caplog.text
    with pytest.raises(InvalidSessionError):
        await by_cookie(cookie(signed_in), client=HOME)
