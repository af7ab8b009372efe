"""Keys that rotate, in several processes on one file: whatever is alive verifies everywhere, and nothing else does."""

import asyncio
import hashlib
import json
import math
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from coatcheck._core import base64url
from coatcheck.flows.ending import Reason, revoke
from coatcheck.flows.errors import UnknownSigningKeyError
from coatcheck.flows.model import StoredKey
from coatcheck.flows.ports import KeyRecords
from coatcheck.jose import KeySet, jws
from coatcheck.jose.hazmat import read_unverified
from coatcheck.storage.sqlite import SQLiteStorage
from tests.flows.signing import (
    DAY,
    LEAD,
    TAIL,
    claims_of,
    issued,
    keys,
    kid_of,
    published,
    rotation,
    verifies,
)
from tests.flows.world import HOME, ISSUER, NOW, World, access_token, asynchronous


@pytest.fixture
def other_process(sqlite_world: World, database: Path) -> Iterator[World]:
    world = sqlite_world.sibling(SQLiteStorage(database, notice=timedelta(0)))
    yield world
    asyncio.run(world.close())


# --- the orderly way -------------------------------------------------------------------------------------------


@asynchronous
async def test_a_new_key_is_published_before_it_signs_and_the_old_one_until_its_last_token_is_dead(
    world: World,
) -> None:
    first = kid_of(await issued(world))
    told = await rotation(world).rotate()
    assert (told.before, told.is_new, told.removed) == (first, True, ())
    assert told.signs_from == math.ceil(NOW) + LEAD
    assert told.retired == told.signs_from + TAIL
    assert await published(world) == {first, told.signer}
    world.clock.now = math.nextafter(told.signs_from, 0)
    last = await issued(world)
    assert kid_of(last) == first
    world.clock.now = told.signs_from
    assert kid_of(await issued(world)) == told.signer
    world.clock.now = claims_of(last)["exp"] - 0.001
    assert await verifies(world, last)
    world.clock.now = told.retired
    assert await published(world) == {told.signer}
    await rotation(world).check()
    assert [key.kid for key in await world.storage.records.list_keys()] == [told.signer]


@asynchronous
async def test_a_key_is_replaced_when_it_is_ninety_days_old_by_a_process_that_checks(world: World) -> None:
    first = kid_of(await issued(world))
    assert not await rotation(world).check()
    world.clock.advance(90 * DAY - LEAD - 2)
    assert not await rotation(world).check()
    world.clock.advance(2)
    assert await rotation(world).check()
    assert not await rotation(world).check()
    assert kid_of(await issued(world)) == first
    world.clock.advance(LEAD + 1)
    assert kid_of(await issued(world)) != first


@asynchronous
async def test_what_is_shown_of_keys_tells_where_each_is_in_its_life(world: World) -> None:
    await rotation(world).rotate()
    assert [each.state for each in await rotation(world).list()] == ["published", "signs"]
    world.clock.advance(LEAD + 1)
    assert [each.state for each in await rotation(world).list()] == ["signs", "retired"]
    world.clock.advance(TAIL)
    assert [each.state for each in await rotation(world).list()] == ["signs", "expired"]


@asynchronous
async def test_another_process_follows_without_a_restart_and_within_a_second(
    sqlite_world: World, other_process: World
) -> None:
    before = await published(other_process)
    told = await rotation(sqlite_world).rotate()
    other_process.clock.advance(1.0)
    assert await published(other_process) == before | {told.signer}
    other_process.clock.now = told.signs_from
    token = await issued(other_process)
    assert kid_of(token) == told.signer
    assert await verifies(sqlite_world, token)


@asynchronous
async def test_a_process_that_slept_through_all_of_it_signs_with_the_key_of_now(
    sqlite_world: World, other_process: World
) -> None:
    await issued(other_process)
    told = await rotation(sqlite_world).rotate()
    other_process.clock.now = told.signs_from + 10 * TAIL
    await rotation(sqlite_world).check()
    assert kid_of(await issued(other_process)) == told.signer
    assert await published(other_process) == {told.signer}


@asynchronous
async def test_rotations_at_once_in_two_processes_are_one(sqlite_world: World, other_process: World) -> None:
    await issued(sqlite_world)
    told = await asyncio.gather(
        *(rotation(world).rotate() for _ in range(10) for world in (sqlite_world, other_process))
    )
    assert len({each.signer for each in told}) == 1
    assert sum(each.is_new for each in told) == 1
    assert len(await sqlite_world.storage.records.list_keys()) == 2


@asynchronous
async def test_checks_at_once_in_two_processes_publish_one_key(
    sqlite_world: World, other_process: World
) -> None:
    await issued(sqlite_world)
    sqlite_world.clock.advance(100 * DAY)
    did = await asyncio.gather(
        *(rotation(world).check() for _ in range(5) for world in (sqlite_world, other_process))
    )
    assert sum(did) == 1
    assert len(await sqlite_world.storage.records.list_keys()) == 2


