"""Taking turns: so many at once, and whoever comes first goes first."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator

from .actions import Bell, Wait

__all__ = ["Turns"]


class Turns:
    """So many places, and a bounded queue of those who wait for one.

    A place that becomes free goes to whoever waits longest: nobody who comes later gets in between. So whoever floods
    makes others wait for as many turns as there are in the queue before theirs, and shuts nobody out.
    """

    __slots__ = ("_free", "_lock", "_places", "_queue", "_room")

    def __init__(self, places: float, *, room: float) -> None:
        """Take how many places there are, and for how many there is room in the queue."""
        self._places = places
        self._room = room
        self._lock = threading.Lock()
        self._free = places
        self._queue: deque[Bell] = deque()

    def renew(self) -> None:
        """Begin with all places free: after a fork, those who had them are in another process."""
        self._lock, self._free, self._queue = threading.Lock(), self._places, deque()

    def take(self, *, within: float) -> Generator[Wait, object, bool]:
        """Wait for a place, for so many seconds. Tells whether there is one; then it has to be given back."""
        with self._lock:
            if self._free >= 1:
                self._free -= 1
                return True
            if len(self._queue) >= self._room:
                return False
            mine = Bell()
            self._queue.append(mine)
        has_waited = False
        try:
            yield Wait(within, mine)
            has_waited = True
        finally:
            with self._lock:
                has_place = mine.rung  # perhaps in the very moment in which the time was up
                if not has_place and mine in self._queue:
                    self._queue.remove(mine)
            if has_place and not has_waited:
                self.give_back()  # whoever waited was cancelled
        return has_place

    def give_back(self) -> None:
        """Give a place back: it is that of the next in the queue."""
        with self._lock:
            if self._queue:
                self._queue.popleft().ring()
            else:
                self._free += 1
