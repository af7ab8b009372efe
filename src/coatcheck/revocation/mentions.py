"""What the ledger spoke of lately, and in which epoch: exact, whatever clocks say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["Mentions"]

_MOST: Final = 10_000


class Mentions:
    """The names that entries were about, each with the epoch that its latest entry led to.

    It is for what was looked up elsewhere and is kept: a session's record, an answer of the server. Such a thing has to
    be looked up again once the ledger has spoken of it, however the instants compare. Only so many names are kept; of
    what was looked up before one that is forgotten, everything counts as spoken of.
    """

    __slots__ = ("_all", "_epochs", "_most")

    def __init__(self, *, most: int = _MOST) -> None:
        """Take how many names to keep."""
        self._epochs: dict[str, int] = {}
        self._all = 0
        self._most = most

    def note(self, name: str, epoch: int) -> None:
        """Note that an entry was about this. Before the epoch is counted up, so that no reader misses it."""
        if len(self._epochs) >= self._most:
            self.note_all(epoch)
            self._epochs.clear()
        self._epochs[name] = epoch

    def note_all(self, epoch: int) -> None:
        """Note that an entry was about everything."""
        self._all = epoch

    def since(self, epoch: int, names: Iterable[str]) -> bool:
        """Tell whether the ledger may have spoken of any of these after an epoch."""
        return epoch < self._all or any(self._epochs.get(name, 0) > epoch for name in names)
