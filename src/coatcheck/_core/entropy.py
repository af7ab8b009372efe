"""The operating system's cryptographic random generator, behind one name."""

from __future__ import annotations

from os import urandom

__all__ = ["random_bytes"]


def random_bytes(count: int) -> bytes:
    """Return ``count`` unpredictable bytes from the operating system."""
    return urandom(count)
