"""The wall clock, behind one name, so that every verifier can be given another."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Clock", "system_clock"]

Clock = Callable[[], float]
"""Returns the current time in seconds since 1970-01-01T00:00:00Z, as ``time.time`` does."""

system_clock: Clock = time.time
