"""Reading ``text/event-stream`` (HTML, "Server-sent events") as it comes in, from somebody who may mean no good."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import msgspec

from .errors import MalformedStreamError

__all__ = ["EventStream", "Inflater", "StreamEvent"]

_PIECE = 65_536
_BOM = b"\xef\xbb\xbf"


class StreamEvent(msgspec.Struct, frozen=True, gc=False):
    """An event as it was sent. Nothing about it is known to be true.

    Attributes:
        name: What it calls itself.
        data: What it carries.
    """

    name: str
    data: bytes


class EventStream:
    """Makes events of octets, however they are cut. What is incomplete at the end is no event."""

    __slots__ = ("_after_return", "_begun", "_buffer", "_data", "_limit", "_name", "_size")

    def __init__(self, limit: int) -> None:
        """Take the longest line, and the most data of an event, in octets."""
        self._limit = limit
        self._buffer = bytearray()
        self._after_return = False
        self._begun = False
        self._name = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """Take what has come in; return the events that are complete with it.

        Raises:
            MalformedStreamError: If a line or an event is too long.
        """
        if self._after_return and chunk:
            # CR LF is one end of a line, also if it is cut in two.
            self._after_return = False
            chunk = chunk.removeprefix(b"\n")
        for line in self._lines(chunk):
            event = self._take(line)
            if event is not None:
                yield event

    def _lines(self, chunk: bytes) -> list[bytes]:
        buffer = self._buffer
        if b"\n" not in chunk and b"\r" not in chunk:
            buffer += chunk
            self._check(len(buffer))
            return []
        whole = bytes(buffer) + chunk
        buffer.clear()
        lines = whole.splitlines(keepends=True)
        self._after_return = whole.endswith(b"\r")
        if not whole.endswith((b"\n", b"\r")):
            buffer += lines.pop()
            self._check(len(buffer))
        return [line.rstrip(b"\r\n") for line in lines]

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise MalformedStreamError(f"An event of the stream is longer than {self._limit} octets.")

    def _take(self, line: bytes) -> StreamEvent | None:
        self._check(len(line))
        if not self._begun:
            self._begun = True
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatched()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._size += len(value) + 1
            self._check(self._size - 1)
            self._data.append(value)
        elif field == b"event":
            self._name = value
        # "id" is left alone: the position is in what was signed. So is "retry", and all that is not known.
        return None

    def _dispatched(self) -> StreamEvent | None:
        data, name = self._data, self._name
        self._data, self._name, self._size = [], b"", 0
        if not data:
            return None
        return StreamEvent(name.decode("ascii", "replace") or "message", b"\n".join(data))


class Inflater:
    """Takes off the compression of a stream, a piece at a time: what a little expands to is never all in memory."""

    __slots__ = ("_inflate",)

    def __init__(self, encoding: str) -> None:
        """Take the ``Content-Encoding``: ``gzip``, or empty for none. Raises ``MalformedStreamError`` for others."""
        if encoding not in {"", "identity", "gzip"}:
            raise MalformedStreamError("The stream is compressed in a way that was not asked for.")
        self._inflate = zlib.decompressobj(wbits=31) if encoding == "gzip" else None

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Take what has come in; return it expanded, in pieces. Raises ``MalformedStreamError`` if it is not gzip."""
        inflate = self._inflate
        if inflate is None:
            yield chunk
            return
        piece = b""
        while chunk or len(piece) == _PIECE:  # a full piece: there may be more of it than the input shows
            try:
                piece = inflate.decompress(chunk, _PIECE)
            except zlib.error:
                raise MalformedStreamError("The stream is not compressed as it says.") from None
            if inflate.eof:
                # Nothing may follow the end: the server never ends it.
                yield piece
                if inflate.unused_data:
                    raise MalformedStreamError("The stream goes on after its end.")
                return
            chunk = inflate.unconsumed_tail
            if piece:
                yield piece
