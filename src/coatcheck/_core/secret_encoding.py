"""Shared secrets in files and variables: octets as they are, or written in one of the usual ways."""

from __future__ import annotations

import base64
import binascii
import string
from enum import StrEnum

__all__ = ["UTF8_MARK", "SecretEncoding", "decoded_secret"]

UTF8_MARK = b"\xef\xbb\xbf"
_TO_BASE64 = bytes.maketrans(b"-_+/", b"+/-_")
_TEXT = frozenset(string.printable.encode("ascii"))


class SecretEncoding(StrEnum):
    """How a shared secret is written."""

    RAW = "raw"
    HEX = "hex"
    BASE64URL = "base64url"
    BASE64 = "base64"


def decoded_secret(octets: bytes, encoding: SecretEncoding) -> bytes:
    """Return the octets of a secret.

    A text ends before the white space around it, which an editor adds and nobody sees. Of binary content every octet
    counts, the last one too where it happens to be a line feed.

    Raises:
        ValueError: If it is not written in this encoding.
    """
    text = octets.removeprefix(UTF8_MARK)
    if encoding is SecretEncoding.RAW:
        return text.strip() if _TEXT.issuperset(text) else octets
    try:
        return _decoded(text.strip(), encoding)
    except ValueError:  # binascii's too
        raise ValueError(f"The secret is not written in {encoding.value}.") from None


def _decoded(text: bytes, encoding: SecretEncoding) -> bytes:
    if encoding is SecretEncoding.HEX:
        return binascii.unhexlify(text)
    if encoding is SecretEncoding.BASE64URL:
        text = text.translate(_TO_BASE64)
    padded = text.rstrip(b"=")
    return base64.b64decode(padded + b"=" * (-len(padded) % 4), validate=True)
