"""Bytes on a real connection to a real server, which keeps serving whatever they are."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn

from tests.web.sites import EMAIL, PASSWORD, open_site

pytestmark = pytest.mark.anyio

FORM = f"email={EMAIL}&password={PASSWORD.replace(' ', '+')}".encode()


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    async with open_site() as site:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen()  # connections wait until the server is up
            server = uvicorn.Server(uvicorn.Config(site.server.app, log_level="error", lifespan="off"))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            try:
                yield listening.getsockname()[1]
            finally:
                server.should_exit = True
                await asyncio.to_thread(thread.join)


async def exchange(port: int, sent: bytes, *, hang_up: bool = False) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        await writer.drain()
        if hang_up:
            return b""
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.close()


def post(body: bytes, *headers: bytes, length: int | None = None) -> bytes:
    lines = [
        b"POST /auth/sign-in HTTP/1.1",
        b"Host: testserver",
        b"Connection: close",
        b"Content-Type: application/x-www-form-urlencoded",
        *headers,
    ]
    if length is not None:
        lines.append(b"Content-Length: %d" % length)
    return b"\r\n".join([*lines, b"", body])


async def test_the_server_keeps_serving(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as port:
        for _ in range(20):  # truncated: more was announced than comes
            await exchange(port, post(FORM, length=len(FORM) + 10), hang_up=True)
        too_large = await exchange(port, post(b"x" * 1000, length=10_000_000))
        assert too_large.startswith(b"HTTP/1.1 413 ")
        chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
        endless = await exchange(port, post(chunk * 3, b"Transfer-Encoding: chunked"))
        assert endless.startswith(b"HTTP/1.1 413 ")
        for nonsense in (b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"POST /auth/sign-in HTTP/9.9\r\n\r\n"):
            assert not (await exchange(port, nonsense + b"\r\n\r\n")).startswith(b"HTTP/1.1 2")
        both = await exchange(port, post(b"0\r\n\r\n", b"Transfer-Encoding: chunked", length=5))
        assert b" 200 " not in both[:20]
        alive = await exchange(port, post(FORM, length=len(FORM)))
        assert alive.startswith(b"HTTP/1.1 401 ")
    assert "Traceback" not in caplog.text
