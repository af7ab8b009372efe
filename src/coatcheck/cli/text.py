"""Making hostile text harmless: what a token says must not move the cursor, change colours or reorder the line."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

__all__ = ["as_json", "in_commands", "readable", "shortened", "visible"]

# Control, format (bidi, zero width), surrogate, private, unassigned, line and paragraph separators.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_COMMANDS = (
    (re.compile(r"Key\.generate\('([\w+-]+)'\)"), r"coatcheck key generate \1"),
    (re.compile(r"\balg='([\w+-]+)'"), r"--alg \1"),
    (re.compile(r"\balg=\.\.\."), "--alg"),
    (re.compile(r"\bmax_decompressed\b"), "--max-decompressed"),
)
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


def readable(text: str) -> str:
    """Do the same, but keep line breaks and tabs: for content of several lines."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join("\t".join(visible(cell) for cell in line.split("\t")) for line in lines)


def in_commands(message: str) -> str:
    """Say in the words of the command line what an error says in those of the library."""
    for pattern, replacement in _COMMANDS:
        message = pattern.sub(replacement, message)
    return message


def shortened(text: str, limit: int = 400) -> str:
    """Return the text, or its beginning and how long it is."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def as_json(value: Any, *, indent: int | None = None) -> str:
    """Write a value as JSON of nothing but ASCII, which is safe on any terminal."""
    return json.dumps(value, indent=indent, ensure_ascii=True, default=str)


def _escaped(character: str) -> str:
    point = ord(character)
    if point < 0x100:
        return {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(character, f"\\x{point:02x}")
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
