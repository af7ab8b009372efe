"""The third tier: many tasks, and many processes, that want the same."""
# ruff: noqa: D102, S101 - tests: their names say what holds

from __future__ import annotations

import asyncio
import multiprocessing
from collections import Counter
from collections.abc import Awaitable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.synchronize import Barrier

from ...accounts.model import LinkPurpose
from ...flows.ports import Storage
from .driving import Factory, scenario
from .samples import NOW, a_draft, a_link, a_mail, a_session, a_token, a_user, digest_of

__all__ = ["Contention", "SharedContention"]

_NOTICE = 0.01  # seconds: "a few milliseconds", as the port has it
PROCESSES = 4
ATTEMPTS = 200
TASKS = 100
ENTRIES = 60
_ALL_ENTRIES = sum(1 + count % 3 for count in range(ENTRIES))
SECONDS_TO_START = 60.0

_start: Barrier | None = None


async def _take_everything(storage: Storage) -> tuple[list[bytes], list[str], int]:
    """Consume all links and claim all mail that can be had, and count to ``ATTEMPTS``."""
    links: list[bytes] = []
    mails: list[str] = []
    for number in range(ATTEMPTS):
        link = await storage.records.consume_link(digest_of(f"link {number}"), LinkPurpose.SIGN_UP)
        links += [] if link is None else [link.digest]
        mail = await storage.records.claim_mail(NOW, until=NOW + 60)
        mails += [] if mail is None else [mail.id]
        async with storage.transaction() as records:
            times = await records.read_throttles(["count"])
            await records.write_throttles({"count": times["count"] + 1})
    return links, mails, ATTEMPTS


async def _open_and_take_everything(factory: Factory) -> tuple[list[bytes], list[str], int]:
    storage = factory()
    try:
        return await _take_everything(storage)
    finally:
        await storage.close()


def _introduce(start: Barrier) -> None:
    """Give a new process the line at which all of them start."""
    global _start  # noqa: PLW0603 - a barrier is inherited by a process, and cannot be sent with its work
    _start = start


def _work(factory: Factory) -> tuple[list[bytes], list[str], int]:
    """Do what each of the processes does, once all of them are ready: before that, there is no contention."""
    assert _start is not None
    _start.wait(SECONDS_TO_START)
    return asyncio.run(_open_and_take_everything(factory))


def _processes() -> ProcessPoolExecutor:
    # Spawned, not forked: a connection must not be carried into another process.
    spawning = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(
        PROCESSES, mp_context=spawning, initializer=_introduce, initargs=(spawning.Barrier(PROCESSES),)
    )


async def _gathered(awaitables: Iterable[Awaitable[list[int]]]) -> list[list[int]]:
    return await asyncio.gather(*awaitables)


async def _lay_out(storage: Storage) -> None:
    async with storage.transaction() as records:
        for number in range(ATTEMPTS):
            await records.add_link(a_link(str(number)))
            await records.add_mail(a_mail(str(number)))
        await records.write_throttles({"count": 0.0})


def _assert_shared_out(results: list[tuple[list[bytes], list[str], int]]) -> None:
    links = Counter(digest for taken, _, _ in results for digest in taken)
    mails = Counter(mail for _, taken, _ in results for mail in taken)
    assert links == Counter(digest_of(f"link {number}") for number in range(ATTEMPTS))
    assert mails == Counter(f"mail-{number}" for number in range(ATTEMPTS))


async def _follow(storage: Storage, *, until: int) -> list[int]:
    """Read the ledger as it grows, always from behind the last number seen, until so many entries were seen."""
    seen: list[int] = []
    while len(seen) < until:
        entries = await storage.records.list_entries(after=seen[-1] if seen else 0, limit=7)
        seen += [entry.seq for entry in entries]
        await asyncio.sleep(0)
    return seen


async def _append(storage: Storage, number: int) -> list[int]:
    """Append entries in transactions of all lengths and return their numbers, in the order of their commits."""
    numbers: list[int] = []
    for count in range(ENTRIES):
        async with storage.transaction() as records:
            for part in range(1 + count % 3):
                entries = await records.append_entries([a_draft(f"{number}-{count}-{part}")])
                numbers += [entry.seq for entry in entries]
                await asyncio.sleep(0)
    return numbers


def _assert_followed(seen: list[list[int]], appended: list[list[int]]) -> None:
    """Whoever followed has seen all: what became visible never was behind what was visible already."""
    everything = sorted(seq for each in appended for seq in each)
    assert len(set(everything)) == len(everything) == len(appended) * _ALL_ENTRIES
    assert all(each == everything for each in seen)
    assert all(each == sorted(each) for each in appended)


