"""Data of a session: what is written is there, and what is not written is not pretended to be."""

import asyncio

import pytest

from coatcheck.sessions.errors import InvalidSessionError, SessionDataConflictError, SessionDataError
from tests.flows.world import World, asynchronous


@asynchronous
async def test_what_was_changed_deep_inside_is_kept(world: World) -> None:
    identity = await world.identity(await world.signed_up())
    data = world.flows.session_data
    assert await data.read(identity) == {}
    await data.replace(identity, {"cart": {"items": ["umbrella"]}})
    async with data.edit(identity) as value:
        value["cart"]["items"].append("coat")
    read = await data.read(identity)
    assert read == {"cart": {"items": ("umbrella", "coat")}}
    with pytest.raises(TypeError):
        read["cart"]["items"] = []
    with pytest.raises(AttributeError):
        read["cart"]["items"].append("hat")


@asynchronous
async def test_a_block_that_raises_or_changes_nothing_writes_nothing(world: World) -> None:
    signed_in = await world.signed_up()
    identity = await world.identity(signed_in)
    data = world.flows.session_data

    async def fail() -> None:
        async with data.edit(identity) as value:
            value["lost"] = True
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with data.edit(identity):
        pass
    session = await world.storage.records.find_session(signed_in.session.id)
    assert session is not None
    assert (session.data, session.data_revision) == (b"{}", 0)


@asynchronous
async def test_of_two_edits_at_once_the_second_is_told(world: World) -> None:
    identity = await world.identity(await world.signed_up())
    data = world.flows.session_data

    async def edit(name: str) -> None:
        async with data.edit(identity) as value:
            await asyncio.sleep(0)
            value[name] = True

    outcomes = await asyncio.gather(edit("a"), edit("b"), return_exceptions=True)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "SessionDataConflictError"]
    assert len(await data.read(identity)) == 1
    assert SessionDataConflictError.code == "session_data_conflict"


@asynchronous
async def test_what_is_no_json_is_refused_and_what_was_there_stays(world: World) -> None:
    identity = await world.identity(await world.signed_up())
    data = world.flows.session_data
    await data.replace(identity, {"kept": 1})
    with pytest.raises(SessionDataError):
        await data.replace(identity, {"bad": float("nan")})

    async def edit() -> None:
        async with data.edit(identity) as value:
            value["bad"] = object()

    with pytest.raises(SessionDataError):
        await edit()
    assert await data.read(identity) == {"kept": 1}


@pytest.mark.parametrize("end", ["sign out", "expire"])
@asynchronous
async def test_a_session_that_has_ended_has_no_data(world: World, end: str) -> None:
    identity = await world.identity(await world.signed_up())
    data = world.flows.session_data

    async def end_it() -> None:
        if end == "sign out":
            await world.flows.ending.sign_out(identity)
        else:
            world.clock.advance(15 * 24 * 3600)

    async def edit(*, ends_within: bool) -> None:
        async with data.edit(identity) as value:
            value["new"] = 1
            if ends_within:
                await world.flows.ending.sign_out(identity)

    if end == "sign out":
        with pytest.raises(InvalidSessionError):
            await edit(ends_within=True)
    await end_it()
    with pytest.raises(InvalidSessionError):
        await edit(ends_within=False)
    with pytest.raises(InvalidSessionError):
        await data.read(identity)
    with pytest.raises(InvalidSessionError):
        await data.replace(identity, {})


@asynchronous
async def test_a_new_session_begins_without_the_data_of_another(world: World) -> None:
    first = await world.signed_up()
    await world.flows.session_data.replace(await world.identity(first), {"a": 1})
    second = await world.signed_in(replaces=first.secret)
    assert await world.flows.session_data.read(await world.identity(second)) == {}
