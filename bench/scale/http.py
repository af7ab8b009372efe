"""A small HTTP/1.1 client on asyncio: one connection, kept, and each answer with the time at which it was there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from urllib.parse import urlencode

_AGENT = "bench"


class NoAnswerError(Exception):
    """The connection was refused, closed or silent: what was asked for may have happened, or not."""


@dataclass(frozen=True)
class Answer:
    """What came back, and when."""

    status: int
    headers: Mapping[str, str]
    """With names in small letters; of those that come more than once the last, but for cookies."""
    cookies: Mapping[str, str]
    body: bytes
    at: float

    def json(self) -> dict[str, Any]:
        """The body, decoded; nothing if it is something else."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


@dataclass
class Connection:
    """A connection to one server, made when it is needed."""

    port: int
    timeout: float = 15.0
    address: str = ""
    """Whom a proxy would say that requests come from."""
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = field(default=None, repr=False)

    async def get(self, path: str, **headers: str) -> Answer:
        """Fetch something; underscores in the names of headers are hyphens."""
        return await self.ask("GET", path, b"", headers)

    async def post_json(self, path: str, body: object, **headers: str) -> Answer:
        """Send JSON."""
        return await self.ask(
            "POST", path, json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
        )

    async def post_form(self, path: str, fields: Mapping[str, str], **headers: str) -> Answer:
        """Send a form."""
        sent = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json", **headers}
        return await self.ask("POST", path, urlencode(fields).encode(), sent)

    async def ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a request and return the answer.

        Raises:
            NoAnswerError: If none comes.
        """
        try:
            async with asyncio.timeout(self.timeout):
                await self.send(method, path, body, headers)
                return await self.receive()
        except (OSError, EOFError, ValueError, asyncio.IncompleteReadError) as error:
            self.close()
            raise NoAnswerError(type(error).__name__) from error
        except BaseException:
            self.close()
            raise

    async def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a request; the answer has to be received."""
        if self._streams is None or self._streams[0].at_eof():
            self.close()
            self._streams = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"User-Agent: {_AGENT}"]
        given = {"Accept": "application/json", **({"X-Forwarded-For": self.address} if self.address else {})}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines += [f"{name}: {value}" for name, value in given.items()]
        if body or method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        self._streams[1].write("\r\n".join((*lines, "", "")).encode() + body)
        await self._streams[1].drain()

    async def receive(self) -> Answer:
        """Return the answer to what was sent."""
        assert self._streams is not None
        reader = self._streams[0]
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers, cookies = dict[str, str](), dict[str, str]()
        for line in lines:
            name, _, value = line.partition(":")
            name, value = name.strip().lower(), value.strip()
            if name == "set-cookie":
                key, _, text = value.partition(";")[0].partition("=")
                cookies[key] = text
            elif name:
                headers[name] = value
        body = await _body(reader, headers)
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(int(first.split()[1]), headers, cookies, body, monotonic())

    def close(self) -> None:
        """Close it; the next request opens another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        parts = []
        while size := int((await reader.readline()).split(b";")[0], 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readline()
        return b"".join(parts)
    return await reader.readexactly(int(headers.get("content-length", "0")))
