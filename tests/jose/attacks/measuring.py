"""How much memory a call takes. Tests count memory and operations, not seconds, so that slow machines pass."""

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager


class Peak:
    """The most octets that were held at once inside the block, beyond what was held before."""

    octets = 0


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Measure the block."""
    peak = Peak()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        yield peak
        peak.octets = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
