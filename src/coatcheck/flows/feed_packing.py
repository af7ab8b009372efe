"""Events of the feed as octets: plain, and compressed once for all readers.

A gzip stream for each reader would take each of them 40 to 260 KiB and compress every event as often as there are
readers. But the members of a deflate stream are blocks, and blocks that refer to nothing before them fit into any
stream (RFC 1951 section 3.2). So there are two ways in which an event is packed, both once:

- *alone*, referring to nothing: for what a reader gets before it has caught up.
- *live*, referring to the live events before it. It fits where those went before, which is so for all readers that were
  there since the stream was last begun anew; and it is begun anew whenever one comes.

What a reader needs for itself are a checksum and a length (RFC 1952 section 2.3.1).
"""

from __future__ import annotations

import zlib
from typing import Final

__all__ = ["Frame", "Gzip", "LiveStream", "pack_alone"]

_LEVEL: Final = 6
_RAW: Final = -15  # deflate without a wrapper
_HEAD: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LAST_BLOCK: Final = b"\x03\x00"


class Frame:
    """One event, ready to be sent.

    Attributes:
        plain: Its text.
        live: What of the stream of live events stands for it; empty if nobody wanted that.
    """

    __slots__ = ("_alone", "live", "plain")

    def __init__(self, plain: bytes) -> None:
        self.plain: bytes = plain
        self.live: bytes = b""
        self._alone = b""

    @property
    def alone(self) -> bytes:
        """It, packed so that it fits into any stream."""
        if not self._alone:
            self._alone = pack_alone(self.plain)
        return self._alone


def pack_alone(plain: bytes) -> bytes:
    """Return text as deflate blocks that refer to nothing before them, and do not end the stream."""
    stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
    return stream.compress(plain) + stream.flush(zlib.Z_SYNC_FLUSH)


class LiveStream:
    """The compressed stream that all readers share who have caught up."""

    __slots__ = ("_stream",)

    def __init__(self) -> None:
        self._stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)

    def restart(self) -> None:
        """Refer to nothing before from now on: somebody comes who does not have it."""
        self._stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)

    def pack(self, frame: Frame) -> None:
        """Set what stands for a frame. Every frame goes through once, in the order in which all get them."""
        frame.live = self._stream.compress(frame.plain) + self._stream.flush(zlib.Z_SYNC_FLUSH)


class Gzip:
    """What one reader's gzip stream needs besides blocks: its beginning, and its end (RFC 1952)."""

    __slots__ = ("_checksum", "_length")

    head: Final = _HEAD

    def __init__(self) -> None:
        self._checksum = 0
        self._length = 0

    def count(self, plain: bytes) -> None:
        """Note text whose blocks are being sent."""
        self._checksum = zlib.crc32(plain, self._checksum)
        self._length += len(plain)

    def tail(self) -> bytes:
        """Return the end of the stream."""
        length = self._length & 0xFFFF_FFFF
        return _LAST_BLOCK + self._checksum.to_bytes(4, "little") + length.to_bytes(4, "little")
