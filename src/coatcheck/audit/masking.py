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
_OPAQUE = re.compile(r"[\w\-.~+=:%!@$*,;]{16,}")  # what stands between other characters
_WORD = r"(?:[a-z]{1,15}|[A-Z]{1,15}|[A-Z][a-z]{1,14}|\d{1,4})"
_WORDS = re.compile(rf"[_.]{{0,2}}{_WORD}(?:[-_.]{_WORD})*")
_TOKEN = re.compile(r"(?<!\w)(?:eyJ|eyA|ewo|ewk|ew0)[\w-]{5,}\.")


def masked(value: str) -> str:
    """Return the first characters of a long secret, none of a short one, and the length of a long one."""
    if len(value) < _LONG_ENOUGH:
        return "…"
    return f"{value[:_SHOWN]}… ({len(value):,} characters)"


def looks_secret(text: str) -> bool:
    """Tell whether a part of a path, or a name, may be a secret rather than words or a number."""
    return any(map(_is_secret, _OPAQUE.findall(text))) or _TOKEN.search(text) is not None


def _is_secret(text: str) -> bool:
    if _WORDS.fullmatch(text):
        return False
    has_digit = any(character.isdigit() for character in text)
    return has_digit or (len(text) >= 24 and text.lower() != text)


def name_of(name: str) -> str:
    """Return a foreign name, cut to a length that can be read; one that looks like a secret is masked."""
    if looks_secret(name):
        return "…"
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


class Redactor:
    """Takes known secrets out of any text, as they are and as they stand in an address."""

    __slots__ = ("_known", "_lengths")

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
        self._known: frozenset[str] = frozenset(known | {quote(secret, errors="replace") for secret in known})
        lengths: dict[str, set[int]] = {}
        for secret in self._known:
            lengths.setdefault(secret[:_SHORTEST_SECRET], set()).add(len(secret))
        # For each beginning, which lengths there are: a look-up for each of them, however many secrets begin so.
        self._lengths = {beginning: sorted(each, reverse=True) for beginning, each in lengths.items()}

    def __call__(self, text: str) -> str:
        """Return the text with an ellipsis in the place of each secret, the longest that fits."""
        kept: list[str] = []
        position = 0
        while position < len(text):
            found = self._at(text, position)
            kept.append("…" if found else text[position])
            position += found or 1
        return "".join(kept)

    def _at(self, text: str, position: int) -> int:
        """Return the length of the longest secret that stands there; 0 if none does."""
        lengths = self._lengths.get(text[position : position + _SHORTEST_SECRET], ())
        rest = len(text) - position
        return next(
            (each for each in lengths if each <= rest and text[position : position + each] in self._known), 0
        )
