"""What happens when Redis dies, forgets, stands still or refuses: limits hold, and nothing that is over comes back."""

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from coatcheck.flows.ports import Records
from coatcheck.storage.conformance.samples import NOW, a_draft, a_session, a_user, digest_of
from coatcheck.storage.errors import StorageBusyError, StorageMisuseError, StorageOpenError
from coatcheck.storage.memory import MemoryStorage
from coatcheck.storage.redis import RedisStorage
from coatcheck.storage.redis.addresses import shown
from coatcheck.storage.sqlite import SQLiteStorage
from tests.engines import RedisServer, redis_server

BURST = 5


class RefusedError(Exception):
    """An attempt beyond the limit."""


def count_up(times: Mapping[str, float]) -> dict[str, float]:
    """Allow so many attempts, and no more."""
    if times.get("guess", 0) >= BURST:
        raise RefusedError
    return {"guess": times.get("guess", 0) + 1}


async def guess(storage: RedisStorage, times: int) -> int:
    """Try so often; return how many attempts were let through."""
    allowed = 0
    for _ in range(times):
        try:
            await storage.change_throttles(["guess"], count_up)
        except RefusedError:
            continue
        allowed += 1
    return allowed


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


Body = Callable[[RedisStorage], Awaitable[None]]


def over_memory(url: str, *, patience: float = 0.25, pause: float = 0.0) -> RedisStorage:
    return RedisStorage(
        MemoryStorage(), url, patience=timedelta(seconds=patience), pause=timedelta(seconds=pause)
    )


def run(storage: RedisStorage, body: Body) -> None:
    async def drive() -> None:
        try:
            await body(storage)
        finally:
            await storage.close()

    asyncio.run(drive())


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.005)


def test_guessing_is_limited_while_redis_is_dead_and_when_it_comes_back_empty(redis: RedisServer) -> None:
    async def body(storage: RedisStorage) -> None:
        assert await guess(storage, 20) == BURST
        await asyncio.to_thread(redis.kill)
        assert await guess(storage, 20) == BURST  # the database begins to count
        assert await guess(storage, 20) == 0
        assert storage.facts()["redis_is_up"] == 0
        assert storage.facts()["redis_fallbacks"] >= 40
        await asyncio.to_thread(redis.start)
        assert await guess(storage, 20) == BURST  # it has forgotten: once more, and no more than that
        assert storage.facts()["redis_is_up"] == 1
        await asyncio.to_thread(redis.kill)
        assert await guess(storage, 20) == 0  # the database has not

    run(over_memory(redis.url()), body)


def test_guessing_is_limited_while_redis_stands_still_and_nobody_waits_for_each_attempt(
    redis: RedisServer,
) -> None:
    async def body(storage: RedisStorage) -> None:
        assert await guess(storage, 2) == 2
        redis.pause()
        try:
            assert await guess(storage, 500) == BURST
            assert storage.facts()["redis_errors"] < 5
        finally:
            redis.resume()

    run(over_memory(redis.url(), pause=3600), body)


REFUSING = {
    "password": ("--requirepass", "secret"),
    "full": ("--maxmemory", "1mb", "--maxmemory-policy", "noeviction"),
    "replica": ("--replicaof", "127.0.0.1", "1", "--replica-serve-stale-data", "yes"),
    "forbidden": ("--user", "default", "on", "nopass", "~other:*", "+@all"),
    "not allowed scripts": ("--rename-command", "EVALSHA", ""),
}


