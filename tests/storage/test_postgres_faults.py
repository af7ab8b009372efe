"""What happens when the server goes away, comes back, stands still, or its messages are lost."""

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from coatcheck._core.clock import monotonic_clock
from coatcheck.storage.conformance.samples import NOW, a_draft, a_session, a_user
from coatcheck.storage.errors import (
    StorageBusyError,
    StorageError,
    StorageMisuseError,
    StorageUnreachableError,
)
from coatcheck.storage.postgres import PostgresStorage
from coatcheck.storage.postgres.locks import begin
from coatcheck.storage.postgres.opening import prepare
from tests.engines import PostgresServer, postgres_server

POLL = timedelta(milliseconds=100)


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    """A server that may be stopped: nobody else's."""
    with postgres_server(settings=("fsync=off", "autovacuum=off")) as server:
        server.execute("CREATE DATABASE empty")
        prepare(server.url("empty"))
        yield server


@pytest.fixture
def server(own_server: PostgresServer) -> PostgresServer:
    return own_server


@pytest.fixture
def url(own_server: PostgresServer) -> Iterator[str]:
    with own_server.database("empty") as url:
        yield url


def run(url: str, body: Callable[[PostgresStorage], Awaitable[None]], *, patience: float = 5) -> None:
    async def drive() -> None:
        storage = PostgresStorage(url, pool=3, poll=POLL, patience=timedelta(seconds=patience))
        try:
            await body(storage)
        finally:
            await storage.close()

    asyncio.run(drive())


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.005)


def test_after_a_restart_every_connection_is_made_anew_and_nobody_notices(
    server: PostgresServer, url: str
) -> None:
    async def body(storage: PostgresStorage) -> None:
        await asyncio.gather(*(storage.records.add_user(a_user(str(number))) for number in range(9)))
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        found = await asyncio.gather(*(storage.records.find_user(f"user-{number}") for number in range(9)))
        assert all(found)
        async with storage.transaction("user-1") as records:
            await records.add_session(a_session(user_id="user-1"))
        assert len(await storage.records.list_sessions("user-1")) == 1

    run(url, body)


def test_what_was_acknowledged_is_there_after_a_kill(server: PostgresServer, url: str) -> None:
    async def body(storage: PostgresStorage) -> None:
        acknowledged: list[str] = []

        async def write(name: str) -> None:
            number = 0
            while True:
                try:
                    await storage.records.add_user(a_user(f"{name}-{number}"))
                except StorageError:
                    return
                acknowledged.append(f"user-{name}-{number}")
                number += 1

        writers = [asyncio.create_task(write(name)) for name in "abc"]
        await until(lambda: len(acknowledged) > 50)
        await asyncio.to_thread(server.kill)
        await asyncio.gather(*writers)
        await asyncio.to_thread(server.start)
        there = {user.id for user in await storage.records.list_users(limit=100_000)}
        assert set(acknowledged) <= there

    run(url, body)


def test_while_the_server_is_down_all_is_refused_in_designed_words_and_nothing_is_current(
    server: PostgresServer, url: str
) -> None:
    async def body(storage: PostgresStorage) -> None:
        await storage.records.add_user(a_user())
        await until(lambda: storage.facts()["is_current"] == 1)
        still = storage.version()
        assert storage.version() == still
        await asyncio.to_thread(server.stop)
        await until(lambda: storage.facts()["is_current"] == 0)
        assert storage.version() != storage.version()  # another number each time: nothing can be kept
        with pytest.raises(StorageBusyError):
            await storage.records.find_user("user-ada")
        with pytest.raises(StorageBusyError):
            await storage.transaction("user-ada").__aenter__()
        await asyncio.to_thread(server.start)
        await until(lambda: storage.facts()["is_current"] == 1)
        assert await storage.records.find_user("user-ada") == a_user()

    run(url, body, patience=0.7)


