"""Tokens that a browser's session gets into a cookie: they know of every change that is older than they are."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from coatcheck.flows.access_tokens import facts_of
from coatcheck.storage.sqlite import SQLiteStorage
from tests.flows.world import ADA, ManualClock, World, asynchronous

Kind = Literal["access-token", "id-token"]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "coatcheck.db"


@pytest.fixture
def world(database: Path) -> Iterator[World]:
    made = World(SQLiteStorage(database))
    yield made
    asyncio.run(made.close())


@pytest.mark.parametrize("kind", ["access-token", "id-token"])
@asynchronous
async def test_a_session_that_has_ended_gets_no_token(world: World, *, kind: Kind) -> None:
    signed_in = await world.signed_up()
    assert await world.flows.tokens.of_session(signed_in.session.id, kind=kind) is not None
    world.clock.advance(40 * 24 * 3600)
    assert await world.flows.tokens.of_session(signed_in.session.id, kind=kind) is None
    again = await world.signed_in()
    await world.flows.ending.sign_out(await world.identity(again))
    assert await world.flows.tokens.of_session(again.session.id, kind=kind) is None


@asynchronous
async def test_a_token_made_while_permissions_change_is_not_younger_than_a_change_it_knows_nothing_of(
    world: World, database: Path
) -> None:
    """Escaping a cut-off: asking for tokens all the time while an administrator, in another process, takes a scope."""
    signed_in = await world.signed_up()
    await world.flows.administration.set_scopes(ADA, ["admin"])
    other = World(SQLiteStorage(database), clock=Ticking())
    mine = World(SQLiteStorage(database), clock=other.clock)
    tokens: list[str] = []

    async def ask() -> None:
        for _ in range(40):
            token = await mine.flows.tokens.of_session(signed_in.session.id, kind="access-token")
            assert token is not None
            tokens.append(token)
            await asyncio.sleep(0)

    async def change() -> None:
        for number in range(20):
            await other.flows.administration.set_scopes(ADA, ["admin"] if number % 2 else [])
            await asyncio.sleep(0)

    await asyncio.gather(ask(), change())
    await other.flows.administration.set_scopes(ADA, [])
    await mine.context.ledger.catch_up()
    for token in tokens:
        claims, kid = await mine.context.access_tokens.verify(token)
        void = mine.context.ledger.registry.void(facts_of(claims, kid))
        assert void == "user", msgspec.json.encode(claims)
    await other.close()
    await mine.close()


class Ticking(ManualClock):
    """Goes on by a hundredth of a second whenever it is read."""

    def __call__(self) -> float:
        self.now += 0.01
        return self.now
