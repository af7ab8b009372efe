"""Making hostile text harmless: what a token says must not move the cursor, change colours or reorder the line."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby
from typing import Any

__all__ = ["pieces", "readable", "shortened", "spelled", "visible"]

# Control, format (bidi, zero width), surrogate, private, unassigned, line and paragraph separators.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_STRETCHES = re.compile(r"([ -~]*)([^ -~]*)")
_MOST_MARKS = 2  # accents on one letter; more pile up over other lines


def visible(text: str) -> str:
    """Return the text with everything that a terminal would obey, or not show, written as an escape."""
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        hidden = category in _INVISIBLE or (category == "Zs" and character != " ")
        shown.append(_escaped(character) if hidden or marks > _MOST_MARKS else character)
    return "".join(shown)


def pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the text that ``visible`` makes in pieces, each with whether it is escapes, so that these can be marked."""
    for plain, other in _STRETCHES.findall(text):
        if plain:
            yield plain, False
        for hidden, characters in groupby(other, key=lambda character: visible(character) != character):
            yield visible("".join(characters)), hidden


def readable(text: str) -> str:
    """Do the same, but keep line breaks and tabs: for content of several lines."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(visible(cell) for cell in line.split("\t")) for line in lines)


def shortened(text: str, limit: int = 400) -> str:
    """Return the text, or its beginning and how long it is."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def spelled(value: Any) -> str:
    """Write a value as JSON in its own letters. What a terminal would obey is the caller's to escape."""
    return json.dumps(value, ensure_ascii=False)


def _escaped(character: str) -> str:
    point = ord(character)
    if point < 0x100:
        return {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(character, f"\\x{point:02x}")
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
