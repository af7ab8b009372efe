"""``client_secret_basic``: identifier and secret in the ``Authorization`` header (RFC 6749 section 2.3.1, RFC 7617)."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

from ..errors import InvalidClientError
from .model import Secret

__all__ = ["parse_basic"]

_LONGEST = 8192
_BASIC = re.compile(r"basic +([A-Za-z0-9+/]+={0,2})", re.IGNORECASE | re.ASCII)
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def parse_basic(authorization: str) -> Secret:
    """Return the identifier and the secret that an ``Authorization`` header carries.

    Both were encoded like a form before they were joined by a colon, so that a colon can stand in either.

    Raises:
        InvalidClientError: If the header has another scheme, or is not in the form of this one.
    """
    found = _BASIC.fullmatch(authorization) if len(authorization) <= _LONGEST else None
    if found is None:
        raise InvalidClientError(detail="the Authorization header is not in the form of Basic")
    try:
        name, colon, secret = base64.b64decode(found[1], validate=True).partition(b":")
    except binascii.Error:
        raise InvalidClientError(detail="the Basic credentials are not base64") from None
    if not colon or not name:
        raise InvalidClientError(detail="the Basic credentials are not two halves around a colon")
    return Secret(client_id=_decoded(name), secret=_decoded(secret), method="client_secret_basic")


def _decoded(half: bytes) -> str:
    if b"%" not in half and b"+" not in half and half.isascii():
        return half.decode("ascii")
    if _BROKEN_ESCAPE.search(half):
        raise InvalidClientError(detail="the Basic credentials have broken percent-encoding")
    try:
        return unquote_to_bytes(half.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidClientError(detail="the Basic credentials are not UTF-8") from None
