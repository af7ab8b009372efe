"""What the system knows of this process."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["process_facts"]

_SELF: Final = Path("/proc/self")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_STARTED: Final = time.time()


def process_facts() -> Iterator[tuple[str, float]]:
    """Yield figures by the names that all programs give them; those that the system does not tell are left out."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    yield "process_cpu_seconds", usage.ru_utime + usage.ru_stime
    yield "process_start_time_seconds", _STARTED
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield "process_max_fds", float("inf") if most == resource.RLIM_INFINITY else most
    try:
        pages = (_SELF / "statm").read_text(encoding="ascii").split()
        files = len(os.listdir(_SELF / "fd")) - 1  # noqa: PTH208 - one more is open to look
    except OSError:
        return  # not Linux
    yield "process_virtual_memory_bytes", int(pages[0]) * _PAGE
    yield "process_resident_memory_bytes", int(pages[1]) * _PAGE
    yield "process_open_fds", files
