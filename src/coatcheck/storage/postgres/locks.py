"""Who may write at the same time: advisory locks that a transaction holds until its end.

A transaction of nobody in particular has the world for itself. One of a user shares the world, and has that user for
itself. So what a transaction reads in order to decide does not change before it commits, whichever node changes it.
The locks are taken in one order, so no two transactions wait for each other's.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

__all__ = ["MIGRATION", "begin"]


def _number(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8, person=b"coatcheck").digest(), signed=True)


_WORLD: Final = _number("the world")
MIGRATION: Final = _number("the schema")
"""The lock of whoever brings the schema up to date."""


def begin(of: Sequence[str]) -> str:
    """Return what begins a transaction and waits for its locks, in one message to the server.

    Args:
        of: Whose it is; of nobody for one that is alone.
    """
    if not of:
        return f"BEGIN; SELECT pg_advisory_xact_lock({_WORLD})"
    # Two names may have one number: they wait for each other then, which is harmless.
    own = sorted({_number(f"of {name}") for name in of} - {_WORLD})
    locks = "".join(f"; SELECT pg_advisory_xact_lock({number})" for number in own)
    return f"BEGIN; SELECT pg_advisory_xact_lock_shared({_WORLD}){locks}"
