"""A dictionary of this process."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext

from .base import Kind, Line

__all__ = ["MemoryStore"]


class MemoryStore:
    """Sessions in a dictionary: gone with the process, and unknown to every other."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.kind: Kind = "memory"
        self.name: str = "Memory"
        self.place: str = "a dictionary of this process"
        self.version: str = ""
        self._rows: dict[bytes, bytes] = {}

    def __repr__(self) -> str:
        return f"<MemoryStore of {len(self._rows)}>"

    def failures(self) -> AbstractContextManager[None]:
        """Do nothing: a dictionary does not fail."""
        return nullcontext()

    def fill(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Put something there."""
        self._rows.update(rows)

    def connect(self) -> Line:
        """Return the way to it."""
        return _MemoryLine(self._rows)

    def clear(self) -> None:
        """Forget all."""
        self._rows.clear()


class _MemoryLine:
    def __init__(self, rows: dict[bytes, bytes]) -> None:
        self._rows = rows

    def find(self, key: bytes) -> bytes | None:
        return self._rows.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        self._rows[key] = value

    def remove(self, key: bytes) -> None:
        self._rows.pop(key, None)

    def close(self) -> None:
        """Do nothing."""
