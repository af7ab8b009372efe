"""Cookies (rfc6265bis): what they are called, their attributes, and how they are found in a header."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

import msgspec

from .errors import CookieTooLargeError

__all__ = ["MAX_OCTETS", "Cookie", "find_cookie"]

MAX_OCTETS = 4096
"""Of name and value together: browsers drop a larger cookie without a word (rfc6265bis section 5.6)."""

_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]*")  # rfc6265bis section 4.1.1, cookie-octet


class Cookie(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of cookie. All are for this host and all of its paths, and travel over https only.

    Attributes:
        name: Begins with ``__Host-``, so that no other host and no plain-text page can set it.
        same_site: When it is sent along from other sites.
        http_only: Whether page scripts cannot read it.
    """

    name: str
    same_site: Literal["Lax", "Strict"] = "Lax"
    http_only: bool = True

    def set(self, value: str, *, max_age: int | None = None) -> str:
        """Return the value of a ``Set-Cookie`` header.

        Args:
            value: The value.
            max_age: For how many seconds; ``None`` until the browser is closed.

        Raises:
            CookieTooLargeError: If name and value exceed 4096 octets.
            ValueError: If the value has a character that no cookie can have.
        """
        if not _VALUE.fullmatch(value):
            raise ValueError("not a cookie value")
        size = len(self.name) + len(value)
        if size > MAX_OCTETS:
            raise CookieTooLargeError(
                f"The cookie {self.name} would have {size} octets; browsers keep at most {MAX_OCTETS}."
            )
        lifetime = "" if max_age is None else f"; Max-Age={max_age}"
        script = "; HttpOnly" if self.http_only else ""
        return f"{self.name}={value}; Path=/{lifetime}; Secure{script}; SameSite={self.same_site}"

    def clear(self) -> str:
        """Return the value of the ``Set-Cookie`` header that removes it."""
        return self.set("", max_age=0)


def find_cookie(header: bytes, name: str) -> str | None:
    """Return the value of a cookie in a ``Cookie`` header; ``None`` if it is not there, or is there twice.

    A browser never sends a ``__Host-`` cookie twice. Two values come from somebody who tosses cookies, and it is not
    for the server to guess which one is meant.
    """
    found = _pattern(name).findall(header)
    return found[0].strip(b" \t").decode("latin-1") if len(found) == 1 else None


@lru_cache(maxsize=64)
def _pattern(name: str) -> re.Pattern[bytes]:
    # The spaces after the value are stripped outside: a pattern that also ends in spaces takes quadratic time.
    return re.compile(rb"(?:^|;)[ \t]*" + re.escape(name.encode("ascii")) + rb"=([^;]*)")
