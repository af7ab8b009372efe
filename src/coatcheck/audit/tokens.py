"""Finding tokens, wherever they are, and reading those that can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal
from urllib.parse import unquote

import msgspec

from ..inspection.model import Reading
from ..inspection.reading import read
from ..jose.errors import MalformedTokenError
from .recording import Exchange
from .vocabulary import Role

__all__ = ["Place", "Token", "find_tokens", "is_opaque_token", "read_token", "tokens_in_cookie"]

Place = Literal[
    "cookie", "authorization", "header", "query", "fragment", "path", "referer", "body", "form", "file"
]

# Begins where a word begins, so that no text makes it look at a character more than a few times.
_JWT = re.compile(
    r"(?<![\w-])(?:eyJ|eyA|ewo|ewk|ew0)[\w-]{8,65536}+\.[\w-]{0,65536}+\.[\w-]{0,65536}+"
    r"(?:\.[\w-]{1,65536}+\.[\w-]{1,1024}+)?"
)
_OPAQUE = re.compile(r"[\w\-.~+/=:|%]{16,8192}")
_LONGEST = 65_536


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token or session identifier, in one place.

    Attributes:
        value: The token. Never shown.
        role: What it is for.
        place: In what kind of place it is.
        name: The name of the cookie, field, parameter or header.
        from_server: Whether it came with an answer.
        reading: What is in it, if it can be read.
        exchange: Where it was seen; ``None`` if the file is the token.
    """

    value: str
    role: Role
    place: Place
    name: str = ""
    from_server: bool = False
    reading: Reading | None = None
    exchange: Exchange | None = None


def find_tokens(text: str) -> Iterator[str]:
    """Yield what looks like a JWS or JWE in a text."""
    for found in _JWT.finditer(text):
        yield found[0]


def tokens_in_cookie(value: str) -> Iterator[str]:
    """Yield what looks like a JWS or JWE in a cookie's value, which may be percent-encoded."""
    return find_tokens(unquote(value, errors="replace"))


def is_opaque_token(value: str) -> bool:
    """Tell whether a value that is called a token may be one, and not a word or a number."""
    if not _OPAQUE.fullmatch(value) or value.isdigit():
        return False
    has_digit = any(character.isdigit() for character in value)
    return has_digit or (value.lower() != value and len(value) >= 20)


def read_token(value: str) -> Reading | None:
    """Read a token; ``None`` if nothing in it can be read, or if it does not say how it is made."""
    if len(value) > _LONGEST:
        return None
    try:
        reading = read(value)
    except MalformedTokenError:
        return None
    return reading if "alg" in reading.header else None
