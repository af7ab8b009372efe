"""Housekeeping forgets what has expired, and nothing else."""

import asyncio
import logging
from contextlib import suppress

import pytest

from coatcheck.errors import CoatcheckError
from coatcheck.flows.housekeeping import Housekeeping
from coatcheck.flows.model import StoredKey
from tests.flows.world import ADA, EVE, HOME, PASSWORD, World, asynchronous

DAY = 24 * 3600


@asynchronous
async def test_only_what_has_expired_goes(world: World) -> None:
    old = await world.signed_up(ADA)
    await world.post()
    await world.flows.sign_up.request(EVE, PASSWORD, client=HOME)
    expired = await world.token()
    world.clock.advance(10 * DAY)
    young = await world.signed_in(ADA)
    binding = await world.flows.sign_up.request("new@example.com", PASSWORD, client=HOME)
    letters = [letter for letter in await world.post() if letter.to == "new@example.com"]
    secret = letters[0].links[0].partition("token=")[2]
    world.clock.advance(4 * DAY)  # the idle end of the first session, to the moment
    binding = await world.flows.sign_up.request("newer@example.com", PASSWORD, client=HOME)
    newer = await world.token()
    assert await world.flows.housekeeping.tidy() >= 3
    assert await world.flows.housekeeping.tidy() == 0
    records = world.storage.records
    assert await records.find_session(old.session.id) is None
    assert await world.is_in(young)
    for dead in (expired, secret):
        with pytest.raises(CoatcheckError):
            await world.flows.sign_up.look(dead, binding=None)
    assert not (await world.flows.sign_up.look(newer, binding=binding)).needs_password
    assert (await world.flows.administration.find_user(ADA)).email == ADA


@asynchronous
async def test_a_limit_that_still_holds_is_kept(world: World) -> None:
    await world.signed_up()
    for _ in range(world.context.throttles.account_at_address.burst):
        with pytest.raises(CoatcheckError):
            await world.signed_in(password="wrong")
    await world.flows.housekeeping.tidy()
    with pytest.raises(CoatcheckError) as caught:
        await world.signed_in()
    assert caught.value.code == "too_many_attempts"


@asynchronous
async def test_more_than_a_batch_goes_in_one_go(world: World) -> None:
    await world.storage.records.write_throttles({f"key {number}": 1.0 for number in range(1203)})
    assert await world.flows.housekeeping.tidy() == 1203


@asynchronous
async def test_it_goes_on_after_a_storage_was_busy(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    calls = 0
    went_on = asyncio.Event()

    class Busy(Housekeeping):
        async def tidy(self) -> int:
            nonlocal calls
            calls += 1
            if calls == 1:
                raise CoatcheckError("The storage is busy.")
            went_on.set()
            return 0

    task = asyncio.create_task(Busy(world.context).run(interval=0.0))
    await went_on.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert "tidying was put off: The storage is busy." in caplog.text


@asynchronous
async def test_expired_entries_of_the_ledger_go_from_storage_and_memory_and_the_newest_stays(
    world: World,
) -> None:
    world.context.ledger.registry._ticks = world.clock
    await world.signed_up()
    for _ in range(3):
        await world.flows.ending.sign_out(await world.identity(await world.signed_in()))
    await world.context.ledger.catch_up()
    records, registry = world.storage.records, world.context.ledger.registry
    entries = await records.list_entries(after=0, limit=9)
    world.clock.now = entries[-1].until - 0.5
    await world.flows.housekeeping.tidy()
    assert await records.list_entries(after=0, limit=9) == entries
    assert len(registry) == 3
    world.clock.now = entries[-1].until + 60
    assert await world.flows.housekeeping.tidy() >= 2
    assert await records.list_entries(after=0, limit=9) == entries[-1:]
    assert len(registry) == 0
    assert registry.position == await records.ledger_head()


@asynchronous
async def test_keys_that_are_trusted_no_more_go(world: World) -> None:
    await world.context.access_tokens.key_set()
    retired = StoredKey(
        kid="old", use="access-token", sealed=b"", created_at=1.0, verifies_until=world.clock.now + 1
    )
    await world.storage.records.add_key(retired)
    await world.flows.housekeeping.tidy()
    assert "old" in [key.kid for key in await world.storage.records.list_keys()]
    world.clock.advance(1)
    await world.flows.housekeeping.tidy()
    (kept,) = await world.storage.records.list_keys()
    assert kept.verifies_until is None


@asynchronous
@pytest.mark.parametrize("behind", [0.0, 7200.0], ids=["ahead for a moment", "behind when it was revoked"])
async def test_a_clock_that_was_wrong_has_nothing_deleted_that_still_ends_access(
    world: World, behind: float
) -> None:
    """What was revoked would be good again, here and for every process and service that begins anew."""
    passed = 0.0
    world.context.ledger.registry._ticks = lambda: passed
    await world.signed_up()
    world.clock.advance(-behind)
    for _ in range(3):
        await world.flows.ending.sign_out(await world.identity(await world.signed_in()))
    records = world.storage.records
    entries = await records.list_entries(after=0, limit=9)
    # Nobody has asked this process since: it has to read what it has not read before it deletes anything.
    world.clock.advance(behind or 3 * 3600)
    await world.flows.housekeeping.tidy()
    assert await records.list_entries(after=0, limit=9) == entries
    assert len(world.context.ledger.registry) == 3
    passed = world.context.ledger.policy.until(0.0)
    await world.flows.housekeeping.tidy()
    assert await records.list_entries(after=0, limit=9) == entries[-1:]
    assert len(world.context.ledger.registry) == 0
