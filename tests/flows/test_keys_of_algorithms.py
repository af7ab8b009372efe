"""Keys of several algorithms: each has a line of its own, all are in one set, and all rotate by one schedule."""

import asyncio
import threading
from typing import Any

import pytest

from coatcheck.jose import Key
from tests.flows.granting import an_api, machine_token
from tests.flows.signing import DAY, LEAD, TAIL, issued, keys, kid_of, published, rotation, verifies
from tests.flows.world import World, asynchronous


async def algorithms(world: World) -> list[str]:
    return sorted(key.alg for key in await keys(world).key_set())


@asynchronous
async def test_there_is_a_key_of_another_algorithm_once_it_is_needed(world: World) -> None:
    assert await algorithms(world) == ["ES256"]
    before = await keys(world).jwks(), await keys(world).digest()
    await keys(world).signer("JWT", "app", "Ed25519")
    assert await algorithms(world) == ["ES256", "Ed25519"]
    assert (await keys(world).jwks(), await keys(world).digest()) != before
    for key in await keys(world).key_set():
        assert "d" not in key.to_jwk()


@asynchronous
async def test_the_keys_of_all_algorithms_come_back_after_a_restart_and_in_other_processes(
    sqlite_world: World,
) -> None:
    await keys(sqlite_world).ensure("Ed25519")
    other = sqlite_world.sibling()
    assert await keys(other).jwks() == await keys(sqlite_world).jwks()
    one, two = [await keys(each).signing_key("Ed25519") for each in (sqlite_world, other)]
    assert one.kid == two.kid
    other.hasher.pool.close()


@asynchronous
async def test_one_who_asks_for_a_secret_gets_no_key(world: World) -> None:
    await keys(world).ensure("HS256")
    assert await algorithms(world) == ["ES256"]


@asynchronous
async def test_those_who_need_a_key_at_once_make_one(sqlite_world: World) -> None:
    other = sqlite_world.sibling()
    await asyncio.gather(
        *(keys(world).ensure("Ed25519") for _ in range(10) for world in (sqlite_world, other))
    )
    assert await algorithms(sqlite_world) == ["ES256", "Ed25519"]
    other.hasher.pool.close()


@asynchronous
async def test_a_key_that_takes_long_to_make_holds_nobody_up(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RSA: it is generated in a thread, while the event loop goes on."""
    goes_on, threads = threading.Event(), []
    generate = Key.generate

    def slow(algorithm: str) -> Key:
        threads.append(threading.current_thread())
        assert goes_on.wait(10)
        return generate(algorithm)

    await keys(sqlite_world).key_set()
    monkeypatch.setattr(Key, "generate", slow)
    task = asyncio.create_task(keys(sqlite_world).ensure("Ed25519"))
    await asyncio.sleep(0)
    await issued(sqlite_world)
    goes_on.set()
    await task
    assert threading.main_thread() not in threads


@asynchronous
async def test_a_failure_to_make_a_key_is_told_and_the_next_may_try_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keys(world).key_set()

    def fails(*_: Any) -> Key:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(Key, "generate", fails)
        with pytest.raises(MemoryError):
            await keys(world).ensure("Ed25519")
    await keys(world).ensure("Ed25519")
    assert await algorithms(world) == ["ES256", "Ed25519"]


@asynchronous
async def test_each_algorithm_rotates_by_the_same_schedule(world: World) -> None:
    await keys(world).ensure("Ed25519")
    old = await published(world)
    tokens = [await machine_token(world, an_api(algorithm=each)) for each in ("ES256", "Ed25519")]
    world.clock.advance(91 * DAY)
    assert await rotation(world).check()
    assert not await rotation(world).check()
    assert len(await published(world)) == 4
    assert {kid_of(each) for each in tokens} == old
    world.clock.advance(LEAD + 1)
    again = [await machine_token(world, an_api(algorithm=each)) for each in ("ES256", "Ed25519")]
    assert {kid_of(each) for each in again} == await published(world) - old
    world.clock.advance(TAIL + 1)
    assert await rotation(world).check()
    assert await algorithms(world) == ["ES256", "Ed25519"]
    assert not await published(world) & old


@asynchronous
async def test_who_rotates_by_hand_rotates_all_and_is_told_of_all(world: World) -> None:
    await keys(world).ensure("Ed25519")
    told = await rotation(world).rotate()
    assert (told.algorithm, [each.algorithm for each in told.others]) == ("ES256", ["Ed25519"])
    assert told.is_new
    assert told.others[0].is_new
    states = {(key.algorithm, key.state) for key in await rotation(world).list()}
    assert states == {(name, state) for name in ("ES256", "Ed25519") for state in ("signs", "published")}


@asynchronous
async def test_a_compromised_key_takes_none_of_another_algorithm_along(world: World) -> None:
    await keys(world).ensure("Ed25519")
    good = await issued(world)
    bad = await machine_token(world, an_api(algorithm="Ed25519"))
    told = await rotation(world).rotate(compromised=True, kids=[kid_of(bad)])
    assert (told.algorithm, told.removed, told.others) == ("Ed25519", (kid_of(bad),), ())
    assert await verifies(world, good)
    assert kid_of(bad) not in await published(world)
    after = await machine_token(world, an_api(algorithm="Ed25519"))
    assert kid_of(after) == told.signer
    assert kid_of(await issued(world)) == kid_of(good)


@asynchronous
async def test_all_that_are_compromised_are_out_at_once(world: World) -> None:
    await keys(world).ensure("Ed25519")
    before = await published(world)
    told = await rotation(world).rotate(compromised=True)
    assert {*told.removed, *told.others[0].removed} == before
    assert not before & await published(world)
    assert await algorithms(world) == ["ES256", "Ed25519"]


@asynchronous
async def test_a_line_that_died_out_begins_anew_when_it_is_needed(world: World) -> None:
    """As where no server ran for a year."""
    await keys(world).ensure("Ed25519")
    (old,) = [key.kid for key in await keys(world).key_set() if key.alg == "Ed25519"]
    assert old is not None
    await world.storage.records.retire_key(old, verifies_until=world.clock() + 10)
    keys(world).forget()
    assert kid_of(await machine_token(world, an_api(algorithm="Ed25519"))) != old
    world.clock.advance(11)
    await rotation(world).check()
    assert old not in await published(world)
