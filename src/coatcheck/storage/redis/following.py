"""Telling other nodes of commits, and hearing of theirs, by a stream.

A message says only that there is something new, and by whom: what it is stands in the database. One that is lost costs
the time until the database is looked at anyway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from ..._core import base64url
from ..._core.entropy import random_bytes
from .server import FAILURES, Connections, Server

__all__ = ["Stream"]

_LENGTH: Final = 1000  # about
_WAITS_MS: Final = 2000
_SHORTEST_DELAY: Final = 0.1  # seconds
_LONGEST_DELAY: Final = 2.0
_Message = tuple[bytes, dict[bytes, bytes]]


class Stream:
    """The stream of what is new.

    Args:
        server: Where it is.
        heard: Called when another node has told of something.

    Attributes:
        told: How many messages were sent.
        heard_of: How many of others were heard.
    """

    def __init__(self, server: Server, *, heard: Callable[[], None]) -> None:
        self._server = server
        self._heard = heard
        self._name = f"{server.prefix}:changes"
        self._own = base64url.encode(random_bytes(9))
        self._is_new = asyncio.Event()
        self._last: bytes | None = None
        self._busy: set[asyncio.Future[None]] = set()
        self.told: int = 0
        self.heard_of: int = 0

    def tell(self) -> None:
        """Have the others told, soon: several commits may share a message."""
        self._is_new.set()

    async def serve(self, connections: Connections) -> None:
        """Tell and hear until cancelled; then close the connections, while their event loop is still there."""
        self._begin()
        try:
            await asyncio.gather(self._keep_telling(), self._keep_hearing(connections))
        finally:
            # What is half connected is in nobody's hands, and would not be closed.
            if self._busy:
                await asyncio.wait(self._busy)
            await connections.close()

    def _begin(self) -> None:
        self._is_new = asyncio.Event()
        self._last = None
        self._busy = set()

    async def _finish(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that may make a connection: whoever is cancelled leaves it to be waited for."""
        busy = asyncio.ensure_future(work)
        self._busy.add(busy)
        busy.add_done_callback(self._forget)
        await asyncio.shield(busy)

    def _forget(self, busy: asyncio.Future[None]) -> None:
        self._busy.discard(busy)
        if not busy.cancelled():
            busy.exception()  # seen, even if nobody waits for it any more

    async def _keep_telling(self) -> None:
        while not _is_cancelled():
            await self._is_new.wait()
            self._is_new.clear()
            await self._finish(self._server.tell(self._send))

    async def _send(self, connections: Connections) -> None:
        self._server.round_trips += 1
        await connections.client.xadd(self._name, {"by": self._own}, maxlen=_LENGTH, approximate=True)
        self.told += 1

    async def _keep_hearing(self, connections: Connections) -> None:
        delay = _SHORTEST_DELAY
        while True:
            try:
                await self._finish(self._find_place(connections))
                while not _is_cancelled():
                    await self._hear(connections)
                    delay = _SHORTEST_DELAY
            except FAILURES:
                pass
            # Asked, because the driver may have turned the cancellation into an error of its own, or an answer.
            if _is_cancelled():
                return
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LONGEST_DELAY)

    async def _find_place(self, connections: Connections) -> None:
        """Begin at the end. Who was here before, and finds another end, has missed something."""
        newest: Any = await connections.listener.xrevrange(self._name, count=1)
        last = newest[0][0] if newest else b"0-0"
        if self._last not in {None, last}:
            self._heard()
        self._last = last

    async def _hear(self, connections: Connections) -> None:
        found: Any = await connections.listener.xread({self._name: self._last or b"0-0"}, block=_WAITS_MS)
        messages: list[_Message] = found[0][1] if found else []
        if not messages:
            return
        self._last = messages[-1][0]
        others = sum(fields.get(b"by") != self._own.encode() for _, fields in messages)
        if others:
            self.heard_of += others
            self._heard()


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
