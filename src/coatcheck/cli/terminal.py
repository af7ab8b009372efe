"""The look of what is shown: the eight base colours, bold and dim, which hold on light and dark ground alike.

Everything that comes from outside goes through ``cell``, so that it can neither style nor steer the terminal.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from io import TextIOBase
from typing import IO, TextIO, cast

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .text import visible

__all__ = [
    "ASCII",
    "UNICODE",
    "Symbols",
    "cell",
    "grid",
    "heading",
    "make_console",
    "symbols_for",
    "width_of",
]

_WIDEST = 100
_KEPT = 46
_ROOMY = 72
_UNBOUNDED = 100_000
_FILLING = re.compile(r"(?: |\x1b\[[\d;]+m *\x1b\[0m)+(\x1b\[0m)?$", re.MULTILINE)  # blanks, coloured or not


class Symbols(msgspec.Struct, frozen=True, kw_only=True):
    """The signs that carry meaning beside the colour."""

    passed: str
    failed: str
    waiting: str
    warning: str
    note: str
    fix: str


UNICODE = Symbols(passed="✓", failed="✗", waiting="·", warning="!", note="i", fix="→")
ASCII = Symbols(passed="+", failed="x", waiting=".", warning="!", note="i", fix=">")


class _Trimmed(TextIOBase):
    """Standard output without the spaces that fill up the last column, which nobody has a use for."""

    def __init__(self, inner: TextIO) -> None:
        self._inner = inner

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._inner.encoding

    def write(self, text: str) -> int:
        return self._inner.write(_FILLING.sub(r"\1", text))

    def flush(self) -> None:
        self._inner.flush()

    def isatty(self) -> bool:
        return self._inner.isatty()


class _Pipe(Console):
    """A console that leaves it to the caller what to do when nobody reads any more."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def make_console() -> Console:
    """Return a console on standard output.

    On a terminal it is never wider than reads well; what goes elsewhere is plain, and no line is broken.
    """
    file = cast("IO[str]", _Trimmed(sys.stdout))
    console = _Pipe(file=file, highlight=False, markup=False, emoji=False, soft_wrap=False)
    console.width = min(console.width, _WIDEST) if sys.stdout.isatty() else _UNBOUNDED
    return console


def symbols_for(console: Console) -> Symbols:
    """Return the signs that the console's encoding has."""
    return UNICODE if console.encoding.lower().startswith("utf") else ASCII


def width_of(console: Console) -> int:
    """Return the width of the terminal; 0 where no line is broken."""
    return console.width if console.width <= _WIDEST else 0


def cell(text: str, style: str = "") -> Text:
    """Return foreign text, made harmless, in one style."""
    return Text(visible(text), style=style, overflow="fold")


def heading(title: str) -> Text:
    """Return the title of a section, with the empty line before it."""
    return Text(f"\n{title}", style="bold")


def grid(rows: Iterable[tuple[Text | str, ...]], *, fixed: int = 1, width: int = 0) -> Table:
    """Return rows in columns, set in by two.

    Args:
        rows: All of the same length.
        fixed: How many columns, from the left, do not wrap.
        width: That of the terminal, if the column after these is to be kept in one piece as far as possible, at the
            cost of the words in the last one, which wrap more gracefully.
    """
    entries = list(rows)
    columns = len(entries[0]) if entries else 0
    kept = max((len(entry[fixed]) for entry in entries), default=0) if width >= _ROOMY else None
    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(width=0)
    for position in range(columns):
        least = min(kept, _KEPT) if kept is not None and position == fixed else None
        table.add_column(no_wrap=position < fixed, overflow="fold", width=least)
    for entry in entries:
        table.add_row("", *entry)
    return table
