"""The time here, and what can be known of the time at the server."""

from __future__ import annotations

import math
import time
from typing import Final

import msgspec

from .._core.clock import Clock, monotonic_clock

__all__ = ["Moment", "ServerClock", "ticks"]

_TOLERATED: Final = 1.0


def _ticks() -> Clock:
    # A machine that slept has missed what was revoked meanwhile: its sleep has to count.
    boot_time = getattr(time, "CLOCK_BOOTTIME", None)
    if boot_time is None:
        return monotonic_clock
    return lambda: time.clock_gettime(boot_time)


ticks: Clock = _ticks()
"""Returns seconds since some moment. It never goes back, and where the system can tell, it counts the time asleep."""


class Moment(msgspec.Struct, frozen=True, gc=False):
    """A moment here, by two clocks.

    Attributes:
        wall: Seconds since 1970, as far as the clock here is right.
        ticks: Seconds since some other moment; never go back.
    """

    wall: float
    ticks: float


class ServerClock:
    """What can be known of the server's clock, from what it says and when it says it.

    An answer to a question, bound to it by a nonce, was given between sending and receiving: that bounds the server's
    time from both sides. Whatever comes later without being asked for may have been held back on its way. It can move
    the clock forwards only, because nothing is said before its time; that it comes late shows as age.
    """

    __slots__ = ("_received", "_said", "_sent")

    def __init__(self) -> None:
        self._said = -math.inf
        self._sent = self._received = -math.inf

    def answered(self, said: float, *, sent: Moment, received: Moment) -> None:
        """Take note of an answer: the server's time in it, when it was asked for and when it came."""
        self._said, self._sent, self._received = said, sent.ticks, received.ticks

    def heard(self, said: float, at: Moment) -> None:
        """Take note of a statement that nobody asked for."""
        if said > self.latest(at.ticks):
            self._said, self._sent, self._received = said, at.ticks, at.ticks

    def latest(self, now: float) -> float:
        """Return the latest time that it can be at the server."""
        return self._said + (now - self._sent)

    def earliest(self, now: float) -> float:
        """Return the earliest time that it can be at the server."""
        return self._said + (now - self._received)

    def offset(self, at: Moment) -> float:
        """Return how far the server's clock is ahead; 0 if the difference may be less than a second."""
        least, most = self.earliest(at.ticks) - at.wall, self.latest(at.ticks) - at.wall
        if math.isnan(least) or (least <= _TOLERATED and most >= -_TOLERATED):
            return 0.0
        return (least + most) / 2