async def _append_and_follow(storage: Storage, number: int, *, processes: int) -> tuple[list[int], list[int]]:
    seen, appended = await asyncio.gather(
        _follow(storage, until=processes * _ALL_ENTRIES), _append(storage, number)
    )
    return seen, appended


async def _open_and_append(factory: Factory, number: int) -> tuple[list[int], list[int]]:
    storage = factory()
    try:
        return await _append_and_follow(storage, number, processes=PROCESSES)
    finally:
        await storage.close()


def _keep_a_ledger(factory: Factory, number: int) -> tuple[list[int], list[int]]:
    """Do what each of the processes does that keep one ledger."""
    assert _start is not None
    _start.wait(SECONDS_TO_START)
    return asyncio.run(_open_and_append(factory, number))


class Contention:
    """Of the tasks of one process."""

    @scenario
    async def test_tasks_share_out_links_and_mail(self, storage: Storage) -> None:
        await _lay_out(storage)
        results = await asyncio.gather(*(_take_everything(storage) for _ in range(4)))
        _assert_shared_out(results)
        assert await storage.records.read_throttles(["count"]) == {"count": 4 * ATTEMPTS}

    @scenario
    async def test_a_chain_of_tokens_has_no_fork(self, storage: Storage) -> None:
        await storage.records.add_user(a_user())
        await storage.records.add_session(a_session())
        await storage.records.add_refresh_token(a_token("0"))

        async def refresh(number: int) -> int:
            rounds = 0
            for link in range(20):
                async with storage.transaction() as records:
                    if await records.rotate_refresh_token(
                        a_token(str(link)).digest, at=NOW, sealed_successor=b"%d" % number
                    ):
                        await records.add_refresh_token(a_token(str(link + 1)))
                        rounds += 1
                await asyncio.sleep(0)
            return rounds

        assert sum(await asyncio.gather(*map(refresh, range(TASKS)))) == 20

    @scenario
    async def test_who_follows_the_ledger_misses_no_entry_of_any_task(self, storage: Storage) -> None:
        writers = 5
        seen, appended = await asyncio.gather(
            _gathered(_follow(storage, until=writers * _ALL_ENTRIES) for _ in range(3)),
            _gathered(_append(storage, number) for number in range(writers)),
        )
        _assert_followed(seen, appended)

    @scenario
    async def test_readers_never_see_half_of_a_transaction(self, storage: Storage) -> None:
        await storage.records.write_throttles({"a": 0.0, "b": 0.0})
        finished = asyncio.Event()

        async def write() -> None:
            for number in range(TASKS):
                async with storage.transaction() as records:
                    await records.write_throttles({"a": float(number)})
                    await asyncio.sleep(0)
                    await records.write_throttles({"b": float(number)})
            finished.set()

        async def read() -> set[bool]:
            seen = set()
            while not finished.is_set():
                times = await storage.records.read_throttles(["a", "b"])
                seen.add(times["a"] == times["b"])
                await asyncio.sleep(0)
            return seen

        _, *seen = await asyncio.gather(write(), *(read() for _ in range(5)))
        assert seen == [{True}] * 5


class SharedContention:
    """Of several processes. The factory can be pickled, and opens the same records in each."""

    def test_processes_share_out_links_and_mail(self, new_storage: Factory) -> None:
        async def prepare() -> None:
            storage = new_storage()
            await _lay_out(storage)
            await storage.close()

        async def count() -> float:
            storage = new_storage()
            times = await storage.records.read_throttles(["count"])
            await storage.close()
            return times["count"]

        asyncio.run(prepare())
        with _processes() as pool:
            results = list(pool.map(_work, [new_storage] * PROCESSES))
        _assert_shared_out(results)
        assert asyncio.run(count()) == PROCESSES * ATTEMPTS

    def test_who_follows_the_ledger_misses_no_entry_of_any_process(self, new_storage: Factory) -> None:
        asyncio.run(new_storage().close())
        with _processes() as pool:
            results = list(pool.map(_keep_a_ledger, [new_storage] * PROCESSES, range(PROCESSES)))
        _assert_followed([seen for seen, _ in results], [appended for _, appended in results])

    def test_one_storage_notices_what_another_commits(self, new_storage: Factory) -> None:
        async def body() -> None:
            storage, other = new_storage(), new_storage()
            assert await storage.records.list_entries(after=0, limit=1) == []
            await asyncio.sleep(_NOTICE)  # it may have to get to know the others first
            before = storage.version()
            await other.records.add_user(a_user())
            await other.records.append_entries([a_draft()])
            await asyncio.sleep(_NOTICE)
            after = storage.version()
            assert after != before
            assert await storage.records.find_user("user-ada") == a_user()
            assert storage.version() == after
            await storage.close()
            await other.close()

        asyncio.run(body())
