"""The figures of all processes of one node: each writes its own into a folder that they share.

Whoever is asked writes its own down first, so that what was once told is never taken back, and adds up all that is
there. A process that has ended leaves what it counted. That it has ended is told by its lock on a file, which the
system takes away with the process, however that ended. What such processes counted is folded into one file, so that
one that dies and is started again and again does not fill the folder.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import msgspec

from ..._core.secrets import new_identifier
from .snapshots import Snapshot, merge, only_counted

__all__ = ["SharedFigures"]

_FIGURES: Final = ".figures"
_ALIVE: Final = ".alive"
_ENDED: Final = "ended"
_TRIES: Final = 50
_PAUSE: Final = 0.02  # seconds; a turn takes some milliseconds
_DECODER: Final = msgspec.msgpack.Decoder(Snapshot)


class SharedFigures:
    """The part of one process in the figures of a node."""

    def __init__(self, folder: Path) -> None:
        """Take where they are.

        Args:
            folder: Where the figures are: on this machine, and nobody else's.
        """
        self._folder = folder
        self._name = new_identifier()
        self._own = folder / f"{self._name}{_FIGURES}"
        self._alive: IO[bytes] | None = None

    def join(self) -> None:
        """Be known to be alive from now on, until ``close`` or the end of the process."""
        beside = self._folder / f"{self._name}.new"
        self._alive = beside.open("wb")
        fcntl.flock(self._alive, fcntl.LOCK_EX)
        # Only now it gets the name by which it is looked at: nobody takes the one for dead that has not locked it yet.
        beside.rename(self._folder / f"{self._name}{_ALIVE}")

    def publish(self, snapshot: Snapshot) -> None:
        """Write down the figures of this process, in the place of the earlier ones."""
        _write(self._own, snapshot)

    def together(self, own: Snapshot) -> Snapshot:
        """Return the figures of all processes. It may wait for another that is asked too: call it in a thread.

        Args:
            own: Those of this one, as they are now.
        """
        _write(self._own, own)
        with self._alone() as is_alone:
            if is_alone:
                self._fold()
            return merge(map(_read, sorted(self._folder.glob(f"*{_FIGURES}"))))

    def close(self) -> None:
        """Leave. What was counted stays."""
        if self._alive is not None:
            self._alive.close()

    def _fold(self) -> None:
        """Put what processes counted that have ended into one file."""
        ended = [file for file in self._folder.glob(f"*{_ALIVE}") if self._has_ended(file)]
        if not ended:
            return
        figures = [file.with_suffix(_FIGURES) for file in ended]
        kept = self._folder / f"{_ENDED}{_FIGURES}"
        sums = merge(only_counted(_read(file)) for file in (kept, *figures))
        # If this process is killed between the two, they are counted twice: rather that than a figure that goes back.
        _write(kept, sums)
        for file in (*figures, *ended):
            file.unlink(missing_ok=True)

    def _has_ended(self, file: Path) -> bool:
        if file.stem == self._name:
            return False
        with file.open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Keep others from folding meanwhile. Tells whether that worked: a process that stands still may be at it."""
        with (self._folder / "lock").open("wb") as lock:
            for _ in range(_TRIES):
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    time.sleep(_PAUSE)
                else:
                    yield True
                    return
            yield False


def _read(file: Path) -> Snapshot:
    """Read figures; none of a process that has written none yet."""
    try:
        return _DECODER.decode(file.read_bytes())
    except (FileNotFoundError, msgspec.DecodeError):
        return Snapshot()


def _write(file: Path, snapshot: Snapshot) -> None:
    """Write figures so that whoever is killed meanwhile leaves the earlier ones."""
    beside = file.with_name(f"{file.stem}-{new_identifier()}.new")
    beside.write_bytes(msgspec.msgpack.encode(snapshot))
    os.replace(beside, file)  # noqa: PTH105 - atomic, and says so
