"""The pool: the same work for all who fail, a bounded number at once, and an event loop that never waits."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import argon2
import pytest
from argon2 import low_level

from coatcheck.accounts.errors import OverloadedError
from coatcheck.accounts.hashes import argon2 as family
from coatcheck.accounts.hashing import HashingPool
from coatcheck.accounts.policy import Argon2Parameters
from coatcheck.accounts.ports import PasswordHasher

CHEAP = Argon2Parameters(time_cost=1, memory_kib=64)
DAMAGED = ["", "junk", "$argon2id$v=19$m=64,t=1,p=1$", "$2b$99$" + "a" * 53, "\ud800"]


@pytest.fixture
def pool() -> Iterator[HashingPool]:
    pool = HashingPool(CHEAP, workers=2, queue=100)
    yield pool
    pool.close()


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """Return a list that grows by passes, memory and lanes with every argon2 hash that is computed to verify one."""
    done: list[tuple[int, int, int]] = []
    compute = low_level.hash_secret_raw

    def count(*arguments: Any, **options: Any) -> bytes:
        done.append((options["time_cost"], options["memory_cost"], options["parallelism"]))
        return compute(*arguments, **options)

    monkeypatch.setattr(family, "hash_secret_raw", count)
    return done


class Gate:
    """Lets hashes begin, and end only when told: real threads at a standstill."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.entered = 0
        self._open = threading.Event()
        self._entries = threading.Semaphore(0)
        compute = low_level.hash_secret_raw

        def wait(*arguments: Any, **options: Any) -> bytes:
            self.entered += 1
            self._entries.release()
            assert self._open.wait(10)
            return compute(*arguments, **options)

        monkeypatch.setattr(family, "hash_secret_raw", wait)

    async def has_entered(self, count: int = 1) -> None:
        """Wait until hashes have begun. It never would if hashing blocked the event loop."""
        for _ in range(count):
            assert await asyncio.to_thread(self._entries.acquire, timeout=10)

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


def test_it_is_a_password_hasher(pool: HashingPool) -> None:
    hasher: PasswordHasher = pool
    encoded = asyncio.run(hasher.hash("correct horse"))
    assert asyncio.run(hasher.verify("correct horse", encoded)) is True
    assert asyncio.run(hasher.verify("Correct horse", encoded)) is False


def test_a_hash_is_argon2id_in_the_format_that_others_read(pool: HashingPool) -> None:
    encoded = asyncio.run(pool.hash("correct horse"))
    assert encoded.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert argon2.PasswordHasher().verify(encoded, "correct horse")


def test_the_same_password_never_has_the_same_hash(pool: HashingPool) -> None:
    assert asyncio.run(pool.hash("correct horse")) != asyncio.run(pool.hash("correct horse"))


@pytest.mark.parametrize("encoded", [None, *DAMAGED])
def test_asvs_6_3_8_nobody_and_a_damaged_hash_cost_what_a_wrong_password_costs(
    pool: HashingPool, work: list[tuple[int, int, int]], encoded: str | None
) -> None:
    real = asyncio.run(pool.hash("correct horse"))
    assert asyncio.run(pool.verify("wrong", real)) is False
    cost_of_wrong = list(work)
    work.clear()
    assert asyncio.run(pool.verify("wrong", encoded)) is False
    assert work == cost_of_wrong == [(1, 64, 1)]


def test_asvs_6_3_8_nobody_costs_the_parameters_of_today(work: list[tuple[int, int, int]]) -> None:
    pool = HashingPool(Argon2Parameters(time_cost=3, memory_kib=128, parallelism=2), workers=1, queue=0)
    assert asyncio.run(pool.verify("anything", None)) is False
    assert work == [(3, 128, 2)]
    pool.close()


@pytest.mark.parametrize("password", ["", "\0", "\ud800", "x" * 1_000_000])
def test_no_password_is_too_strange_to_be_wrong(pool: HashingPool, password: str) -> None:
    encoded = asyncio.run(pool.hash("correct horse"))
    assert asyncio.run(pool.verify(password, encoded)) is False
    assert asyncio.run(pool.verify(password, None)) is False


def test_foreign_hashes_verify_too(pool: HashingPool) -> None:
    encoded = "$2b$04$z9uZ0LtlVAnL3DTaZpNbWu7bPLdjrme2mFxqhNxJgOudPkaHx0xxK"
    assert asyncio.run(pool.verify("", encoded)) is True
    assert asyncio.run(pool.verify("wrong", encoded)) is False


def test_a_hash_of_other_parameters_or_another_kind_needs_a_rehash(pool: HashingPool) -> None:
    today = asyncio.run(pool.hash("correct horse"))
    others = [
        argon2.PasswordHasher(time_cost=2, memory_cost=64, parallelism=1).hash("correct horse"),
        argon2.PasswordHasher(time_cost=1, memory_cost=65, parallelism=1).hash("correct horse"),
        argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=2).hash("correct horse"),
        argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1, hash_len=16).hash("correct horse"),
        argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1, type=argon2.Type.I).hash(
            "correct horse"
        ),
        "argon2" + today,
        *DAMAGED,
    ]
    assert pool.needs_rehash(today) is False
    assert all(map(pool.needs_rehash, others))


