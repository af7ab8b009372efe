"""Readers of the feed, over a socket and nothing else, so that what is on the wire is what is seen."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from coatcheck._core import base64url

NONCE = "0123456789abcdef"
PATIENCE = 20.0


@dataclass
class Event:
    name: str
    id: str | None
    token: str
    octets: int

    @property
    def claims(self) -> dict[str, Any]:
        claims: dict[str, Any] = msgspec.json.decode(
            base64url.decode(self.token.encode("ascii").split(b".")[1])
        )
        return claims


@dataclass
class FeedReader:
    """One connection. ``status`` and ``headers`` are those of its answer."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    received: int = 0
    position: str | None = None
    _text: bytes = b""
    _unpack: Any = None

    async def begin(self) -> None:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
        self.status = int(head[0].split(" ")[1])
        self.headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])
        }
        if self.headers.get("content-encoding") == "gzip":
            self._unpack = zlib.decompressobj(31)

    async def chunk(self) -> bytes:
        """Return the next chunk of the body; empty at its end.

        Raises:
            asyncio.IncompleteReadError: If it broke off.
        """
        size = int(await self.reader.readuntil(b"\r\n"), 16)
        octets = await self.reader.readexactly(size + 2)
        self.received += size
        return octets[:-2]

    async def next(self) -> Event:
        """Return the next event.

        Raises:
            EOFError: If there is none, and the stream has ended well.
            asyncio.IncompleteReadError: If it broke off.
        """
        async with asyncio.timeout(PATIENCE):
            while b"\n\n" not in self._text:
                octets = await self.chunk()
                if not octets:
                    assert self._unpack is None or self._unpack.eof
                    raise EOFError
                self._text += octets if self._unpack is None else self._unpack.decompress(octets)
        block, _, self._text = self._text.partition(b"\n\n")
        fields = dict(line.split(": ", 1) for line in block.decode("ascii").split("\n"))
        event = Event(fields["event"], fields.get("id"), fields["data"], len(block) + 2)
        self.position = event.id or self.position
        return event

    async def until(self, name: str) -> Event:
        """Return the next event of a kind, and skip what comes before."""
        while True:
            event = await self.next()
            if event.name == name:
                return event

    async def caught_up(self) -> "FeedReader":
        """Read the hello and, if one follows, the snapshot."""
        hello = (await self.next()).claims
        assert hello["event"] == "hello"
        while hello.get("snapshot") and not (await self.next()).claims.get("done"):
            pass
        return self

    async def values(self, count: int) -> list[str]:
        """Return the values of so many entries, and check that none is missing between two events."""
        values: list[str] = []
        while len(values) < count:
            before = self.position
            event = await self.next()
            if event.name == "entries":
                assert event.claims["after"] == before
                values += [entry[1] for entry in event.claims["entries"]]
        return values

    def close(self) -> None:
        self.writer.transport.abort()


@asynccontextmanager
async def reading(
    port: int,
    *,
    key: str | None = None,
    last: str | None = None,
    packs: bool = False,
    nonce: str = NONCE,
    **options: Any,
) -> AsyncIterator[FeedReader]:
    reader = await open_reader(port, key=key, last=last, packs=packs, nonce=nonce, **options)
    try:
        yield reader
    finally:
        reader.close()


async def open_reader(
    port: int,
    *,
    key: str | None = None,
    last: str | None = None,
    packs: bool = False,
    nonce: str = NONCE,
    **options: Any,
) -> FeedReader:
    lines = [f"GET /auth/ledger?nonce={nonce} HTTP/1.1", f"Host: localhost:{port}"]
    lines += [f"Authorization: Bearer {key}"] if key else []
    lines += [f"Last-Event-ID: {last}"] if last else []
    lines += ["Accept-Encoding: gzip"] if packs else []
    made = FeedReader(*await asyncio.open_connection("127.0.0.1", port, **options))
    made.writer.write("\r\n".join([*lines, "", ""]).encode("ascii"))
    async with asyncio.timeout(PATIENCE):
        await made.begin()
    return made
