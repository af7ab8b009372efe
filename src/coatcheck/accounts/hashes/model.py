"""What a family of hashes is: a function that reads an encoded hash and returns how to verify a password."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable

from ..errors import UnknownHashError

__all__ = ["Read", "Verify", "decode_base64", "match", "require"]

Verify = Callable[[bytes], bool]
"""Tells whether a password, in UTF-8, is the one. May take long; compares in constant time."""

Read = Callable[[str], Verify]
"""Takes an encoded hash apart, or raises ``UnknownHashError``. Computes nothing."""

_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")


def match(pattern: re.Pattern[str], encoded: str) -> tuple[str, ...]:
    """Return the groups of a pattern that fits the whole of a hash. Raises ``UnknownHashError`` if it does not."""
    found = pattern.fullmatch(encoded)
    if found is None:
        raise UnknownHashError("This password hash is damaged, or of no known version.")
    return found.groups(default="")


def require(accepted: bool) -> None:  # noqa: FBT001 - a condition, not a switch
    """Raise ``UnknownHashError`` unless the parameters of a hash are within bounds."""
    if not accepted:
        raise UnknownHashError("The parameters of this password hash are beyond what is accepted.")


def decode_base64(text: str) -> bytes:
    """Decode standard or URL-safe base64, padded or not. Raises ``UnknownHashError`` for anything else."""
    text = text.replace("-", "+").replace("_", "/")
    if not _BASE64.fullmatch(text):
        raise UnknownHashError("This password hash is damaged.")
    bare = text.rstrip("=")
    try:
        return binascii.a2b_base64(bare + "=" * (-len(bare) % 4))
    except binascii.Error:
        raise UnknownHashError("This password hash is damaged.") from None
