"""Two processes on one file: what holds in one holds for both together."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from coatcheck.accounts.errors import InvalidCredentialsError, InvalidLinkError
from coatcheck.flows.model import SignedIn
from coatcheck.storage.sqlite import SQLiteStorage
from tests.flows.world import (
    ADA,
    ELSEWHERE,
    HOME,
    OTHER_PASSWORD,
    PASSWORD,
    World,
    asks,
    asynchronous,
    refresh_token,
)


@pytest.fixture
def other_process(sqlite_world: World, database: Path) -> Iterator[World]:
    world = sqlite_world.sibling(SQLiteStorage(database, notice=timedelta(0)))
    yield world
    asyncio.run(world.close())


@asynchronous
async def test_refreshes_at_once_in_both_give_one_successor(
    sqlite_world: World, other_process: World
) -> None:
    signed_in = await sqlite_world.signed_up(credential="tokens")
    responses = await asyncio.gather(
        *(
            world.flows.tokens.refresh(refresh_token(signed_in), client=HOME)
            for _ in range(25)
            for world in (sqlite_world, other_process)
        )
    )
    assert len({response.refresh_token for response in responses}) == 1
    assert await other_process.is_in(signed_in)


@asynchronous
async def test_guesses_at_once_in_both_are_counted_together(
    sqlite_world: World, other_process: World
) -> None:
    await sqlite_world.signed_up()
    outcomes = await asyncio.gather(
        *(
            world.signed_in(password="wrong", client=ELSEWHERE)
            for _ in range(15)
            for world in (sqlite_world, other_process)
        ),
        return_exceptions=True,
    )
    burst = sqlite_world.context.throttles.account_at_address.burst
    assert sum(isinstance(outcome, InvalidCredentialsError) for outcome in outcomes) == burst


@asynchronous
async def test_a_link_used_at_once_in_both_works_in_one(sqlite_world: World, other_process: World) -> None:
    binding = await sqlite_world.flows.sign_up.request(ADA, PASSWORD, client=HOME)
    secret = await sqlite_world.token()
    outcomes = await asyncio.gather(
        *(
            world.flows.sign_up.confirm(secret, binding=binding, password=None, request=asks())
            for _ in range(5)
            for world in (sqlite_world, other_process)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, SignedIn) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, InvalidLinkError) for outcome in outcomes) == 9


@asynchronous
async def test_a_password_that_one_changes_while_the_other_checks_it_is_refused(
    sqlite_world: World, other_process: World
) -> None:
    signed_in = await sqlite_world.signed_up()
    identity = await sqlite_world.identity(signed_in)
    other_process.hasher.meanwhile = lambda: sqlite_world.flows.account.change_password(
        identity, PASSWORD, OTHER_PASSWORD, client=HOME, device=None
    )
    with pytest.raises(InvalidCredentialsError):
        await other_process.signed_in()
    assert await other_process.is_in(await other_process.signed_in(password=OTHER_PASSWORD))


@asynchronous
async def test_a_token_that_one_issued_is_good_in_the_other(
    sqlite_world: World, other_process: World
) -> None:
    signed_in = await sqlite_world.signed_up(credential="tokens")
    assert await other_process.identity(signed_in) == await sqlite_world.identity(signed_in)