@asynchronous
async def test_a_check_that_finds_in_its_transaction_that_another_was_quicker_does_nothing(
    sqlite_world: World, other_process: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await issued(sqlite_world)
    sqlite_world.clock.advance(91 * DAY)
    stored = keys(sqlite_world).stored
    quicker: list[bool] = []

    async def meanwhile(records: KeyRecords) -> list[StoredKey]:
        before = await stored(records)
        if not quicker:
            quicker.append(await rotation(other_process).check())
        return before

    monkeypatch.setattr(keys(sqlite_world), "stored", meanwhile)
    assert not await rotation(sqlite_world).check()
    assert quicker == [True]
    assert len(await sqlite_world.storage.records.list_keys()) == 2


@asynchronous
async def test_a_key_that_was_retired_without_a_successor_gets_one_when_its_time_is_over(
    world: World,
) -> None:
    """As by hand, in the database."""
    first = kid_of(await issued(world))
    await world.storage.records.retire_key(first, verifies_until=NOW + TAIL + 10)
    world.clock.advance(1)
    assert kid_of(await issued(world)) == first
    world.clock.advance(10)
    assert kid_of(await issued(world)) != first
    assert first in await published(world)


@asynchronous
async def test_the_end_of_a_session_is_no_reason_to_read_the_keys(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in = await world.signed_up(credential="tokens")
    world.clock.advance(10)
    await issued(world)
    await world.flows.ending.end_everywhere(await world.identity(signed_in))

    async def read(records: object) -> list[StoredKey]:
        raise AssertionError

    monkeypatch.setattr(keys(world), "stored", read)
    await issued(world)


@asynchronous
async def test_tokens_are_issued_and_verified_without_reading_the_keys(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await issued(world)
    world.clock.advance(10)
    await world.settled()
    token = await issued(world)  # it has seen its own commit

    async def read(records: object) -> list[StoredKey]:
        raise AssertionError

    monkeypatch.setattr(keys(world), "stored", read)
    for _ in range(3):
        world.clock.advance(10)
        assert kid_of(await issued(world)) == kid_of(token)
        assert await verifies(world, token)


# --- compromised -----------------------------------------------------------------------------------------------


@asynchronous
async def test_a_stolen_key_is_worth_nothing_at_once_in_any_process_whatever_they_remember(
    sqlite_world: World, other_process: World
) -> None:
    worlds = (sqlite_world, other_process)
    signed_in = await sqlite_world.signed_up(credential="tokens")
    token = access_token(signed_in)
    header = token.encode()
    for world in worlds:
        assert await world.is_in(signed_in)
        assert world.flows.authentication.recall(header, "bearer") is not None
    told = await rotation(sqlite_world).rotate(compromised=True)
    assert told.removed == (kid_of(token),)
    for world in worlds:
        assert world.flows.authentication.recall(header, "bearer") is None
        assert not await world.is_in(signed_in)
        assert not await verifies(world, token)
        assert await published(world) == {told.signer}
        assert kid_of(await issued(world)) == told.signer
    (entry,) = await sqlite_world.storage.records.list_entries(after=0, limit=10)
    assert (entry.kind, entry.value, entry.cutoff) == ("key", kid_of(token), None)
    assert (entry.reason, entry.actor) == (Reason.KEY_COMPROMISED, "administrator")


@asynchronous
async def test_sessions_and_refresh_tokens_survive_so_that_clients_only_refresh(
    sqlite_world: World, other_process: World
) -> None:
    browser = await sqlite_world.signed_up()
    mobile = await sqlite_world.signed_in(credential="tokens")
    await rotation(sqlite_world).rotate(compromised=True)
    assert await other_process.is_in(browser)
    assert not await other_process.is_in(mobile)
    assert mobile.tokens is not None
    refreshed = await other_process.flows.tokens.refresh(mobile.tokens.refresh_token, client=HOME)
    token = refreshed.access_token
    await sqlite_world.flows.authentication.by_token(token, presented_as=token.encode())


@asynchronous
async def test_what_a_thief_signs_stays_refused_when_the_ledger_has_forgotten_the_key(world: World) -> None:
    """It was verified, and remembered, before anybody knew; and it says that it is good for ten years."""
    signed_in = await world.signed_up(credential="tokens")
    stolen = await keys(world).signing_key()
    claims = claims_of(access_token(signed_in))
    forged = [
        jws.sign(
            json.dumps({**claims, "exp": claims["iat"] + life}).encode(), stolen, header={"typ": "at+jwt"}
        )
        for life in (3600, 10 * 365 * 86_400)
    ]
    authentication = world.flows.authentication
    await authentication.by_token(forged[0], presented_as=forged[0].encode())  # nobody can tell yet
    for again in range(2):
        for token in forged[1 - again :]:
            with pytest.raises(Exception, match="invalid"):
                await authentication.by_token(token, presented_as=token.encode())
        if not again:
            await rotation(world).rotate(compromised=True)
            world.clock.advance(TAIL + 120)
            world.context.ledger.forget()
    assert await world.is_in(await world.signed_in(credential="tokens"))


@asynchronous
async def test_all_keys_that_the_database_held_are_out_those_too_that_wait_and_those_that_retired(
    world: World,
) -> None:
    retired = kid_of(await issued(world))
    signs = (await rotation(world).rotate()).signer
    world.clock.advance(LEAD + 2)
    waits = (await rotation(world).rotate()).signer
    told = await rotation(world).rotate(compromised=True)
    assert set(told.removed) == {retired, signs, waits}
    assert told.retired is None
    assert await published(world) == {told.signer}
    assert [key.kid for key in await world.storage.records.list_keys()] == [told.signer]


@asynchronous
async def test_one_key_can_be_named_and_the_others_stay(world: World) -> None:
    retired = kid_of(await issued(world))
    signs = (await rotation(world).rotate()).signer
    world.clock.advance(LEAD + 2)
    world.clock.advance(1)
    told = await rotation(world).rotate(compromised=True, kids=[retired], actor="service:1")
    assert (told.is_new, told.signer, told.removed) == (False, signs, (retired,))
    assert await published(world) == {signs}
    with pytest.raises(UnknownSigningKeyError):
        await rotation(world).rotate(compromised=True, kids=[signs, retired])
    assert await published(world) == {signs}


@asynchronous
async def test_a_key_that_was_retired_before_its_successor_was_stolen_is_trusted_to_its_end(
    world: World,
) -> None:
    token = await issued(world)
    stolen = (await rotation(world).rotate()).signer
    world.clock.advance(LEAD + 1)
    world.clock.now = claims_of(token)["exp"] - 1
    told = await rotation(world).rotate(compromised=True, kids=[stolen])
    assert told.removed == (stolen,)
    assert told.is_new
    assert await verifies(world, token)
    assert kid_of(await issued(world)) == told.signer


@asynchronous
async def test_a_compromised_key_is_out_whatever_the_clock_says_later(world: World) -> None:
    token = await issued(world)
    told = await rotation(world).rotate(compromised=True)
    world.clock.advance(-3600.0)
    assert await published(world.sibling()) == {told.signer}
    assert not await verifies(world, token)


@asynchronous
async def test_a_key_that_only_the_ledger_names_is_neither_used_nor_kept(world: World) -> None:
    """A storage may lag behind the ledger; and a key that was left there would be good again later."""
    token = await issued(world)
    async with world.storage.transaction() as records:
        await revoke(
            world.context,
            records,
            [("key", kid_of(token))],
            reason=Reason.KEY_COMPROMISED,
            actor="administrator",
        )
    assert kid_of(await issued(world)) != kid_of(token)
    assert kid_of(token) not in await published(world)
    assert await rotation(world).check()
    assert kid_of(token) not in {key.kid for key in await world.storage.records.list_keys()}
    assert not await rotation(world).check()


# --- signing other things --------------------------------------------------------------------------------------


@asynchronous
async def test_other_things_are_signed_with_the_key_of_the_moment_for_whom_they_are_for(world: World) -> None:
    token = await keys(world).sign({"event": "hello"}, typ="ledger+jwt", audience="coatcheck-ledger")
    assert read_unverified(token).header["typ"] == "ledger+jwt"
    assert claims_of(token) == {"iss": ISSUER, "aud": "coatcheck-ledger", "iat": int(NOW), "event": "hello"}
    told = await rotation(world).rotate(compromised=True)
    later = await keys(world).sign({}, typ="secevent+jwt", now=NOW + 5)
    assert kid_of(later) == told.signer
    assert claims_of(later) == {"iss": ISSUER, "iat": int(NOW) + 5}


@asynchronous
async def test_signers_are_kept_for_a_while_and_do_not_fill_the_memory(world: World) -> None:
    one = await keys(world).signer("secevent+jwt", "https://receiver.example")
    assert await keys(world).signer("secevent+jwt", "https://receiver.example") is one
    for number in range(300):
        await keys(world).signer("secevent+jwt", f"https://receiver-{number}.example")
    assert await keys(world).signer("secevent+jwt", "https://receiver.example") is not one


@asynchronous
async def test_the_digest_is_that_of_the_published_octets_and_the_same_in_all_processes(
    sqlite_world: World, other_process: World
) -> None:
    seen = set()
    for _ in range(3):
        for world in (sqlite_world, other_process):
            body = await keys(world).jwks()
            assert await keys(world).digest() == base64url.encode(hashlib.sha256(body).digest())[:22]
            assert KeySet.from_jwks(body).to_jwks() == (await keys(world).key_set()).to_jwks()
            assert b'"d"' not in body
            seen.add(body)
        await rotation(sqlite_world).rotate()
        sqlite_world.clock.advance(LEAD + 2)
    assert len(seen) == 3


@asynchronous
async def test_neither_keys_nor_their_places_show_secrets(world: World) -> None:
    private = (await keys(world).signing_key()).to_private_jwk()["d"]
    for shown in (repr(keys(world)), repr(vars(keys(world))), repr(await rotation(world).list())):
        assert private not in shown
