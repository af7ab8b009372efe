"""What is said beside the result: on standard error, if there is one."""

from __future__ import annotations

import sys

from .text import visible

__all__ = ["end_line", "notice"]


def notice(message: str) -> None:
    """Write one line to standard error, made harmless."""
    if sys.stderr is not None:  # it is closed, and print would fall back to standard output
        print(visible(message), file=sys.stderr)


def end_line() -> None:
    """Leave the line on which a person has interrupted something."""
    if sys.stderr is not None and sys.stderr.isatty():
        print(file=sys.stderr)
