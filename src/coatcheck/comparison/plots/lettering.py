"""Text in a picture: how wide it is at most, where it has to break, and what does not fit.

A file cannot ask the reader's browser how wide its letters are. The widths here are a little above those of the usual
sans-serif faces, so that what does not touch here does not touch there either.
"""

from __future__ import annotations

import unicodedata
from typing import Final, Literal

from .markup import Markup, element, visible

__all__ = ["SIZES", "Anchor", "Kind", "fit", "middle_of", "text_width", "wrap", "write"]

Kind = Literal["label", "value", "tick", "head", "group", "note", "name"]
"""What a text in a picture is: its class, and by that its size."""

Anchor = Literal["start", "middle", "end"]

SIZES: Final[dict[str, float]] = {
    "label": 13.5,
    "value": 13.0,
    "tick": 11.5,
    "head": 11.5,
    "group": 12.0,
    "note": 11.5,
    "name": 12.5,
}
"""The size of each kind, in units of the picture. The style sheet says the same."""

ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
_BOLD: Final = {"label": 1.06, "value": 1.06, "group": 1.08, "name": 1.06}
"""How much wider a kind is where it is bold, if it ever is."""

_LONGEST: Final = 200
_WIDTHS: Final = {
    **dict.fromkeys("ijl'|", 0.26),
    **dict.fromkeys(" ft.,:;!/\\[]I", 0.32),
    **dict.fromkeys('r-()`"{}*\N{NO-BREAK SPACE}\N{MIDDLE DOT}', 0.40),
    **dict.fromkeys("ckszvxyJ", 0.55),
    **dict.fromkeys("0123456789abdeghnopqu+=<>~#$?_L\N{MICRO SIGN}", 0.62),
    **dict.fromkeys("FTZEABKPSVXY&", 0.75),
    **dict.fromkeys("wCDHNRUGOQ", 0.82),
    **dict.fromkeys("mMW%@\N{HORIZONTAL ELLIPSIS}", 1.04),
}


def text_width(text: str, kind: Kind) -> float:
    """Return how wide a text is at most, in units of the picture."""
    units = sum(_WIDTHS.get(letter) or _other(letter) for letter in text)
    return units * SIZES[kind] * _BOLD.get(kind, 1.0)


def middle_of(text: str, kind: Kind, x: float, *, width: float) -> float:
    """Return where to have the middle of a text that belongs to ``x``: further inwards at an edge of the picture."""
    half = text_width(text, kind) / 2
    return min(max(x, half), width - half)


def fit(text: str, kind: Kind, width: float) -> str:
    """Return the text, or as much of its beginning as fits with an ellipsis; nothing if not even that does."""
    # A name of a megabyte is not measured to its end: nobody sees more than a line or two of it.
    kept = visible(text[:_LONGEST])
    if len(text) <= _LONGEST and text_width(kept, kind) <= width:
        return kept
    while kept and text_width(kept.rstrip() + ELLIPSIS, kind) > width:
        kept = kept[:-1]
    return kept.rstrip() + ELLIPSIS if kept else ""


def wrap(text: str, kind: Kind, width: float, *, lines: int = 2) -> tuple[str, ...]:
    """Return the text in at most so many lines, none wider than ``width``; what is too much ends in an ellipsis."""
    words = [visible(word) for word in text[: _LONGEST * lines].split()]
    done: list[str] = []
    while words and len(done) < lines - 1:
        line = words.pop(0)
        while words and text_width(f"{line} {words[0]}", kind) <= width:
            line += f" {words.pop(0)}"
        done.append(fit(line, kind, width))
    rest = " ".join(words)
    return (*done, fit(rest, kind, width)) if rest else tuple(done)


def write(text: str, kind: Kind, *, x: float, y: float, anchor: Anchor = "start", more: str = "") -> Markup:
    """Return a line of text whose baseline begins, has its middle or ends at a point.

    Args:
        text: What it says.
        kind: What it is.
        x: Where it is anchored.
        y: Its baseline.
        anchor: Which part of it is at ``x``.
        more: More classes.
    """
    return element(
        "text",
        text,
        class_=f"{kind} {more}".strip(),
        x=x,
        y=y,
        text_anchor=anchor if anchor != "start" else None,
    )


def _other(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0.0
    return 1.4 if unicodedata.east_asian_width(letter) in {"W", "F"} or ord(letter) > 0xFFFF else 1.05
