"""The forms of the claims that users make of themselves (OpenID Connect Core section 5.1)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Final
from urllib.parse import urlsplit

from .errors import InvalidProfileError

__all__ = [
    "checked_address",
    "checked_birthdate",
    "checked_locale",
    "checked_phone_number",
    "checked_text",
    "checked_url",
    "checked_zone",
]

_LONGEST_TEXT: Final = 200
_LONGEST_URL: Final = 2048
_ADDRESS: Final = ("formatted", "street_address", "locality", "region", "postal_code", "country")
_SEVERAL_LINES: Final = frozenset(_ADDRESS[:2])  # section 5.1.1: these may have line breaks
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS: Final = frozenset("\u200c\u200d")  # names in Persian and in Indic scripts are spelled with them
_YEAR: Final = re.compile(r"[0-9]{4}", re.ASCII)
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", re.ASCII)
_LEAP_YEAR: Final = 2000
_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]{0,31}(/[A-Za-z0-9_+\-]{1,31}){0,2}", re.ASCII)
_LOCALE: Final = re.compile(r"[A-Za-z]{2,8}([\-_][A-Za-z0-9]{1,8}){0,5}", re.ASCII)
_BETWEEN_DIGITS: Final = re.compile(r"[\s().\-/]")
_PHONE: Final = re.compile(r"\+[1-9][0-9]{4,14}(;ext=[0-9]{1,10})?", re.ASCII)
_URL: Final = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+", re.ASCII | re.IGNORECASE)


def checked_text(claim: str, value: object, *, lines: bool = False) -> str:
    """Return text in NFC without space around it.

    Raises:
        InvalidProfileError: If it is too long, or has characters that cannot be seen.
    """
    text = unicodedata.normalize("NFC", _text(claim, value)).replace("\r\n", "\n").strip()
    shown = text.replace("\n", "") if lines else text
    if len(text) > _LONGEST_TEXT or not text:
        raise InvalidProfileError(f"This has 1 to {_LONGEST_TEXT} characters.", field=claim)
    if any(unicodedata.category(each) in _HIDDEN and each not in _JOINERS for each in shown):
        raise InvalidProfileError("This has characters that cannot be seen.", field=claim)
    return text


def checked_url(claim: str, value: object) -> str:
    """Return the URL of a page or a picture. Others will follow it, so it is one of the web and names no user.

    Raises:
        InvalidProfileError: If it is none.
    """
    url = _text(claim, value).strip()
    try:
        parts = urlsplit(url)
        is_good = bool(parts.hostname) and parts.username is None and (parts.port or 1) > 0
    except ValueError:
        is_good = False
    if not is_good or len(url) > _LONGEST_URL or not _URL.fullmatch(url):
        raise InvalidProfileError("This is an address on the web, like https://ada.example.", field=claim)
    return url


def checked_birthdate(claim: str, value: object) -> str:
    """Return a date as YYYY-MM-DD, a year alone, or a day without its year as 0000-MM-DD.

    Raises:
        InvalidProfileError: If there is no such day.
    """
    text = _text(claim, value).strip()
    if _YEAR.fullmatch(text) and text != "0000":
        return text
    if not _is_day(text):
        raise InvalidProfileError("This is a date like 1815-12-10, or a year.", field=claim)
    return text


def checked_zone(claim: str, value: object) -> str:
    """Return the name of a time zone.

    Raises:
        InvalidProfileError: If it has not the form of one.
    """
    return _matching(_ZONE, claim, value, like="the name of a time zone, like Europe/London")


def checked_locale(claim: str, value: object) -> str:
    """Return a language tag (RFC 5646).

    Raises:
        InvalidProfileError: If it has not the form of one.
    """
    return _matching(_LOCALE, claim, value, like="a language, like en or en-GB")


def checked_phone_number(claim: str, value: object) -> str:
    """Return a telephone number in E.164, perhaps with an extension (RFC 3966).

    Raises:
        InvalidProfileError: If it is none.
    """
    number = _BETWEEN_DIGITS.sub("", _text(claim, value))
    if not _PHONE.fullmatch(number):
        raise InvalidProfileError(
            "This is a telephone number with its country, like +44 20 7946 0000.", field=claim
        )
    return number


def checked_address(claim: str, value: object) -> dict[str, str] | None:
    """Return a postal address (section 5.1.1); ``None`` if nothing is in it.

    Raises:
        InvalidProfileError: If it has other members, or one of them is not good.
    """
    if not isinstance(value, Mapping) or not set(_ADDRESS).issuperset(value):
        raise InvalidProfileError(f"An address has these parts: {', '.join(_ADDRESS)}.", field=claim)
    parts = {
        name: checked_text(claim, value[name], lines=name in _SEVERAL_LINES)
        for name in _ADDRESS
        if value.get(name) is not None and value[name] != ""
    }
    return parts or None


def _is_day(text: str) -> bool:
    found = _DATE.fullmatch(text)
    if found is None:
        return False
    try:
        date(int(found[1]) or _LEAP_YEAR, int(found[2]), int(found[3]))
    except ValueError:
        return False
    return True


def _matching(pattern: re.Pattern[str], claim: str, value: object, *, like: str) -> str:
    text = _text(claim, value).strip()
    if not pattern.fullmatch(text):
        raise InvalidProfileError(f"This is {like}.", field=claim)
    return text


def _text(claim: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidProfileError("This is text.", field=claim)
    return value