def test_a_transaction_whose_connection_dies_has_done_nothing(server: PostgresServer, url: str) -> None:
    async def body(storage: PostgresStorage) -> None:
        async def interrupted() -> None:
            async with storage.transaction() as records:
                await records.add_user(a_user())
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE state = 'idle in transaction' AND datname = current_database()"
                    )
                await records.add_user(a_user("eve"))

        with pytest.raises(StorageUnreachableError):
            await interrupted()
        assert await storage.records.list_users() == []

    del server
    run(url, body)


def test_a_lost_message_costs_the_time_until_the_next_look(server: PostgresServer, url: str) -> None:
    async def body(storage: PostgresStorage) -> None:
        assert await storage.records.list_entries(after=0, limit=1) == []
        await until(lambda: storage.facts()["is_current"] == 1)
        before = storage.version()
        with psycopg.connect(url) as connection:  # another node, whose messages nobody hears
            connection.execute("ALTER TABLE ledger DISABLE TRIGGER tell")
            connection.execute(
                "INSERT INTO ledger (kind, value, until, reason, actor, at, mark)"
                " VALUES ('user', 'x', 9, '', '', 1, 'm')"
            )
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE changes SET number = number + 1")
        await until(lambda: storage.version() != before)
        assert [entry.seq for entry in await storage.records.list_entries(after=0, limit=9)] == [1]

    del server
    run(url, body)


