"""What is acknowledged stays, nothing is half done, the log does not grow, and a busy file blocks nobody."""

import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from coatcheck.storage.conformance.samples import NOW, a_mail, a_session, a_user
from coatcheck.storage.errors import (
    RecordConflictError,
    StorageBusyError,
    StorageError,
    StorageFailedError,
    StorageMisuseError,
)
from coatcheck.storage.sqlite import SQLiteStorage, opening
from coatcheck.storage.sqlite.connection import Connection

WRITER = """
import asyncio, sys
from coatcheck.storage.conformance.samples import a_session, a_user
from coatcheck.storage.sqlite import SQLiteStorage

async def main():
    storage = SQLiteStorage(sys.argv[1])
    number = int(sys.argv[2])
    while True:
        async with storage.transaction() as records:
            await records.add_user(a_user(str(number)))
            await asyncio.sleep(0)
            await records.add_session(a_session(str(number), user_id=f"user-{number}"))
        print(number, flush=True)
        number += 1

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "coatcheck.db"


def run(path: Path, body: Callable[[SQLiteStorage], Awaitable[None]], *, timeout: float = 5.0) -> None:
    async def drive() -> None:
        storage = SQLiteStorage(path, busy_timeout=timedelta(seconds=timeout))
        try:
            await body(storage)
        finally:
            await storage.close()

    asyncio.run(drive())


def kill_in_the_middle(path: Path, first: int, *, after: float) -> int:
    """Let a process write for a while, kill it, and return the last number that it acknowledged."""
    command = [sys.executable, "-c", WRITER, str(path), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{first}\n"
        # A process that fills its pipe would stop at a harmless moment.
        lines: list[str] = []
        reader = threading.Thread(target=lines.extend, args=(process.stdout,))
        reader.start()
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        reader.join(30)
    assert process.returncode == -signal.SIGKILL
    whole = [int(line) for line in lines if line.endswith("\n")]
    return whole[-1] if whole else first


def test_after_a_kill_all_that_was_acknowledged_is_there_and_nothing_is_half_done(path: Path) -> None:
    acknowledged = -1
    for _ in range(5):
        before = acknowledged
        acknowledged = kill_in_the_middle(path, acknowledged + 1, after=random.uniform(0.01, 0.15))  # noqa: S311
        assert acknowledged > before

        async def look(storage: SQLiteStorage, last: int = acknowledged) -> None:
            users = {user.id for user in await storage.records.list_users(limit=10**6)}
            assert users >= {f"user-{number}" for number in range(last + 1)}
            # One more may be committed and not yet acknowledged. It is whole, too.
            assert len(users) <= last + 2
            assert [len(await storage.records.list_sessions(user)) for user in users] == [1] * len(users)
            if len(users) == last + 2:
                await storage.records.delete_user(f"user-{last + 1}")

        run(path, look)
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_the_log_does_not_grow_while_somebody_keeps_reading(path: Path) -> None:
    log = path.with_name("coatcheck.db-wal")

    async def write_and_read(storage: SQLiteStorage) -> None:
        other = SQLiteStorage(path)
        largest = 0
        await storage.records.add_user(a_user())
        await storage.records.add_session(a_session(data=bytes(20_000)))
        for number in range(3000):
            await storage.records.touch_session("session-one", NOW + 10 + number)
            await storage.records.write_session_data("session-one", bytes(20_000), revision=number)
            for each in (storage, other):
                each.version()
                assert await each.records.find_session("session-one")
                assert await each.records.list_users(limit=1)
            largest = max(largest, log.stat().st_size)
        # By then, more than 60 MB were written.
        assert largest < 8 * 2**20
        await other.close()

    run(path, write_and_read)


def test_a_large_log_is_cut_off_once_it_is_used_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_MAX_LOG_BYTES", 2**20)
    log = path.with_name("coatcheck.db-wal")

    async def write(storage: SQLiteStorage) -> None:
        async with storage.transaction() as records:
            for number in range(100):
                await records.add_mail(a_mail(str(number), sealed=bytes(100_000)))
        assert log.stat().st_size > 8 * 2**20
        await storage.records.add_user(a_user("one"))
        await storage.records.add_user(a_user("more"))
        assert log.stat().st_size <= 2**20

    run(path, write)


def test_a_busy_file_holds_up_the_task_and_not_the_event_loop(path: Path) -> None:
    async def body(storage: SQLiteStorage) -> None:
        gaps: list[float] = []

        async def watch() -> None:
            while True:
                start = time.perf_counter()
                await asyncio.sleep(0.001)
                gaps.append(time.perf_counter() - start)

        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            watcher = asyncio.create_task(watch())
            with pytest.raises(StorageBusyError) as caught:
                await storage.records.add_user(a_user())
            watcher.cancel()
            assert caught.value.retry_after > 0
            assert len(gaps) > 20  # of at most some 200 in the time that it waited
            assert await storage.records.list_users() == []
            writing = asyncio.create_task(storage.records.add_user(a_user()))
            await asyncio.sleep(0.02)
            assert not writing.done()
            other.execute("COMMIT")
            assert await writing
        assert await storage.records.find_user("user-ada") == a_user()

    run(path, body, timeout=0.3)


def test_those_who_wait_behind_each_other_for_a_busy_file_wait_no_longer_than_one(path: Path) -> None:
    async def body(storage: SQLiteStorage) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            start = time.perf_counter()
            writes = [storage.records.add_user(a_user(f"user-{number}")) for number in range(20)]
            outcomes = await asyncio.gather(*writes, return_exceptions=True)
            assert time.perf_counter() - start < 1.0  # and not twenty times 0.2
            assert {type(each) for each in outcomes} == {StorageBusyError}

    run(path, body, timeout=0.2)


def test_whoever_is_cancelled_while_the_file_is_busy_lets_the_next_one_try(path: Path) -> None:
    async def body(storage: SQLiteStorage) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            first = asyncio.create_task(storage.records.add_user(a_user("first")))
            second = asyncio.create_task(storage.records.add_user(a_user("second")))
            await asyncio.sleep(0.01)
            first.cancel()
            other.execute("COMMIT")
        assert await second
        assert [user.id for user in await storage.records.list_users()] == ["user-second"]

    run(path, body)


def test_a_transaction_that_died_with_its_event_loop_is_rolled_back(path: Path) -> None:
    storage = SQLiteStorage(path)
    left = None

    async def begin() -> None:
        async with storage.transaction() as records:
            await records.add_user(a_user())
            await asyncio.Event().wait()

    loop = asyncio.new_event_loop()
    left = begin()
    task = loop.create_task(left)
    loop.call_soon(loop.call_soon, loop.stop)
    loop.run_forever()

    async def go_on() -> None:
        assert await storage.records.list_users() == []
        async with storage.transaction() as records:
            assert await records.add_user(a_user("eve"))
            left.close()  # the dead task's block ends in the middle of this one, and must not disturb it
            assert await records.find_user("user-eve")
        assert await storage.records.list_users() == [a_user("eve")]
        await storage.close()

    asyncio.run(go_on())
    task._log_destroy_pending = False  # type: ignore[attr-defined] # it is what this is about
    loop.close()


def test_a_second_event_loop_at_the_same_time_is_refused(path: Path) -> None:
    async def body(storage: SQLiteStorage) -> None:
        await storage.records.add_user(a_user())

        def elsewhere() -> None:
            with pytest.raises(StorageMisuseError):
                asyncio.run(storage.records.add_user(a_user("eve")))

        await asyncio.to_thread(elsewhere)
        assert await storage.records.list_users() == [a_user()]

    run(path, body)


def test_a_value_that_no_column_holds_is_an_error_of_ours(path: Path) -> None:
    async def body(storage: SQLiteStorage) -> None:
        with pytest.raises(StorageError):
            await storage.records.find_user(object())  # type: ignore[arg-type] # the mistake
        with pytest.raises(RecordConflictError):
            await storage.records.add_user(a_user(created_at=float("nan")))
        with pytest.raises(RecordConflictError):
            await storage.records.add_user(a_user(created_at="yesterday"))
        assert await storage.records.list_users() == []

    run(path, body)


async def add_many(storage: SQLiteStorage) -> None:
    async with storage.transaction() as records:
        for number in range(20_000):
            await records.add_user(a_user(str(number)))


def test_a_full_disk_is_an_error_of_ours_and_leaves_what_was(path: Path) -> None:
    async def body(storage: SQLiteStorage) -> None:
        writer = storage._writer.connection
        await storage.records.add_user(a_user())
        writer.rows("PRAGMA max_page_count = 30", {})
        with pytest.raises(StorageFailedError):
            await add_many(storage)
        assert await storage.records.list_users() == [a_user()]
        assert await storage.records.add_user(a_user("eve"))

    run(path, body)


def test_a_commit_that_fails_leaves_nothing_and_the_next_transaction_works(path: Path) -> None:
    async def body(storage: SQLiteStorage) -> None:
        writer = storage._writer.connection

        async def add_a_stray() -> None:
            async with storage.transaction() as records:
                # Put off until the commit, the check of foreign keys is what fails there.
                writer.rows("PRAGMA defer_foreign_keys = ON", {})
                await records.add_session(a_session())

        with pytest.raises(RecordConflictError):
            await add_a_stray()
        assert await storage.records.find_session("session-one") is None
        assert await storage.records.add_user(a_user())

    run(path, body)


COMMITTER = """
import asyncio, sys
from coatcheck.storage.conformance.samples import a_user
from coatcheck.storage.sqlite import SQLiteStorage

