"""The wall clock, behind one name, so that every verifier can be given another."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Clock", "monotonic_clock", "system_clock"]

Clock = Callable[[], float]
"""Returns the current time in seconds since 1970-01-01T00:00:00Z, as ``time.time`` does."""


def system_clock() -> float:
    """Return the current time. Looked up at every call, so that a test may freeze ``time.time``."""
    return time.time()


monotonic_clock = time.monotonic
"""Returns seconds since some moment, and never goes back: for spans, not for times."""
