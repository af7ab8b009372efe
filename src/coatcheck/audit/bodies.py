"""Bodies as text, and the named values in them."""

from __future__ import annotations

import binascii
import json
from collections.abc import Iterator
from typing import Any

from .addresses import pairs_in

__all__ = ["MOST_SEARCHED", "body_text", "decoded", "form_fields", "named_values"]

MOST_SEARCHED = 4_194_304
"""Characters of a body that are looked at."""

_MOST_VALUES = 100_000
_MOST_FORM = 262_144
_TEXTS = (
    "text/",
    "application/json",
    "application/x-www-form-urlencoded",
    "application/xml",
    "application/xhtml",
)
_OPAQUE = ("text/css", "text/javascript", "text/ecmascript")
_MULTIPART_NAME = 'name="'


def is_text(content_type: str) -> bool:
    """Tell whether a body of this type may name a token. Programs and styles hold examples at most."""
    if content_type.startswith(_OPAQUE):
        return False
    return not content_type or content_type.startswith(_TEXTS) or content_type.endswith(("+json", "+xml"))


def body_text(text: Any, content_type: str, encoding: Any = None) -> str:
    """Return the body of a recording as text, cut to what is looked at; empty if it is none."""
    if not isinstance(text, str) or not is_text(content_type):
        return ""
    if encoding == "base64":
        return decoded(text[: MOST_SEARCHED * 4 // 3])
    return text[:MOST_SEARCHED]


def decoded(text: str) -> str:
    """Decode base64 of UTF-8; empty if it is none."""
    text = text[: len(text) // 4 * 4] if len(text) > MOST_SEARCHED else text
    try:
        return binascii.a2b_base64(text.encode("ascii")).decode("utf-8", "replace")[:MOST_SEARCHED]
    except ValueError:
        return ""


def form_fields(text: str, content_type: str) -> tuple[tuple[str, str], ...]:
    """Return the fields of a form, however its body is written."""
    if content_type == "application/x-www-form-urlencoded":
        return pairs_in(text[:_MOST_FORM])
    if content_type == "multipart/form-data":
        return tuple(_multipart(text[:_MOST_FORM]))
    return ()


def _multipart(text: str) -> Iterator[tuple[str, str]]:
    """Yield what has a name and no file name (RFC 7578). The boundary is the first line."""
    boundary = text.partition("\n")[0].strip()
    if not boundary.startswith("--"):
        return
    for part in text.split(boundary, 256)[1:256]:
        head, _, content = part.replace("\r\n", "\n").partition("\n\n")
        _, found, rest = head.partition(_MULTIPART_NAME)
        if found and "filename" not in head:
            yield rest.partition('"')[0], content.rstrip("\n")


def named_values(body: str, content_type: str) -> Iterator[tuple[str, str]]:
    """Yield every text and number in a JSON body with the name it has there, without recursion."""
    if not (content_type.endswith("json") or (not content_type and body.lstrip()[:1] in {"{", "["})):
        return
    try:
        document = json.loads(body, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return
    pending: list[tuple[str, Any]] = [("", document)]
    for _ in range(_MOST_VALUES):
        if not pending:
            return
        name, value = pending.pop()
        if isinstance(value, dict):
            pending.extend(reversed(value.items()))
        elif isinstance(value, list):
            pending.extend((name, item) for item in reversed(value))
        elif isinstance(value, str):
            yield name, value