def test_it_works_in_one_event_loop_after_another_and_in_several_at_once(pool: HashingPool) -> None:
    results: list[bool] = []

    def work() -> None:
        results.extend(asyncio.run(pool.verify("x", None)) for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [False] * 20


def test_the_event_loop_goes_on_while_hashes_are_computed(pool: HashingPool, gate: Gate) -> None:
    async def scenario() -> None:
        task = asyncio.create_task(pool.verify("x", None))
        await gate.has_entered()
        assert not task.done()
        gate.open()
        assert await task is False

    asyncio.run(scenario())


def test_no_more_than_the_workers_compute_at_once_and_no_more_than_the_queue_wait(gate: Gate) -> None:
    pool = HashingPool(CHEAP, workers=2, queue=3)

    async def scenario() -> None:
        tasks = [asyncio.create_task(pool.verify("x", None)) for _ in range(5)]
        await gate.has_entered(2)
        for _ in range(3):
            with pytest.raises(OverloadedError) as caught:
                await pool.verify("x", None)
            assert caught.value.retry_after > 0
        with pytest.raises(OverloadedError):
            await pool.hash("x")
        assert gate.entered == 2
        gate.open()
        assert await asyncio.gather(*tasks) == [False] * 5
        assert await pool.verify("x", None) is False

    asyncio.run(scenario())
    pool.close()


def test_a_caller_who_gives_up_while_waiting_frees_its_place_and_is_never_computed(gate: Gate) -> None:
    pool = HashingPool(CHEAP, workers=1, queue=1)

    async def scenario() -> None:
        first = asyncio.create_task(pool.verify("x", None))
        await gate.has_entered()
        second = asyncio.create_task(pool.verify("x", None))
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await pool.verify("x", None)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        third = asyncio.create_task(pool.verify("x", None))
        await asyncio.sleep(0)
        gate.open()
        assert not any(await asyncio.gather(first, third))
        assert gate.entered == 2

    asyncio.run(scenario())
    pool.close()


def test_a_caller_who_gives_up_while_it_is_computed_keeps_its_place_until_then(gate: Gate) -> None:
    pool = HashingPool(CHEAP, workers=1, queue=0)

    async def scenario() -> None:
        task = asyncio.create_task(pool.verify("x", None))
        await gate.has_entered()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(OverloadedError):
            await pool.verify("x", None)
        gate.open()

    asyncio.run(scenario())
    pool.close()


def test_the_wait_that_is_told_grows_with_what_was_measured(gate: Gate) -> None:
    gate.open()
    pool = HashingPool(Argon2Parameters(time_cost=4, memory_kib=16_384), workers=1, queue=9)

    async def scenario() -> tuple[float, float]:
        loop = asyncio.get_running_loop()
        await pool.verify("x", None)
        start = loop.time()
        tasks = [asyncio.create_task(pool.verify("x", None)) for _ in range(10)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError) as caught:
            await pool.verify("x", None)
        await asyncio.gather(*tasks)
        return caught.value.retry_after, loop.time() - start

    told, taken = asyncio.run(scenario())
    pool.close()
    assert taken / 10 < told < taken * 10


def test_what_waits_is_cancelled_when_the_pool_is_closed_and_nothing_more_is_taken(gate: Gate) -> None:
    pool = HashingPool(CHEAP, workers=1, queue=1)

    async def scenario() -> None:
        first = asyncio.create_task(pool.verify("x", None))
        await gate.has_entered()
        second = asyncio.create_task(pool.verify("x", None))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.05, gate.open)
        await asyncio.to_thread(pool.close)
        assert await first is False
        with pytest.raises(asyncio.CancelledError):
            await second
        for _ in range(3):
            with pytest.raises(RuntimeError, match="shutdown"):
                await pool.verify("x", None)

    asyncio.run(scenario())


@pytest.mark.parametrize("workers, queue", [(0, 1), (-1, 1), (1, -1)])
def test_a_pool_without_workers_is_refused(workers: int, queue: int) -> None:
    with pytest.raises(ValueError, match="at least one worker"):
        HashingPool(CHEAP, workers=workers, queue=queue)


def test_too_little_memory_is_an_overload_and_no_traceback() -> None:
    program = """
import asyncio, resource
from coatcheck.accounts.errors import OverloadedError
from coatcheck.accounts.hashing import HashingPool
from coatcheck.accounts.policy import Argon2Parameters

pool = HashingPool(Argon2Parameters(memory_kib=2**21), workers=1, queue=0)
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
for attempt in (pool.hash("x"), pool.verify("x", "scrypt$262144$salt$8$1$" + "A" * 86 + "==")):
    try:
        print(asyncio.run(attempt))
    except OverloadedError as error:
        print(error.code)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["overloaded", "False"]
