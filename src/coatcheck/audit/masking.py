"""Showing that something is there without showing it. A report may be read by many, and kept for long."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

__all__ = ["Redactor", "looks_secret", "masked", "name_of"]

_SHOWN = 4
_LONG_ENOUGH = 20  # of which four characters tell nothing that helps to guess the others
_LONGEST_NAME = 60
_SHORTEST_SECRET = 4
_OPAQUE = re.compile(r"[\w\-.~+=:%!@$*,;]{16,}")
_WORD = r"(?:[a-z]{1,15}|[A-Z]{1,15}|[A-Z][a-z]{1,14}|\d{1,4})"
_WORDS = re.compile(rf"[_.]{{0,2}}{_WORD}(?:[-_.]{_WORD})*")
_TOKEN = re.compile(r"(?:eyJ|eyA|ewo|ewk|ew0)[\w-]{5,}\.")


def masked(value: str) -> str:
    """Return the first characters of a long secret, none of a short one, and the length of a long one."""
    if len(value) < _LONG_ENOUGH:
        return "…"
    return f"{value[:_SHOWN]}… ({len(value):,} characters)"


def looks_secret(text: str) -> bool:
    """Tell whether a part of a path, or a name, may be a secret rather than words or a number."""
    if _TOKEN.match(text):
        return True
    if not _OPAQUE.fullmatch(text) or _WORDS.fullmatch(text):
        return False
    has_digit = any(character.isdigit() for character in text)
    return has_digit or (len(text) >= 24 and text.lower() != text)


def name_of(name: str) -> str:
    """Return a foreign name, cut to a length that can be read; one that looks like a secret is masked."""
    if looks_secret(name):
        return f"{name[:_SHOWN]}…"
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


class Redactor:
    """Takes known secrets out of any text, as they are and as they stand in an address."""

    __slots__ = ("_by_beginning",)

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
        known |= {quote(secret, errors="replace") for secret in known}
        self._by_beginning: dict[str, list[str]] = {}
        for secret in sorted(known, key=lambda secret: (-len(secret), secret)):
            self._by_beginning.setdefault(secret[:_SHORTEST_SECRET], []).append(secret)

    def __call__(self, text: str) -> str:
        """Return the text with an ellipsis in the place of each secret, the longest that fits."""
        kept: list[str] = []
        position = 0
        while position < len(text):
            candidates = self._by_beginning.get(text[position : position + _SHORTEST_SECRET], ())
            found = next((secret for secret in candidates if text.startswith(secret, position)), None)
            kept.append(text[position] if found is None else "…")
            position += 1 if found is None else len(found)
        return "".join(kept)
