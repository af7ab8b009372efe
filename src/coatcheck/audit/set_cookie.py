"""Cookies as browsers read them (draft-ietf-httpbis-rfc6265bis-22 sections 5.6 and 5.8.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec

__all__ = ["SetCookie", "parse_cookies", "parse_date", "parse_set_cookie", "split_set_cookies"]

_MOST_COOKIES = 512
_MOST_ATTRIBUTES = 32
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(
    r"(?:[A-Za-z]{3,9},?\s{1,3})?(\d{1,2})[ -]([A-Za-z]{3})[A-Za-z]{0,6}[ -](\d{2,4})\s{1,3}(\d{1,2}):(\d\d):(\d\d)"
)
# The comma in a date is not followed by a name and an equals sign.
_BETWEEN = re.compile(r",\s{0,4}(?=[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}=)")
_NUMBER = re.compile(r"-?\d{1,256}")
_LARGEST = 10**15


class SetCookie(msgspec.Struct, frozen=True, kw_only=True):
    """A cookie as an answer sets it.

    Attributes:
        name: Its name.
        value: Its value.
        domain: The attribute without a leading dot, in small letters; empty if it is for one host alone.
        path: The attribute.
        secure: Whether it travels over TLS only.
        http_only: Whether scripts of pages cannot read it.
        same_site: The attribute in small letters; empty if there is none.
        max_age: Seconds it is kept; ``None`` if that is not said.
        expires: Seconds since 1970; ``None`` if that is not said, or cannot be read.
    """

    name: str
    value: str
    domain: str = ""
    path: str = ""
    secure: bool = False
    http_only: bool = False
    same_site: str = ""
    max_age: int | None = None
    expires: float | None = None

    @property
    def size(self) -> int:
        """Octets of name and value, which browsers limit."""
        return len(self.name.encode("utf-8", "replace")) + len(self.value.encode("utf-8", "replace"))

    def lifetime(self, now: float | None) -> float | None:
        """Return for how many seconds it is kept; ``None`` if until the browser closes, or if that is unknown."""
        if self.max_age is not None:
            return float(self.max_age)
        if self.expires is None or (now is None and self.expires > 0):
            return None
        return self.expires - (now or 0)

    def is_removal(self, now: float | None) -> bool:
        """Tell whether it takes the cookie away."""
        life = self.lifetime(now)
        return (life is not None and life <= 0) or not self.value.strip('" ') or self.value == "deleted"


def parse_set_cookie(text: str) -> SetCookie | None:
    """Read a ``Set-Cookie`` header; ``None`` if a browser would pass it over."""
    pair, *attributes = text.split(";", _MOST_ATTRIBUTES)
    name, equals, value = pair.partition("=")
    if not equals:
        name, value = "", pair
    name, value = name.strip(), value.strip()
    if not name and not value:
        return None
    given: dict[str, str] = {}
    for attribute in attributes:
        key, _, content = attribute.partition("=")
        given[key.strip().lower()] = content.strip()  # the last of equal names counts
    return SetCookie(
        name=name,
        value=value,
        domain=given.get("domain", "").lstrip(".").lower()[:255],
        path=given.get("path", ""),
        secure="secure" in given,
        http_only="httponly" in given,
        same_site=given.get("samesite", "").lower(),
        max_age=_number(given.get("max-age", "")),
        expires=parse_date(given.get("expires", "")),
    )


def _number(text: str) -> int | None:
    """Read seconds; browsers take those that are too large for the most that there is."""
    return max(-_LARGEST, min(_LARGEST, int(text))) if _NUMBER.fullmatch(text) else None


def parse_cookies(text: str) -> tuple[tuple[str, str], ...]:
    """Read a ``Cookie`` header."""
    pairs: list[tuple[str, str]] = []
    for piece in text.split(";", _MOST_COOKIES)[:_MOST_COOKIES]:
        name, equals, value = piece.partition("=")
        if piece.strip():
            pairs.append((name.strip(), value.strip()) if equals else ("", name.strip()))
    return tuple(pairs)


def parse_date(text: str) -> float | None:
    """Read the date of a cookie or of a header, in seconds since 1970; ``None`` if it is none."""
    found = _DATE.search(text[:64])
    if found is None or found[2].lower() not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(found[group]) for group in (1, 3, 4, 5, 6))
    if len(found[3]) == 2:
        year += 1900 if year >= 70 else 2000
    try:
        moment = datetime(year, _MONTHS.index(found[2].lower()) + 1, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return moment.timestamp()


def split_set_cookies(text: str) -> list[str]:
    """Take apart several ``Set-Cookie`` headers that were written as one, which RFC 9110 section 5.3 warns of."""
    return _BETWEEN.split(text)
