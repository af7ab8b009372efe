"""Connections that take too much time, by sending a request octet by octet, or too much memory, by never ending one.

Whoever reads a body sees to its size and time. What comes before one, and what comes after an answer, nobody has asked
for: it is bounded here. uvicorn's own protocol keeps every header that arrives, for as long as they arrive.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["HEAD_OCTETS", "HEAD_TIMEOUT", "BoundedProtocol"]

HEAD_OCTETS = 65_536
"""Of a request line with its headers, or of trailers. Browsers send one or two thousand."""

HEAD_TIMEOUT = 15.0
"""Seconds in which a connection must bring a request as far as its body."""

# RFC 6585 section 5
_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_MOST_HELD: Final = (
    65_536  # octets: more is handed on at once, so that a reader who is slow holds up the writer
)


class _Joining:
    """A transport that hands on at once what is written within one turn of the event loop.

    uvicorn writes the head of an answer and its body one after the other, which is two system calls and two packets.
    They cost as much as all that uvicorn itself does.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._octets = 0
        self.is_closing = transport.is_closing
        self.get_extra_info = transport.get_extra_info

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Hold this back until the turn ends, or ``flush``."""
        if not self._held:
            self._loop.call_soon(self.flush)
        self._held.append(data)
        self._octets += len(data)
        if self._octets > _MOST_HELD:
            self.flush()

    def flush(self) -> None:
        """Hand on what is held back."""
        if self._held:
            data, self._held, self._octets = b"".join(self._held), [], 0
            self._transport.write(data)

    def close(self) -> None:
        """Close, after what was written."""
        self.flush()
        self._transport.close()


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 whose requests begin within bounded octets and seconds (CWE-400, "slowloris").

    A connection that does not bring a request in time is closed without a word. Trailers are left out: uvicorn would
    put them among the headers, behind those that a proxy has written (RFC 9110 section 6.5.1).
    """

    _deadline: asyncio.TimerHandle | None = None
    _in_head = True
    _got_on = False
    _octets = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        self._joining = _Joining(transport, self.loop)
        super().connection_made(cast("asyncio.Transport", self._joining))
        self._wait_for_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what arrived, unless too much has arrived by now without the request getting on."""
        self._got_on = False
        super().data_received(data)
        # A piece in which it gets on is not counted: none is larger than what the event loop reads at once.
        self._octets = 0 if self._got_on else self._octets + len(data)
        if self._octets > HEAD_OCTETS and not self.transport.is_closing():
            if not self._is_answering():
                self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, and no trailer."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Note that the head has arrived."""
        self._in_head, self._got_on = False, True
        self._stop_waiting()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Note that the body gets on."""
        self._got_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that what comes next is another request."""
        self._in_head = self._got_on = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Note that the connection is free for another request."""
        self._joining.flush()
        super().on_response_complete()
        if not self._is_answering() and not self.transport.is_closing():
            self._wait_for_request()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _wait_for_request(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(HEAD_TIMEOUT, self._close_if_idle)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close_if_idle(self) -> None:
        if not self._is_answering():
            self.transport.close()