@pytest.mark.parametrize("why", REFUSING)
def test_guessing_is_limited_while_redis_refuses_and_the_log_says_so_once(
    why: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(storage: RedisStorage) -> None:
        assert await guess(storage, 20) == BURST
        async with storage.transaction() as records:
            await records.delete_throttles(["guess"])
        assert await guess(storage, 20) == BURST

    with caplog.at_level(logging.WARNING), redis_server(settings=REFUSING[why]) as server:
        run(over_memory(server.url().replace("//", "//:hunter2@" if why == "password" else "//")), body)
    [message] = caplog.messages
    assert "cannot be used" in message
    assert "hunter2" not in message


def test_it_is_logged_once_that_redis_goes_away_and_once_that_it_is_back(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def body(storage: RedisStorage) -> None:
        await guess(storage, 2)
        await asyncio.to_thread(redis.kill)
        await guess(storage, 9)
        await asyncio.to_thread(redis.start)
        await guess(storage, 9)

    with caplog.at_level(logging.WARNING):
        run(over_memory(redis.url()), body)
    assert ["cannot be used" in caplog.messages[0], "is back" in caplog.messages[1]] == [True, True]
    assert len(caplog.messages) == 2


def test_the_operator_is_told_of_a_server_that_forgets_limits(caplog: pytest.LogCaptureFixture) -> None:
    async def body(storage: RedisStorage) -> None:
        await guess(storage, 2)

    settings = ("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    with caplog.at_level(logging.WARNING), redis_server(settings=settings) as server:
        run(over_memory(server.url()), body)
    assert "allkeys-lru" in caplog.messages[0]


def test_a_server_that_does_not_show_its_settings_is_used() -> None:
    async def body(storage: RedisStorage) -> None:
        await guess(storage, 2)
        assert storage.facts()["redis_is_up"] == 1

    with redis_server(settings=("--rename-command", "CONFIG", "")) as server:
        run(over_memory(server.url()), body)


def test_no_assertion_is_taken_twice_whatever_happens_to_redis(redis: RedisServer) -> None:
    async def body(storage: RedisStorage) -> None:
        consume = storage.records.consume_assertion
        assert await consume(digest_of("one"), until=NOW + 60)
        redis.execute("FLUSHALL")
        assert not await consume(digest_of("one"), until=NOW + 60)
        await asyncio.to_thread(redis.kill)
        assert not await consume(digest_of("one"), until=NOW + 60)
        assert await consume(digest_of("two"), until=NOW + 60)  # nobody is refused for it either
        await asyncio.to_thread(redis.start)
        assert not await consume(digest_of("two"), until=NOW + 60)
        redis.pause()
        assert not await consume(digest_of("two"), until=NOW + 60)
        redis.resume()

    run(over_memory(redis.url()), body)


def test_a_session_that_ended_does_not_come_back_whatever_happens_to_redis(redis: RedisServer) -> None:
    async def body(storage: RedisStorage) -> None:
        session = a_session()
        assert session.digest is not None
        await storage.records.add_user(a_user())
        await storage.records.add_session(session)
        assert await storage.records.find_session_by_digest(session.digest) == session
        await asyncio.to_thread(redis.kill)
        async with storage.transaction(session.user_id) as records:
            await records.delete_sessions([session.id])
        await asyncio.to_thread(redis.start)
        await guess(storage, 1)
        assert await storage.records.find_session_by_digest(session.digest) is None
        assert await storage.records.find_session(session.id) is None
        assert session.id.encode() not in redis.execute("KEYS", "*")

    run(over_memory(redis.url()), body)


@asynccontextmanager
async def two_nodes(path: Path, redis: RedisServer) -> AsyncIterator[tuple[RedisStorage, RedisStorage]]:
    make = functools.partial(RedisStorage, url=redis.url(), pause=timedelta(0))
    one, other = make(SQLiteStorage(path)), make(SQLiteStorage(path))
    try:
        yield one, other
    finally:
        await one.close()
        await other.close()


def test_a_node_hears_of_anothers_commit_and_again_after_redis_was_restarted(
    redis: RedisServer, tmp_path: Path
) -> None:
    async def body() -> None:
        async with two_nodes(tmp_path / "coatcheck.db", redis) as (one, other):
            woken: list[int] = []
            other.watch(lambda: woken.append(other.version()))
            await guess(other, 1)  # both are connected
            await guess(one, 1)

            async def is_heard() -> None:
                before = len(woken)
                async with asyncio.timeout(30):
                    while len(woken) == before:
                        await guess(one, 1)  # only to find out that it is back
                        async with one.transaction() as records:
                            await records.append_entries([a_draft()])
                        await asyncio.sleep(0.02)

            await is_heard()
            assert one.facts()["redis_told"] >= 1
            assert one.facts()["redis_heard"] == 0  # of itself it need not hear
            await asyncio.to_thread(redis.kill)
            async with one.transaction() as records:  # nobody waits for it
                await records.append_entries([a_draft()])
            await asyncio.to_thread(redis.start)
            await is_heard()

    asyncio.run(body())


def test_what_was_told_while_a_node_was_not_connected_is_heard_afterwards(
    redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coatcheck.storage.redis.following._WAITS_MS", 5)

    async def body() -> None:
        async with two_nodes(tmp_path / "coatcheck.db", redis) as (one, other):
            await guess(one, 1)
            await guess(other, 1)
            before = other.version()
            await asyncio.sleep(0.05)
            redis.execute("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            redis.execute("XADD", "coatcheck:changes", "*", "by", "somebody")
            await until(lambda: other.version() > before)

    asyncio.run(body())


def test_nobody_looks_twice_if_the_database_itself_has_told(redis: RedisServer) -> None:
    async def body(storage: RedisStorage) -> None:
        await guess(storage, 1)
        woken: list[int] = []
        storage.watch(lambda: woken.append(storage.version()))
        await storage.records.append_entries([a_draft()])
        known = storage.version()
        for number in (1, 2):
            redis.execute("XADD", "coatcheck:changes", "*", "by", "another")
            await until(lambda number=number: storage.facts()["redis_heard"] == number)  # type: ignore[misc]
            assert storage.version() == known + number - 1
        assert woken == [known, known + 1]

    run(over_memory(redis.url()), body)


def test_all_who_come_before_it_is_known_that_redis_is_away_are_counted_in_the_database(
    redis: RedisServer,
) -> None:
    async def body(storage: RedisStorage) -> None:
        assert sum(await asyncio.gather(*(guess(storage, 1) for _ in range(20)))) == BURST
        assert storage.facts()["redis_errors"] == 1

    redis.kill()
    run(over_memory(redis.url(), pause=3600), body)


def test_a_decision_to_write_nothing_writes_nothing(redis: RedisServer) -> None:
    async def body(storage: RedisStorage) -> None:
        await storage.change_throttles(["guess"], lambda _: {})
        await storage.change_throttles([], lambda _: {"a": 1.0})
        assert await storage.records.read_throttles(["guess", "a"]) == {"a": 1.0}

    run(over_memory(redis.url()), body)


async def _change_limits(records: Records) -> None:
    await records.write_throttles({"a": 5.0, "c": 6.0})
    await records.delete_throttles(["b"])


def test_limits_of_a_transaction_that_is_not_committed_stay(redis: RedisServer) -> None:
    async def body(storage: RedisStorage) -> None:
        await storage.records.write_throttles({"a": 1.0, "b": 2.0})
        with suppress(InterruptedError):
            async with storage.transaction() as records:
                await _change_limits(records)
                assert await records.read_throttles(["a", "b", "c"]) == {"a": 5.0, "c": 6.0}
                raise InterruptedError
        assert await storage.records.read_throttles(["a", "b", "c"]) == {"a": 1.0, "b": 2.0}

    run(over_memory(redis.url()), body)


def test_limits_are_put_back_if_the_database_does_not_commit(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = MemoryStorage()
    begin = database.transaction

    @asynccontextmanager
    async def failing(*of: str) -> AsyncIterator[object]:
        async with begin(*of) as records:
            yield records
            raise StorageBusyError(retry_after=1.0)

    async def body(storage: RedisStorage) -> None:
        await storage.records.write_throttles({"a": 1.0, "b": 2.0})
        monkeypatch.setattr(database, "transaction", failing)
        with suppress(StorageBusyError):
            async with storage.transaction() as records:
                await _change_limits(records)
        assert await storage.records.read_throttles(["a", "b", "c"]) == {"a": 1.0, "b": 2.0}

    run(RedisStorage(database, redis.url()), body)


def test_a_transaction_goes_on_in_the_database_if_redis_dies_in_it(redis: RedisServer) -> None:
    async def body(storage: RedisStorage) -> None:
        await guess(storage, 1)
        async with storage.transaction() as records:
            await records.write_throttles({"a": 1.0, "b": 2.0})
            await records.delete_throttles(["b"])
            await asyncio.to_thread(redis.kill)
            assert await records.read_throttles(["a", "b", "c"]) == {"a": 1.0}
            assert await records.read_throttles(["a"]) == {"a": 1.0}
            assert await records.delete_expired_throttles(0.5, limit=9) == 0
            await records.write_throttles({"c": 3.0})
            await records.delete_throttles(["d"])
        assert await storage.records.read_throttles(["a", "b", "c"]) == {"a": 1.0, "c": 3.0}
        async with storage.transaction() as records:
            assert await records.delete_expired_throttles(1.0, limit=9) == 1
        await storage.records.write_throttles({"a": 1.0})
        await storage.records.delete_throttles(["a"])
        assert await storage.records.delete_expired_throttles(9.0, limit=9) == 1

    run(over_memory(redis.url()), body)


def test_a_transaction_forgets_what_has_expired_with_its_own_changes(redis: RedisServer) -> None:
    async def body(storage: RedisStorage) -> None:
        await storage.records.write_throttles({"a": 1.0, "b": 2.0, "c": 3.0, "d": 9.0})
        async with storage.transaction() as records:
            await records.write_throttles({"a": 9.0, "d": 0.0})
            assert await records.delete_expired_throttles(5.0, limit=2) == 2
            assert await records.read_throttles([*"abcd"]) == {"a": 9.0, "c": 3.0}
        assert await storage.records.read_throttles([*"abcd"]) == {"a": 9.0, "c": 3.0}

    run(over_memory(redis.url()), body)


def test_limits_that_nobody_else_lets_change_say_so_in_designed_words(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coatcheck.storage.redis.limits._MOST_ROUNDS", 3)

    async def body(storage: RedisStorage) -> None:
        calls: list[float] = []

        def overtaken(times: Mapping[str, float]) -> dict[str, float]:
            calls.append(times.get("guess", 0))
            redis.execute("ZADD", "coatcheck:limits", str(len(calls)), "guess")
            return {"guess": 99.0, "beside": 1.0}

        with pytest.raises(StorageBusyError):
            await storage.change_throttles(["guess"], overtaken)
        assert calls == [0.0, 1.0, 2.0, 3.0]
        assert await storage.records.read_throttles(["guess", "beside"]) == {"guess": 4.0}

    run(over_memory(redis.url()), body)


def test_inside_of_a_transaction_limits_are_only_changed_through_it(redis: RedisServer) -> None:
    async def body(storage: RedisStorage) -> None:
        async with storage.transaction() as records:
            with pytest.raises(StorageMisuseError):
                await storage.records.write_throttles({"a": 1.0})
            with pytest.raises(StorageMisuseError):
                await storage.change_throttles(["guess"], count_up)
        with pytest.raises(StorageMisuseError):
            await records.write_throttles({"a": 1.0})

    storage = over_memory(redis.url())
    run(storage, body)
    with pytest.raises(StorageMisuseError):
        asyncio.run(storage.records.read_throttles(["a"]))


@pytest.mark.parametrize("url", ["http://host", "redis://:pw@host:port/0", "redis://:pw@[host/0"])
def test_an_address_that_cannot_be_read_is_refused_and_its_password_not_shown(url: str) -> None:
    with pytest.raises(StorageOpenError) as caught:
        over_memory(url)
    assert "pw" not in f"{caught.value} {caught.value.path} {caught.value.detail}"
    assert shown("rediss://user:pw@host:1/2?password=pw") == "rediss://user@host:1/2"
    assert shown("redis://:pw@[::1]:1/0") == "redis://[::1]:1/0"
    assert shown("unix:///run/redis.sock?db=2") == "unix:///run/redis.sock"


def test_a_close_that_is_cancelled_closes_the_database_nevertheless(
    redis: RedisServer, tmp_path: Path
) -> None:
    async def drive() -> None:
        database = SQLiteStorage(tmp_path / "coatcheck.db")
        storage = RedisStorage(database, redis.url())
        await storage.records.read_throttles(["guess"])
        closing = asyncio.create_task(storage.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait({closing})
        assert closing.cancelled()
        with pytest.raises(StorageMisuseError, match="closed"):
            await database.records.find_user("user-ada")

    asyncio.run(drive())
