"""Records in memory: for tests, and gone with the process."""

from __future__ import annotations

from .storage import MemoryStorage

__all__ = ["MemoryStorage"]
