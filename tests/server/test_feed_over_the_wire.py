"""The feed of real server processes: many readers, slow ones, deaths, and two processes on one file."""

import asyncio
import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from coatcheck.flows.context import Context
from coatcheck.flows.ending import ADMINISTRATOR, Reason, revoke
from coatcheck.flows.service import Flows
from coatcheck.server import load_settings, open_flows
from tests.server.feed_readers import FeedReader, open_reader, reading

pytestmark = pytest.mark.anyio
DEADLINE = 30.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(
    directory: Path,
    *options: str,
    port: int | None = None,
    program: tuple[str, ...] = ("-m", "coatcheck", "serve"),
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port = port or free_port()
    command = [sys.executable, *program, "--port", str(port), *options]
    with subprocess.Popen(
        command, cwd=directory, env={}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        try:
            wait_for(port, process)
            yield port, process
        finally:
            process.terminate()  # several workers outlive whoever started them, if that is killed
            try:
                process.wait(DEADLINE)
            finally:
                process.kill()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        assert process.poll() is None
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise TimeoutError


@asynccontextmanager
async def beside(directory: Path) -> AsyncIterator[Flows]:
    """Another process, as far as the server is concerned: the same file, opened here."""
    settings = load_settings(environment={}, database=str(directory / "coatcheck.db"))
    async with open_flows(settings) as flows:
        yield flows


async def end(context: Context, *values: str) -> None:
    async with context.storage.transaction() as records:
        named = [("session", value) for value in values]
        await revoke(context, records, named, reason=Reason.ENDED_BY_ADMINISTRATOR, actor=ADMINISTRATOR)  # type: ignore[arg-type]


def names(count: int, *, start: int = 0) -> list[str]:
    return [f"session-{number:06}-abcdefgh" for number in range(start, start + count)]


@pytest.mark.parametrize("packs", [False, True], ids=["plain", "gzip"])
async def test_hundreds_of_readers_get_every_revocation_in_order(tmp_path: Path, *, packs: bool) -> None:
    revoked = names(100)
    with serving(tmp_path) as (port, _):
        async with beside(tmp_path) as flows:
            readers = await asyncio.gather(*[open_reader(port, packs=packs) for _ in range(300)])
            await asyncio.gather(*[reader.caught_up() for reader in readers])
            all_values = asyncio.gather(*[reader.values(len(revoked)) for reader in readers])
            for value in revoked:
                await end(flows.context, value)
                await asyncio.sleep(0)
            assert all(values == revoked for values in await all_values)
            for reader in readers:
                reader.close()


async def open_slow_reader(port: int) -> FeedReader:
    """Open a reader whose end of the connection holds next to nothing."""
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    small.setblocking(False)  # noqa: FBT003
    await asyncio.get_running_loop().sock_connect(small, ("127.0.0.1", port))
    slow = FeedReader(*await asyncio.open_connection(sock=small, limit=1024))
    slow.writer.write(f"GET /auth/ledger?nonce={'n' * 16} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await slow.begin()
    return slow


async def test_a_reader_that_does_not_read_is_cut_off_and_delays_nobody(tmp_path: Path) -> None:
    with serving(tmp_path) as (port, _):
        async with beside(tmp_path) as flows, reading(port) as other:
            await other.caught_up()
            slow = await open_slow_reader(port)
            longest = 0.0
            for batch in range(450):
                revoked = names(600, start=600 * batch)
                started = time.monotonic()
                await end(flows.context, *revoked)
                assert await other.values(600) == revoked
                longest = max(longest, time.monotonic() - started)
            assert longest < 10
            # What was on its way it may have. Then there is an end that is none, which says: come back.
            with pytest.raises(asyncio.IncompleteReadError):
                await slow.until("nothing of the kind")
            async with reading(port, last=slow.position) as again:
                hello = await again.next()
                assert not hello.claims.get("snapshot")
                assert hello.id == slow.position
                missed = await again.values(10)
                assert missed[0] > "session"
            slow.close()


async def test_a_reader_goes_on_where_it_was(tmp_path: Path) -> None:
    with serving(tmp_path) as (port, _):
        async with beside(tmp_path) as flows:
            async with reading(port) as reader:
                await reader.caught_up()
                await end(flows.context, "first-session")
                assert await reader.values(1) == ["first-session"]
                position = reader.position
            await end(flows.context, "second-session", "third-session")
            async with reading(port, last=position) as reader:
                hello = await reader.next()
                assert (hello.id, hello.claims.get("snapshot")) == (position, None)
                assert await reader.values(2) == ["second-session", "third-session"]


@pytest.mark.parametrize("last", ["1.another-mark", "999.abcdefghijk", "0."])
async def test_a_position_that_is_not_of_this_ledger_gets_a_snapshot(tmp_path: Path, last: str) -> None:
    with serving(tmp_path) as (port, _):
        async with beside(tmp_path) as flows:
            await end(flows.context, "first-session")
            async with reading(port, last=last) as reader:
                hello, part = await reader.next(), await reader.next()
        assert hello.claims["snapshot"]
        assert hello.id is None
        assert (part.name, part.claims["done"]) == ("snapshot", True)
        assert [entry[1] for entry in part.claims["entries"]] == ["first-session"]


async def test_heartbeats_come_on_time_and_say_up_to_where(tmp_path: Path) -> None:
    with serving(tmp_path) as (port, _):
        async with beside(tmp_path) as flows, reading(port) as reader:
            hello = (await reader.next()).claims
            await end(flows.context, "a-session")
            await reader.until("entries")
            first, second = await reader.until("heartbeat"), await reader.until("heartbeat")
            assert first.id is None
            assert f"{first.claims['seq']}.{first.claims['mark']}" == reader.position
            between = second.claims["now"] - first.claims["now"]
            assert 0.9 * hello["heartbeat"] < between < hello["heartbeat"] + 1
            assert second.claims["keys"] == hello["keys"]


async def test_nothing_is_lost_when_the_server_is_killed_between_commit_and_delivery(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, port=port) as (_, process):
        async with reading(port) as reader, beside(tmp_path) as flows:
            await reader.caught_up()
            await end(flows.context, "before-it-died")
            assert await reader.values(1) == ["before-it-died"]
            process.send_signal(signal.SIGSTOP)  # it can deliver nothing any more
            await end(flows.context, "nobody-was-told")
            process.kill()
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await reader.next()
    with serving(tmp_path, port=port):
        async with reading(port, last=reader.position) as again:
            assert not (await again.next()).claims.get("snapshot")
            again.position = reader.position
            assert await again.values(1) == ["nobody-was-told"]


def restore(backup: Path, database: Path) -> None:
    for rest in database.parent.glob("coatcheck.db-*"):
        rest.unlink()
    shutil.copy(backup, database)


async def test_a_restored_backup_is_noticed_and_says_what_to_do(tmp_path: Path) -> None:
    database, backup, port = tmp_path / "coatcheck.db", tmp_path / "backup.db", free_port()
    async with beside(tmp_path) as flows:
        await end(flows.context, "before-the-backup")
    shutil.copy(database, backup)
    with serving(tmp_path, port=port):
        async with beside(tmp_path) as flows, reading(port) as reader:
            await reader.caught_up()
            await end(flows.context, "after-the-backup")
            assert await reader.values(1) == ["after-the-backup"]
    restore(backup, database)
    with serving(tmp_path, port=port) as (_, process):
        for _ in range(2):
            async with reading(port, last=reader.position) as again:
                assert (await again.next()).claims["snapshot"]
                values = [entry[1] for entry in (await again.next()).claims["entries"]]
                assert values == ["before-the-backup"]
        process.terminate()
        _, complaints = process.communicate(timeout=10)
    assert complaints.count(b"coatcheck revoke everything") == 1


async def test_readers_of_one_process_hear_at_once_what_another_has_committed(tmp_path: Path) -> None:
    with serving(tmp_path, "--workers", "2") as (port, _):
        async with beside(tmp_path) as flows:
            readers = [await open_reader(port) for _ in range(12)]  # some at each worker
            for reader in readers:
                await reader.caught_up()
            delays = []
            for value in names(50):
                started = time.perf_counter()
                await end(flows.context, value)
                assert await asyncio.gather(*[reader.values(1) for reader in readers]) == [[value]] * 12
                delays.append(time.perf_counter() - started)
            assert sorted(delays)[len(delays) // 2] < 1
            for reader in readers:
                reader.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_a_server_with_readers_stops_at_once(tmp_path: Path, number: int) -> None:
    with serving(tmp_path) as (port, process):
        readers = [await open_reader(port, packs=packs) for packs in (False, True) for _ in range(20)]
        await asyncio.gather(*[reader.caught_up() for reader in readers])
        started = time.monotonic()
        process.send_signal(number)
        for reader in readers:
            with pytest.raises(EOFError):
                await reader.until("nothing of the kind")
        await asyncio.to_thread(process.wait, 5)
        assert time.monotonic() - started < 20
        for reader in readers:
            reader.close()


async def test_a_reader_that_does_not_read_does_not_keep_the_server_from_stopping(tmp_path: Path) -> None:
    with serving(tmp_path) as (port, process):
        async with beside(tmp_path) as flows:
            slow = await open_slow_reader(port)
            for batch in range(100):
                await end(flows.context, *names(1000, start=1000 * batch))
        async with reading(port) as other:
            await other.caught_up()
            started = time.monotonic()
            process.terminate()
            await asyncio.to_thread(process.wait, 15)
            assert time.monotonic() - started < 25
        slow.close()


async def test_a_removed_service_hears_no_more_within_a_heartbeat(tmp_path: Path) -> None:
    with serving(tmp_path) as (port, _):
        async with beside(tmp_path) as flows:
            _, key = await flows.services.add("api")
            async with reading(port, key=key) as reader:
                await reader.caught_up()
                await flows.services.remove("api")
                started = time.monotonic()
                with pytest.raises(EOFError):
                    await reader.until("nothing of the kind")
                assert time.monotonic() - started < 20
            async with reading(port, key=key) as reader:
                assert reader.status == 401


async def test_a_server_inside_of_an_application_feeds_too_and_stops_at_once(tmp_path: Path) -> None:
    (tmp_path / "application.py").write_text(
        "from fastapi import FastAPI\nfrom coatcheck.integrations.fastapi import Auth\n"
        "app = FastAPI()\nauth = Auth(app)\n"
    )
    with serving(tmp_path, program=("-m", "uvicorn", "application:app", "--log-level", "error")) as (
        port,
        process,
    ):
        async with beside(tmp_path) as flows, reading(port, packs=True) as reader:
            await reader.caught_up()
            await end(flows.context, "a-session")
            assert await reader.values(1) == ["a-session"]
            process.terminate()
            with pytest.raises(EOFError):
                await reader.until("nothing of the kind")
            await asyncio.to_thread(process.wait, 5)


def memory_of(process: subprocess.Popen[bytes]) -> int:
    """The octets that a process holds in memory."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return 1024 * int(status.partition("VmRSS:")[2].split()[0])


def open_files(process: subprocess.Popen[bytes]) -> int:
    return len(list(Path(f"/proc/{process.pid}/fd").iterdir()))


async def test_readers_that_vanish_leave_nothing_behind(tmp_path: Path) -> None:
    with serving(tmp_path) as (port, process):

        async def come_and_go() -> None:
            readers = await asyncio.gather(*[open_reader(port, packs=True) for _ in range(300)])
            await asyncio.gather(*[reader.caught_up() for reader in readers])
            for reader in readers:
                reader.close()

        descriptors = open_files(process)
        for _ in range(2):
            await come_and_go()
        before = memory_of(process)
        for _ in range(5):
            await come_and_go()
        async with reading(port) as last:
            await last.caught_up()
        assert memory_of(process) - before < 8 * 1024 * 1024
        async with asyncio.timeout(DEADLINE):
            while open_files(process) > descriptors:  # noqa: ASYNC110 - another process's
                await asyncio.sleep(0.02)
