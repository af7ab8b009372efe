"""Verified credentials, remembered within bounds.

Only what was verified gets in: nonsense displaces nothing. Somebody with many good credentials of their own displaces
little: what was seen once is kept apart from what was seen again, and both go half at a time, what is in use last.
"""

from __future__ import annotations

from typing import Generic, TypeVar

__all__ = ["Cache"]

V = TypeVar("V")


class Cache(Generic[V]):
    """A bounded mapping from texts to values, for many readers at once. None of them waits.

    Attributes:
        hot: What was seen again lately. Whoever is in a hurry looks here first, and calls ``recall`` after that.
    """

    __slots__ = ("_fresh", "_half", "_stale", "_warm", "hot")

    def __init__(self, size: int) -> None:
        """Take how many values it holds at most."""
        # A quarter each: two generations of what was seen once, and two of what was seen again.
        self._half = max(1, size // 4)
        self.hot: dict[str, V] = {}
        self._warm: dict[str, V] = {}
        self._fresh: dict[str, V] = {}
        self._stale: dict[str, V] = {}

    def __len__(self) -> int:
        return len(self.hot) + len(self._warm) + len(self._fresh) + len(self._stale)

    def recall(self, key: str) -> V | None:
        """Return what is remembered; ``None`` if nothing is."""
        value = self.hot.get(key)
        if value is not None:
            return value
        # A value may be found in an older place for a moment while it is moved: it is the same one.
        for older in (self._warm, self._fresh, self._stale):
            value = older.pop(key, None)
            if value is not None:
                self._heat(key, value)
                return value
        return None

    def _heat(self, key: str, value: V) -> None:
        hot = self.hot
        if len(hot) >= self._half:
            self._warm, self.hot = hot, {}
            hot = self.hot
        hot[key] = value

    def remember(self, key: str, value: V) -> None:
        """Remember a value that was not remembered."""
        fresh = self._fresh
        if len(fresh) >= self._half:
            self._stale, self._fresh = fresh, {}
            fresh = self._fresh
        fresh[key] = value

    def forget(self, key: str) -> None:
        """Forget a value, wherever it is."""
        for place in (self.hot, self._warm, self._fresh, self._stale):
            place.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self.hot, self._warm, self._fresh, self._stale = {}, {}, {}, {}
