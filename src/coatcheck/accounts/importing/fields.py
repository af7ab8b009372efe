"""The values of a row: what is accepted for each field, and in which words another is refused."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from ...identity import MalformedScopeError, parse_scope
from ..email_address import EmailAddress, parse_email
from ..errors import InvalidEmailError, UnknownHashError
from ..hashes import check_encoded
from ..hashes.better_auth import encode_better_auth
from ..hashes.firebase import FirebaseParameters, encode_firebase

__all__ = ["FieldError", "read_email", "read_flag", "read_password_hash", "read_scopes", "read_time"]

_TRUE, _FALSE = {"true", "t", "yes", "y", "1"}, {"false", "f", "no", "n", "0", ""}
_MILLISECONDS_FROM = 1e11  # in seconds that is the year 5138
_LATEST = 253_402_300_799  # the end of the year 9999


class FieldError(ValueError):
    """A value is refused. The text says why, and does not repeat the value."""


def read_email(value: object) -> EmailAddress:
    """Return an address."""
    if not isinstance(value, str):
        raise FieldError("it has no e-mail address")
    try:
        return parse_email(value)
    except InvalidEmailError:
        raise FieldError("its e-mail address is not one") from None


def read_password_hash(value: object, *, salt: object, firebase: FirebaseParameters | None) -> str | None:
    """Return a hash that can be verified, or ``None`` where there is none."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise FieldError("its password hash is not text")
    if value.startswith("!"):  # Django's way to say that there is no password
        return None
    encoded = encode_better_auth(value) or value
    if isinstance(salt, str) and salt and not value.startswith("$"):
        if firebase is None:
            raise FieldError(
                "its hash is Firebase's, which needs the password hash parameters of the project"
            )
        encoded = encode_firebase(firebase, salt=salt, password_hash=value)
    try:
        check_encoded(encoded)
    except UnknownHashError as error:
        raise FieldError(f"its password hash cannot be used: {error.message}") from None
    return encoded


def read_scopes(value: object) -> frozenset[str]:
    """Return scopes from a text with spaces or commas between them, or from a list of texts."""
    if value is None:
        return frozenset()
    if isinstance(value, list):
        if not all(isinstance(scope, str) and scope and not set(" ,") & set(scope) for scope in value):
            raise FieldError("its scopes are not a list of words")
        value = " ".join(value)
    if not isinstance(value, str):
        raise FieldError("its scopes are neither text nor a list")
    try:
        return parse_scope(value.replace(",", " "))
    except MalformedScopeError:
        raise FieldError("one of its scopes has a character that scopes cannot have") from None


def read_flag(value: object, *, name: str) -> bool:
    """Return a yes or no. Nothing means no."""
    if value is None:
        return False
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower() if isinstance(value, str | int) else None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise FieldError(f"its {name!r} is neither yes nor no")


def read_time(value: object) -> float | None:
    """Return a time from ISO 8601, or from seconds or milliseconds since 1970. A time without a zone is UTC."""
    if isinstance(value, dict):
        value = value.get("$date")  # MongoDB's extended JSON, in exports of Auth0
    if value is None or value == "":
        return None
    seconds = _number(value) if isinstance(value, str | int | float) else None
    if seconds is None and isinstance(value, str):
        seconds = _iso_time(value)
    if seconds is None or not 0 <= seconds <= _LATEST:
        raise FieldError("its time of creation is not a time")
    return seconds


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    if isinstance(value, bool) or not math.isfinite(number):
        return None
    return number / 1000 if number >= _MILLISECONDS_FROM else number


def _iso_time(text: str) -> float | None:
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
