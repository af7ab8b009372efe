"""Watching services: asking them again and again with one credential, and noting when they begin to refuse it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Final

import msgspec

from ...errors import CoatcheckError

__all__ = ["Credential", "NoAnswerError", "Observed", "ask", "observe"]

_BETWEEN: Final = 0.0005  # seconds: the resolution of what is measured
_BEFORE: Final = 0.05  # seconds of asking before anything happens
_LONGEST: Final = 10.0  # seconds until a service is said not to have refused
_LONGEST_HEAD: Final = 65_536


class NoAnswerError(CoatcheckError):
    """A service of the demonstration does not answer."""

    code = "no_answer"

    def __init__(self, name: str, *, detail: str | None = None) -> None:
        super().__init__(f"The service {name!r} does not answer.", detail=detail)


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """What is presented.

    Attributes:
        name: What it is called on the page.
        header: The name of the header that it is sent in.
        value: The header's value.
    """

    name: str
    header: str
    value: str

    def __repr__(self) -> str:
        return f"<Credential {self.name}>"


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What one service did with one credential.

    Attributes:
        service: The service's name.
        credential: The credential's name.
        refused_after: Seconds from the order to end the session to the first refusal; ``None`` if none came.
        accepted_before: How many answers before the order said yes.
        accepted_after: How many after it still did.
    """

    service: str
    credential: str
    refused_after: float | None
    accepted_before: int
    accepted_after: int


class _Line:
    """A connection that is kept open, over which one request follows the other (RFC 9112)."""

    def __init__(self, name: str, port: int, credential: Credential) -> None:
        self._name = name
        self._port = port
        self._request = (
            f"GET / HTTP/1.1\r\nHost: localhost:{port}\r\n{credential.header}: {credential.value}\r\n\r\n"
        ).encode("latin-1")
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self) -> tuple[int, bytes]:
        """Send the request; return the status and the body of the answer."""
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=_LONGEST_HEAD)
            reader, writer = self._streams
            writer.write(self._request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            status = int(head.split(b" ", 2)[1])
            length = head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
            return status, await reader.readexactly(int(length or 0))
        except (OSError, EOFError, ValueError, IndexError, asyncio.LimitOverrunError) as error:
            raise NoAnswerError(self._name, detail=type(error).__name__) from error

    async def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def ask(name: str, port: int, credential: Credential) -> tuple[int, bytes]:
    """Ask a service once; return the status and the body of its answer.

    Raises:
        NoAnswerError: If there is none.
    """
    line = _Line(name, port, credential)
    try:
        return await line.ask()
    finally:
        await line.close()


def _is_refusal(status: int, _: bytes) -> bool:
    return status == 401


async def observe(
    services: Sequence[tuple[str, int]],
    credentials: Sequence[Credential],
    end: Callable[[], Awaitable[object]],
    *,
    is_over: Callable[[int, bytes], bool] = _is_refusal,
) -> list[Observed]:
    """Ask all services with all credentials, without a pause, while the session that these come from ends.

    Args:
        services: Their names and ports on this machine.
        credentials: What to present.
        end: Ends the session.
        is_over: Tells from the status and the body of an answer whether it knows of the end; by default a refusal does.

    Raises:
        NoAnswerError: If a service does not answer.
    """
    ordered = asyncio.Event()
    order: list[float] = []

    async def watch(name: str, port: int, credential: Credential) -> Observed:
        line = _Line(name, port, credential)
        before = after = 0
        refused: float | None = None
        started = perf_counter()
        try:
            while refused is None and perf_counter() - started < _LONGEST:
                was_ordered = ordered.is_set()
                status, body = await line.ask()
                if was_ordered and is_over(status, body):
                    refused = perf_counter() - order[0]
                elif status == 200:
                    before, after = before + (not was_ordered), after + was_ordered
                await asyncio.sleep(_BETWEEN)
        finally:
            await line.close()
        return Observed(
            service=name,
            credential=credential.name,
            refused_after=refused,
            accepted_before=before,
            accepted_after=after,
        )

    watching = asyncio.gather(
        *(watch(name, port, credential) for name, port in services for credential in credentials)
    )
    try:
        await asyncio.sleep(_BEFORE)
        order.append(perf_counter())
        ordered.set()
        await end()
        return await watching
    finally:
        # Whoever is interrupted is not told afterwards that the services have ended, too.
        watching.cancel()
        await asyncio.wait([watching])
