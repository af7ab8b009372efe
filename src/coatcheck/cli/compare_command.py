"""The command that a comparison was made with, so that a report tells how to repeat it, and nothing secret."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from shlex import join

from ..comparison.stores.opening import shown_store

__all__ = ["command_line"]


def command_line(*, claims: str | None, rate: float, stores: Sequence[str], quick: bool) -> str:
    """Return the command. Of a file only the name is said, and of an address no password.

    Raises:
        StoreError: If a store is none.
    """
    words = ["coatcheck", "compare"]
    if claims is not None:
        words += ["--claims", PurePath(claims).name or claims]
    words += ["--requests-per-second", f"{rate:g}"]
    for store in stores:
        words += ["--store", shown_store(store)]
    return join([*words, *(["--quick"] if quick else [])])