async def main():
    storage = SQLiteStorage(sys.argv[1])
    await storage.records.add_user(a_user("eve"))
    await storage.close()

asyncio.run(main())
"""


def test_the_version_tells_of_the_commits_of_another_process_and_of_no_reads(path: Path) -> None:
    async def body(storage: SQLiteStorage) -> None:
        await storage.records.add_user(a_user())
        before = storage.version()
        for _ in range(10):
            await storage.records.list_users()
            assert storage.version() == before
        subprocess.run([sys.executable, "-c", COMMITTER, str(path)], check=True, timeout=60)  # noqa: ASYNC221 - as meant
        after = storage.version()
        assert after != before
        assert [user.id for user in await storage.records.list_users()] == ["user-ada", "user-eve"]
        assert storage.version() == after

    run(path, body)


def test_a_change_that_changes_nothing_does_not_disturb_what_is_kept_in_memory(path: Path) -> None:
    async def body(storage: SQLiteStorage) -> None:
        await storage.records.add_user(a_user())
        await storage.records.add_session(a_session())
        before = storage.version()
        await storage.records.touch_session("session-one", NOW - 1)
        assert await storage.records.claim_mail(NOW, until=NOW) is None
        assert await storage.records.delete_sessions(["session-two"]) == []
        assert storage.version() == before

    run(path, body)


def test_whatever_a_connection_meets_is_an_error_of_ours(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        connection = Connection(sqlite3.connect(path, timeout=0, isolation_level=None))
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageBusyError):
            connection.change("BEGIN IMMEDIATE", {})
        assert not connection.try_begin()
        connection.close()
        with pytest.raises(StorageMisuseError):
            connection.try_begin()