def test_a_process_that_stood_still_does_not_believe_what_it_remembers(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attack: a node is paused, the user signs out elsewhere, the node goes on and is asked at once."""

    async def body(storage: PostgresStorage) -> None:
        assert await storage.records.list_users() == []
        await until(lambda: storage.facts()["is_current"] == 1)
        real = monotonic_clock
        monkeypatch.setattr(
            "coatcheck.storage.postgres.listening.monotonic_clock", lambda: real() + 60
        )  # as after SIGSTOP and SIGCONT
        assert storage.version() != storage.version()
        monkeypatch.undo()

    run(url, body)


def test_who_waits_for_a_lock_too_long_is_told_to_come_again(url: str) -> None:
    async def body(storage: PostgresStorage) -> None:
        with psycopg.connect(url) as connection:
            connection.execute(begin(["user-ada"]).replace("BEGIN; ", "").encode())
            with pytest.raises(StorageBusyError):
                async with storage.transaction("user-ada"):
                    pass
            async with storage.transaction("user-eve") as records:  # another user waits for nobody
                await records.add_user(a_user("eve"))
            with pytest.raises(StorageBusyError):
                async with storage.transaction():
                    pass

    run(url, body, patience=0.1)


def test_when_all_connections_are_in_use_one_more_waits_and_then_is_told(url: str) -> None:
    async def body(storage: PostgresStorage) -> None:
        started = asyncio.Event()
        release = asyncio.Event()

        async def hold(name: str) -> None:
            async with storage.transaction(name):
                started.set()
                await release.wait()

        holders = [asyncio.create_task(hold(name)) for name in "abc"]
        await started.wait()
        await until(lambda: storage.facts()["pool_in_use"] == 3)
        with pytest.raises(StorageBusyError):
            await storage.records.find_user("user-ada")
        release.set()
        await asyncio.gather(*holders)
        assert await storage.records.find_user("user-ada") is None
        assert storage.facts()["pool_in_use"] == 0

    run(url, body, patience=0.3)


def test_whoever_stops_waiting_leaves_the_connection_to_the_next(url: str) -> None:
    async def body(storage: PostgresStorage) -> None:
        async def read() -> None:
            for _ in range(5):
                await storage.records.find_user("user-ada")

        tasks = [asyncio.create_task(read()) for _ in range(30)]
        for number, task in enumerate(tasks):
            await asyncio.sleep(0)
            if number % 3:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert storage.facts()["pool_waiting"] == 0
        await asyncio.gather(*(read() for _ in range(9)))

    run(url, body)


def test_two_loops_at_once_are_refused(url: str) -> None:
    async def body(storage: PostgresStorage) -> None:
        await storage.records.list_users()

        def elsewhere() -> None:
            async def use() -> None:
                with pytest.raises(StorageMisuseError, match="another event loop"):
                    await storage.records.list_users()

            asyncio.run(use())

        await asyncio.to_thread(elsewhere)

    run(url, body)


def test_an_event_loop_that_ends_without_closing_leaves_no_task_and_no_connection(url: str) -> None:
    storage = PostgresStorage(url, pool=3)

    async def use() -> None:
        await asyncio.gather(*(storage.records.list_users() for _ in range(5)))
        await storage.records.append_entries([a_draft(at=NOW)])

    for _ in range(3):
        asyncio.run(use())
    asyncio.run(storage.close())
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(200):
            (others,) = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            ).fetchone() or (None,)
            if others == 0:
                break
    assert others == 0


def test_what_is_written_after_somebody_was_cancelled_is_kept_if_it_was_acknowledged(url: str) -> None:
    """A pipeline that is left open keeps back what is asked next, and tells nobody."""

    async def body(storage: PostgresStorage) -> None:
        alone = PostgresStorage(url, pool=1, poll=POLL)  # whoever comes next gets the same connection
        chance = random.Random(1)  # noqa: S311 - no secret
        for number in range(100):
            task = asyncio.create_task(alone.records.delete_signals("stream", ["one", "two"]))
            await asyncio.sleep(chance.random() * 0.001)
            task.cancel()
            await asyncio.wait({task})
            await alone.records.write_throttles({f"{number}": 1.0})
            assert await storage.records.read_throttles([f"{number}"]), number
        await alone.close()

    run(url, body)


@contextmanager
def somebody(server: PostgresServer, url: str, attributes: str) -> Iterator[str]:
    """Give the address of the database for one who may do the same, but is no superuser."""
    server.execute(f"CREATE ROLE somebody LOGIN IN ROLE coatcheck {attributes}")
    try:
        yield url.replace("coatcheck@", "somebody@")
    finally:
        server.execute("DROP ROLE somebody")


def test_who_finds_the_server_full_waits_for_a_connection_that_another_gives_back(
    server: PostgresServer, url: str
) -> None:
    async def body(storage: PostgresStorage) -> None:
        async def work(name: str) -> None:
            async with storage.transaction(name) as records:
                await asyncio.sleep(0.02)
                await records.write_throttles({name: 1.0})

        await asyncio.gather(*(work(f"user-{number}") for number in range(10)))
        assert storage.facts()["pool_size"] < 3
        assert len(await storage.records.read_throttles([f"user-{number}" for number in range(10)])) == 10

    with somebody(server, url, "CONNECTION LIMIT 2") as theirs:  # one listens
        run(theirs, body)


def test_connections_to_a_server_that_takes_no_changes_are_made_anew(
    server: PostgresServer, url: str
) -> None:
    """As after a failover: the address leads to the new primary, and the old connections to what is a standby now."""

    async def body(storage: PostgresStorage) -> None:
        async def write_alone() -> None:
            await storage.records.write_throttles({"alone": 1.0})

        async def write_within() -> None:
            async with storage.transaction("user-ada") as records:
                await records.write_throttles({"within": 1.0})

        for write in (write_alone, write_within):
            server.execute("ALTER ROLE somebody SET default_transaction_read_only = on")
            await (await storage.pool(writes=True)).renew()
            await asyncio.gather(*(storage.records.find_user("user-ada") for _ in range(3)))
            server.execute("ALTER ROLE somebody RESET default_transaction_read_only")
            with pytest.raises(StorageUnreachableError):
                await write()
            await asyncio.gather(*(write() for _ in range(3)))
        assert len(await storage.records.read_throttles(["alone", "within"])) == 2

    with somebody(server, url, "") as theirs:
        run(theirs, body)


def test_a_host_that_is_silent_is_passed_over(url: str) -> None:
    """A machine that lost its power answers nothing: it is not to use up the time that the next one needs."""

    async def body(storage: PostgresStorage) -> None:
        await storage.records.add_user(a_user())
        assert await storage.records.find_user("user-ada") == a_user()

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        run(url.replace("@", f"@127.0.0.1:{silent.getsockname()[1]},"), body, patience=1)


def test_whoever_has_waited_longest_is_the_next_and_nobody_starves(url: str) -> None:
    """Those who give a connection back and ask again at once do not overtake those who wait."""

    async def body(storage: PostgresStorage) -> None:
        served = dict.fromkeys(range(9), 0)

        async def read(reader: int) -> None:
            while min(served.values()) < 20:
                await storage.records.find_user("user-ada")
                served[reader] += 1

        await asyncio.gather(*map(read, served))
        assert max(served.values()) <= 40

    run(url, body, patience=2)


def test_a_transaction_that_stood_still_ends_alone(server: PostgresServer, url: str) -> None:
    async def body(storage: PostgresStorage) -> None:
        async def work() -> None:
            async with storage.transaction("user-bob") as records:
                await asyncio.sleep(0.5)
                await records.write_throttles({"bob": 1.0})

        async def stand_still() -> None:
            async with storage.transaction("user-ada") as records:
                (connection,) = (await storage.pool(writes=False))._all
                await connection.execute("SET idle_in_transaction_session_timeout = '200ms'")
                others.append(asyncio.create_task(work()))
                await asyncio.sleep(0.4)
                await records.write_throttles({"ada": 1.0})

        others = list[asyncio.Task[None]]()
        with pytest.raises(StorageUnreachableError):
            await stand_still()
        assert storage.facts()["pool_size"] == 1  # the other's
        await asyncio.gather(*others)
        assert set(await storage.records.read_throttles(["ada", "bob"])) == {"bob"}
        assert storage.facts()["pool_size"] == 1

    run(url, body)


def test_nobody_waits_without_end_for_a_server_that_stands_still(server: PostgresServer, url: str) -> None:
    async def body(storage: PostgresStorage) -> None:
        await asyncio.gather(*(storage.records.find_user("user-ada") for _ in range(3)))
        await asyncio.to_thread(server.pause)
        try:
            async with asyncio.timeout(30):
                with pytest.raises(StorageUnreachableError):
                    await storage.records.write_throttles({"a": 1.0})
        finally:
            await asyncio.to_thread(server.resume)
        await until(lambda: storage.facts()["is_current"] == 1)
        await storage.records.write_throttles({"b": 1.0})
        assert "b" in await storage.records.read_throttles(["b"])

    run(url, body, patience=0.5)


def test_who_waits_for_a_connection_while_the_server_is_down_sleeps(server: PostgresServer, url: str) -> None:
    async def body(storage: PostgresStorage) -> None:
        await storage.records.find_user("user-ada")
        pool = await storage.pool(writes=False)
        await asyncio.to_thread(server.stop)
        waits = 0
        wait = pool._wait

        async def count(until: float, *, is_first: bool) -> Any:
            nonlocal waits
            waits += 1
            return await wait(until, is_first=is_first)

        pool._wait = count  # type: ignore[method-assign]
        readers = [asyncio.create_task(storage.records.find_user("user-ada")) for _ in range(9)]
        await asyncio.sleep(0.5)
        await asyncio.to_thread(server.start)
        assert await asyncio.gather(*readers) == [None] * 9
        assert waits < 200

    run(url, body)


def test_a_close_that_is_cancelled_says_so_and_has_closed(url: str) -> None:
    async def drive() -> None:
        storage = PostgresStorage(url, poll=POLL)
        await storage.records.find_user("user-ada")
        closing = asyncio.create_task(storage.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait({closing})
        assert closing.cancelled()
        with pytest.raises(StorageMisuseError):
            await storage.records.find_user("user-ada")

    asyncio.run(drive())
