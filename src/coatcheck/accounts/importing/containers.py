"""Cutting a stream of octets into rows: CSV with a header, JSON lines, or one JSON document. Rows are bounded."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

from ..errors import ImportRefusedError

__all__ = ["HEAD_OCTETS", "Container", "Unreadable", "detect", "read_cells", "read_lines", "read_objects"]

HEAD_OCTETS = 4096
_LONGEST_ROW = 65_536
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_USERS = re.compile(rb'\{\s*"users"\s*:\s*\[')


class Container(StrEnum):
    """How rows stand in a file."""

    CSV = "csv"
    JSON_LINES = "json-lines"
    JSON_DOCUMENT = "json"


class Unreadable(str):
    """What stands for a row that cannot be cut out: the reason."""

    __slots__ = ()


def detect(head: bytes) -> Container:
    """Tell how rows stand in a file by its first octets; some four thousand are enough.

    Raises:
        ImportRefusedError: If it is empty, compressed, in UTF-16 or no text at all.
    """
    if head.startswith((b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd")):
        raise ImportRefusedError("the file is compressed: unpack it first", row=1)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ImportRefusedError("the file is in UTF-16: save it in UTF-8", row=1)
    text = head.removeprefix(_BYTE_ORDER_MARK).lstrip()
    if not text:
        raise ImportRefusedError("the file is empty", row=1)
    if any(octet < 0x20 and octet not in b"\t\r\n\f" for octet in text):
        raise ImportRefusedError("the file is not text", row=1)
    if text.startswith(b"["):
        return Container.JSON_DOCUMENT
    if not text.startswith(b"{"):
        return Container.CSV
    first, newline, _ = text.partition(b"\n")
    is_line = bool(newline) and first.rstrip().endswith(b"}") and not _USERS.match(text)
    return Container.JSON_LINES if is_line else Container.JSON_DOCUMENT


def read_lines(chunks: Iterable[bytes]) -> Iterator[bytes | Unreadable]:
    """Return the lines of a stream with their ends. One that is too long is skipped."""
    pending, too_long = b"", False
    for chunk in _without_mark(chunks):
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            whole = pending + line
            # A line may be cut anywhere: it is measured when it has ended as well as while it grows.
            yield _TOO_LONG if too_long or len(whole) > _LONGEST_ROW else whole + b"\n"
            pending, too_long = b"", False
        pending, too_long = (
            (b"", True) if len(pending) + len(rest) > _LONGEST_ROW else (pending + rest, too_long)
        )
    if pending or too_long:
        yield _TOO_LONG if too_long else pending


def read_cells(chunks: Iterable[bytes]) -> Iterator[list[str] | Unreadable]:
    """Return the rows of a CSV stream (RFC 4180), the header too. Cells may hold line ends between quotes.

    What is not UTF-8 comes out as half surrogate pairs. After a mistake in the quotes nothing more is read: nobody
    could tell any more what is a row.
    """
    lines = _Lines(chunks)
    try:
        for cells in csv.reader(lines, strict=True):
            lines.octets_of_row = 0
            if cells:
                yield cells
    except csv.Error:
        yield Unreadable("the quotes are wrong, or a row is too long; nothing was read from here on")


class _Lines:
    """The lines of a CSV stream as text. One row may be many of them, but not too many."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._lines = read_lines(chunks)
        self.octets_of_row = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        if isinstance(line, Unreadable):
            raise csv.Error(line)
        self.octets_of_row += len(line)
        if self.octets_of_row > _LONGEST_ROW:
            raise csv.Error(_TOO_LONG)
        return line.decode("utf-8", "surrogateescape")


def read_objects(chunks: Iterable[bytes]) -> Iterator[bytes | Unreadable]:
    """Return the text of each object in a JSON document, without having all of it in memory.

    The objects stand in an array, in the array ``users`` of an object, or one behind the other. What stands between
    them, and is no object, comes out as unreadable.

    Args:
        chunks: The document. The first chunk is long enough to show which of the three it is.
    """
    splitter: _Splitter | None = None
    for chunk in _without_mark(chunks):
        splitter = splitter or _Splitter(_depth_of_objects(chunk))
        yield from splitter.feed(chunk)
    if splitter is not None and not splitter.is_complete:
        yield Unreadable("the file ends in the middle")


def _depth_of_objects(head: bytes) -> int:
    text = head.lstrip()
    if _USERS.match(text):
        return 2
    return 1 if text.startswith(b"[") else 0


class _Splitter:
    """Follows the brackets of a JSON text and cuts out the objects at one depth."""

    # A backslash goes with what it escapes; at the end of a chunk that is in the next one.
    _TOKENS = re.compile(rb'\\.?|["{}\[\]]', re.DOTALL)

    def __init__(self, base: int) -> None:
        self._base = base
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._object: bytearray | None = None
        self._has_ended = False

    @property
    def is_complete(self) -> bool:
        """Whether everything that was opened has been closed."""
        return self._has_ended or (self._base == self._depth == 0 and not self._in_string)

    def feed(self, chunk: bytes) -> Iterator[bytes | Unreadable]:
        """Return the objects that end in this chunk."""
        begin = 0  # of what has not been looked at: of an object, or between objects
        start, self._escaped = int(self._escaped), False
        for token in self._TOKENS.finditer(chunk, start):
            mark = token[0]
            if mark.startswith(b"\\"):
                self._escaped = len(mark) == 1
            elif mark == b'"':
                self._in_string = not self._in_string
            elif not self._in_string and not self._has_ended:
                text = chunk[begin : token.start()]
                if mark in b"{[":
                    yield from self._open(mark, text)
                else:
                    yield from self._close(text)
                begin = token.start() if self._object is not None else token.end()
        yield from self._pass(chunk[begin:])

    def _open(self, mark: bytes, text: bytes) -> Iterator[Unreadable]:
        yield from self._pass(text)
        if self._depth == self._base and mark == b"{":
            self._object = bytearray()
        elif self._depth >= self._base and self._object is None:
            yield _NO_OBJECT
        self._depth += 1

    def _close(self, text: bytes) -> Iterator[bytes | Unreadable]:
        yield from self._pass(text)
        self._depth -= 1
        if self._object is not None and self._depth == self._base:
            found, self._object = bytes(self._object) + b"}", None
            yield found if len(found) <= _LONGEST_ROW else _TOO_LONG
        elif self._depth < self._base:
            # Behind the users there may be other members, but behind an array there is nothing.
            self._has_ended = True
            if self._base == 0:
                yield Unreadable("the brackets do not match; nothing was read from here on")

    def _pass(self, text: bytes) -> Iterator[Unreadable]:
        """Take text without brackets: a part of an object, or what stands between two of them."""
        if self._object is not None:
            if len(self._object) <= _LONGEST_ROW:  # else it is long enough to be refused
                self._object += text
        elif self._is_between and text.strip(b", \t\r\n"):
            yield _NO_OBJECT

    @property
    def _is_between(self) -> bool:
        return self._base < 2 if self._has_ended else self._depth == self._base


def _without_mark(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Leave out the byte order mark that some programs write before UTF-8."""
    is_first = True
    for chunk in chunks:
        yield chunk.removeprefix(_BYTE_ORDER_MARK) if is_first else chunk
        is_first = False


_TOO_LONG = Unreadable(f"longer than {_LONGEST_ROW} octets")
_NO_OBJECT = Unreadable("not a JSON object")
