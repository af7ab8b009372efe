"""A small disk that can be filled to the last octet."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.web.client import UnexpectedAnswerError

_PIECE = bytes(1 << 16)


class Disk:
    """A file system of its own."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._ballast = place / "ballast"

    def fill(self) -> None:
        """Leave no room at all."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (len(_PIECE), 4096, 512, 1):
                try:
                    while file.write(_PIECE[:size]) == size:
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        """Make room again."""
        self._ballast.unlink(missing_ok=True)


@contextmanager
def disk(place: Path, *, megabytes: int) -> Iterator[Disk]:
    """Mount it until the block ends.

    Raises:
        UnexpectedAnswerError: If that is not allowed.
    """
    place.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "coatcheck-bench", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- as above
    if done.returncode or os.geteuid():
        raise UnexpectedAnswerError(f"no file system can be mounted: {done.stderr.strip()}")
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", "-l", str(place)], capture_output=True, check=False)  # noqa: S603, S607 -- as above
