"""Where results go: standard output, or files that nobody else can read and that are never overwritten by accident."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from .errors import OutputError, UsageError
from .notices import notice

__all__ = ["check_target", "is_terminal", "write_file", "write_octets", "write_secret", "write_text"]

_PRIVATE, _PUBLIC = 0o600, 0o644


def is_terminal() -> bool:
    """Tell whether a person reads standard output."""
    return sys.stdout.isatty()


def write_text(text: str) -> None:
    """Write a line, or several, to standard output."""
    print(text)


def write_octets(octets: bytes) -> None:
    """Write binary content to standard output. Raises ``UsageError`` if a person would see it."""
    if is_terminal():
        raise UsageError("This is binary, which a terminal cannot show: name a file with --out.")
    sys.stdout.flush()
    sys.stdout.buffer.write(octets)


def write_secret(octets: bytes) -> None:
    """Write a private key in text form to standard output; say so where a person can see it."""
    write_text(octets.decode("ascii").rstrip("\n"))
    if is_terminal():
        notice("This is a private key: whoever has seen it can use it.")


def check_target(path: str | None, *, force: bool) -> None:
    """Raise ``OutputError`` if a file would be overwritten, before any work is done."""
    if path is None or not os.path.lexists(path):
        return
    if Path(path).is_dir():
        raise OutputError(f"{path!r} is a directory: name a file in it.")
    if not force:
        raise OutputError(f"{path!r} exists already; --force overwrites it.")
    if not Path(path).is_file():
        raise OutputError(f"{path!r} is no ordinary file.")


def write_file(path: str, octets: bytes, *, private: bool, force: bool) -> None:
    """Write a file as a whole or not at all, readable for its owner alone if it is private.

    Raises:
        OutputError: If it exists and ``force`` is not given, or cannot be written.
    """
    check_target(path, force=force)
    target = Path(path)
    temporary: str | None = None
    try:
        # Made by mkstemp, it has never been open to others, whatever stood at the path before.
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:64]}.")
        with os.fdopen(handle, "wb") as file:
            file.write(octets)
        Path(temporary).chmod(_PRIVATE if private else _PUBLIC)
        if force:
            Path(temporary).replace(target)
        else:
            os.link(temporary, target)  # unlike a rename, this fails if the file has come to be meanwhile
    except OSError as error:
        raise OutputError(f"{path!r} cannot be written: {error.strerror or 'the system refused'}.") from None
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
