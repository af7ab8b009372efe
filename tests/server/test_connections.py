"""Attacks on the connection itself: a request that never begins to be one must not cost time or memory."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from coatcheck.server import connections
from coatcheck.server.connections import HEAD_OCTETS, BoundedProtocol

pytestmark = pytest.mark.anyio

HEAD = b"POST / HTTP/1.1\r\nHost: testserver\r\n"
PIECE = b"".join(b"X-%04d: a\r\n" % number for number in range(1000))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Tells the values of one header, after having read the body unless it is told not to."""
    request = Request(scope, receive)
    if scope["path"] != "/unread":
        await request.body()
    if scope["path"] == "/slow":
        await asyncio.sleep(0.4)
    await PlainTextResponse(",".join(request.headers.getlist("x-seen")))(scope, receive, send)


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        config = uvicorn.Config(application, log_level="error", lifespan="off", http=BoundedProtocol)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            await asyncio.to_thread(thread.join)


async def send_without_end(port: int, first: bytes, piece: bytes) -> int:
    """Send a beginning and then the same again and again; return how many octets it took to be cut off."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    sent = 0
    writer.write(first)
    with suppress(ConnectionError):
        while sent < 100 * HEAD_OCTETS and not reader.at_eof():
            writer.write(piece)
            sent += len(piece)
            await writer.drain()
            await asyncio.sleep(0)
    writer.close()
    return sent


async def answer_to(port: int, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    "first, piece",
    [
        (HEAD, PIECE),
        (HEAD + b"X: ", b"a" * 10_000),
        (b"GET /", b"a" * 10_000),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", PIECE),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"a" * 10_000),
        (b"POST /unread HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", b"a" * 10_000),
    ],
    ids=["headers", "one header", "a path", "trailers", "one trailer", "a trailer after the answer"],
)
async def test_memory_exhaustion_by_what_never_ends(first: bytes, piece: bytes) -> None:
    async with serving() as port:
        assert await send_without_end(port, first, piece) < 100 * HEAD_OCTETS
        assert b" 200 " in await answer_to(port, HEAD + b"Connection: close\r\n\r\n")


async def test_headers_that_are_too_large_are_told_so() -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD)
        for _ in range(9):
            writer.write(b"X: " + b"a" * 8_000 + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)
        assert (await reader.read()).startswith(b"HTTP/1.1 431 ")
        writer.close()


@pytest.mark.parametrize(
    "first, drop",
    [
        (b"", b""),
        (HEAD, b""),
        (HEAD, b"X: a\r\n"),
        (b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n", b"a"),
        (b"GET /unread HTTP/1.1\r\nHost: a\r\n\r\n", b"G"),
    ],
    ids=[
        "silence",
        "half a head",
        "dripping headers",
        "a dripping body that nobody reads",
        "half a second request",
    ],
)
async def test_slowloris(first: bytes, drop: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_TIMEOUT", 0.2)
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(first)
        reading = asyncio.create_task(reader.read())
        async with asyncio.timeout(5):
            while not reading.done():
                writer.write(drop)
                drop = b"" if drop == b"G" else drop
                await asyncio.sleep(0.02)
        with suppress(ConnectionError):
            await reading
        writer.close()


async def test_an_answer_that_takes_long_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_TIMEOUT", 0.1)
    async with serving() as port:
        pipelined = (
            b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        assert (await answer_to(port, pipelined)).count(b" 200 OK") == 2


async def test_large_bodies_one_after_the_other_are_taken() -> None:
    async with serving() as port:
        body = b"a" * (3 * HEAD_OCTETS)
        post = HEAD + b"Content-Length: %d\r\n" % len(body)
        sent = post + b"\r\n" + body + post + b"Connection: close\r\n\r\n" + body
        assert (await answer_to(port, sent)).count(b" 200 OK") == 2


async def test_header_injection_through_trailers() -> None:
    """What a proxy writes stands last among the headers: nothing that the client sends may come behind it."""
    async with serving() as port:
        head = HEAD + b"X-Seen: head\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = await answer_to(port, head + b"1\r\na\r\n0\r\nX-Seen: trailer\r\n\r\n")
        assert answer.endswith(b"\r\n\r\nhead")


class Transport:
    """Notes what is handed on to it."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.written.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str) -> str:
        return name


def joined() -> tuple[Transport, connections._Joining]:
    transport = Transport()
    return transport, connections._Joining(transport, asyncio.get_running_loop())  # type: ignore[arg-type]


async def test_what_is_written_in_one_turn_goes_out_at_once() -> None:
    transport, joining = joined()
    joining.write(b"head ")
    joining.write(b"body")
    assert transport.written == []
    await asyncio.sleep(0)
    joining.write(b" more")
    joining.flush()
    joining.flush()
    await asyncio.sleep(0)
    assert transport.written == [b"head body", b" more"]


async def test_what_was_written_goes_out_before_the_connection_is_closed() -> None:
    transport, joining = joined()
    joining.write(b"last words")
    joining.close()
    await asyncio.sleep(0)
    assert transport.written == [b"last words"]
    assert transport.closed
    assert joining.is_closing()


async def test_an_answer_without_end_is_not_held_back_in_memory() -> None:
    transport, joining = joined()
    for _ in range(1000):
        joining.write(bytes(1000))
    assert sum(map(len, transport.written)) > 1_000_000 - 2 * connections._MOST_HELD


async def test_an_answer_arrives_in_one_piece() -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: testserver\r\nX-Seen: a\r\n\r\n")
        async with asyncio.timeout(5):
            piece = await reader.read(65_536)
        writer.close()
    assert piece.startswith(b"HTTP/1.1 200 OK\r\n")
    assert piece.endswith(b"\r\n\r\na")
