"""Session cookies that are signed but not encrypted, as Flask, Django, Express and Rails can make them."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any
from urllib.parse import unquote

from ..inspection.model import Part, Reading

__all__ = ["readable_claims"]

_LARGEST = 65_536


def readable_claims(value: str) -> Reading | None:
    """Return what a cookie's value says in the clear, as if it were a token; ``None`` if it says nothing.

    The value may be JSON, JSON in base64, or the same packed by zlib with a dot before it; what follows a dot, a colon
    or two hyphens is taken for its signature.
    """
    text = unquote(value[:_LARGEST].strip('"'), errors="replace").removeprefix("s:").removeprefix("j:")
    is_packed = text.startswith(".")
    first = text.lstrip(".").split(".")[0].split(":")[0].split("--")[0]
    candidates = (text.encode("utf-8", "replace"), _octets(first, is_packed=is_packed))
    for octets in candidates:
        claims = _object(octets)
        if claims and "alg" not in claims:  # the header of a JWT, which is looked at as one
            return _as_reading(claims, octets)
    return None


def _octets(text: str, *, is_packed: bool) -> bytes:
    try:
        octets = base64.b64decode(
            f"{text}{'=' * (-len(text) % 4)}", b"-_" if {"-", "_"} & set(text) else None
        )
        return zlib.decompressobj().decompress(octets, _LARGEST) if is_packed else octets
    except (ValueError, zlib.error):
        return b""


def _object(octets: bytes) -> dict[str, Any] | None:
    if not octets.startswith(b"{"):
        return None
    try:
        value = json.loads(octets.decode("utf-8"), parse_int=str)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _as_reading(claims: dict[str, Any], octets: bytes) -> Reading:
    return Reading(
        encrypted=False,
        form="compact",
        length=len(octets),
        parts=[Part(protected={}, unprotected={}, segment="", signature=None)],
        body="",
        payload=octets,
        claims=claims,
        segments={},
        oddities=[],
    )
