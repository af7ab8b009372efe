"""Strict JSON (RFC 8259): UTF-8 only, no duplicate names where asked, and bounded nesting.

Claims are decoded by typed ``msgspec`` decoders in the hot path; what is read here is small and hostile: headers,
keys and key sets.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

__all__ = ["JSONError", "decode_object", "encode", "nests_deeper_than", "octets_of"]

encode = msgspec.json.Encoder().encode
"""Encode a value as compact JSON, as UTF-8 bytes."""

_OPENING_BRACKET = ord("[")
# The closing quote may be missing: a match that fails would be tried again at every quote that is left.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)


class JSONError(ValueError):
    """The text is not a JSON object that is accepted here."""


def octets_of(text: str | bytes) -> bytes:
    """Return a text as UTF-8. Raises ``JSONError`` for half a surrogate pair, which UTF-8 cannot say."""
    if isinstance(text, bytes):
        return text
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise JSONError("not valid JSON in UTF-8") from None


def nests_deeper_than(text: bytes, limit: int) -> bool:
    """Tell whether arrays and objects nest deeper than ``limit``, without recursion."""
    # Most texts are one flat object, and the number of opening brackets bounds the depth of nearly all others.
    if _OPENING_BRACKET not in text and text.find(b"{", 1) < 0:
        return limit < 1
    if text.count(b"{") + text.count(b"[") <= limit:
        return False
    depth = 0
    for byte in _STRING.sub(b"", text):
        if byte in b"{[":
            depth += 1
            if depth > limit:
                return True
        elif byte in b"}]":
            depth -= 1
    return False


def decode_object(text: bytes, *, max_depth: int) -> dict[str, Any]:
    """Decode one JSON object, refusing duplicate names at every level (RFC 7515 section 4, RFC 8259 section 4).

    Raises:
        JSONError: If the text is not UTF-8, not JSON, not an object, repeats a name, or nests too deep.
    """
    if nests_deeper_than(text, max_depth):
        raise JSONError(f"nested deeper than {max_depth} levels")
    try:
        # msgspec is the stricter parser (lone surrogates, NaN, numbers out of range); the standard library's is the
        # one that shows duplicate names. Both must agree to read it. Neither is in a hot path.
        msgspec.json.decode(text)
        value = _decode_with_duplicates_shown(text.decode("utf-8"))
    except JSONError:
        raise
    # In old releases of msgspec its errors are no ValueErrors.
    except (ValueError, msgspec.MsgspecError, RecursionError):
        raise JSONError("not valid JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise JSONError("not a JSON object")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise JSONError("a member name is repeated")
    return members


_decode_with_duplicates_shown = json.JSONDecoder(object_pairs_hook=_without_duplicates).decode
