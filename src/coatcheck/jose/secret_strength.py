"""Secrets that are not secret, or too short to be."""

from __future__ import annotations

import binascii
import re

from .arguments import password_octets
from .errors import ConfigurationError, KeyImportError, WeakKeyError

__all__ = ["check_password", "check_secret"]

_LEAST_PASSWORD_OCTETS = 8
_MOST_SECRET_OCTETS = 4096

# Texts of keys that were once taken for HMAC secrets (CVE-2017-11424, CVE-2022-29217, CVE-2024-33663, CVE-2026-48526),
# also behind other text (CVE-2026-34950), and the path of a key instead of the key (CVE-2021-41106). None of them can
# stand in random octets by chance. Every repetition is bounded, so that the search is linear.
_KEY_TEXT = re.compile(
    rb"""
    ----[ -]BEGIN[ ]                                                        # PEM of any kind, SSH2 public keys
    | (?:ssh-(?:rsa|dss|ed25519|ed448)|ecdsa-sha2-[a-z0-9]{1,16}|sk-[a-z0-9@.-]{1,48})[ \t]{1,8}AAAA    # OpenSSH
    | \0\0\0[\x07-\x40](?:ssh-|ecdsa-|sk-)                                  # the same, decoded
    | ["'](?:k|\\u006[bB])ty["']\s{0,8}:                                   # a JWK or its repr
    | \A\s{0,8}\{\s{0,8}"keys"                                             # a JWK Set
    | \Afile://
    """,
    re.VERBOSE,
)
_BASE64 = re.compile(rb"[A-Za-z0-9+/\r\n]+={0,2}\s*")
_SEQUENCE = 0x30


def check_secret(secret: object) -> None:
    """Refuse what is no random octets. The least sizes are the algorithm's business.

    Raises:
        WeakKeyError: If the octets are a key in a text or file form, which others may know.
        KeyImportError: If there are more than 4096 of them.
        ConfigurationError: If they are no ``bytes``.
    """
    if not isinstance(secret, bytes):
        raise ConfigurationError(
            "A secret must be given as bytes: encode a text, for example with .encode()."
        )
    if len(secret) > _MOST_SECRET_OCTETS:
        raise KeyImportError(f"A secret has at most {_MOST_SECRET_OCTETS} octets.")
    if _KEY_TEXT.search(secret) or _is_der(secret) or _is_der(_decoded_text(secret)):
        raise WeakKeyError(
            "The secret is the text of a key, which may be public. Read it with Key.from_pem, Key.from_der or "
            "Key.from_jwk, or make a secret with Key.generate."
        )


def _is_der(octets: bytes) -> bool:
    """Tell whether the octets have the outline of a key or certificate in DER.

    That is one SEQUENCE as long as all of them, which begins with another or with an INTEGER. Not one in ten million
    random secrets looks like that.
    """
    trimmed = octets.strip(b"\0\r\n\t ")
    if len(trimmed) < 32 or trimmed[0] != _SEQUENCE:
        return False
    length, start = trimmed[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(trimmed[2:start], "big")
    # What was trimmed may have belonged to the last element.
    return trimmed[start : start + 1] in {b"\x30", b"\x02"} and 0 <= start + length - len(trimmed) <= 4


def _decoded_text(octets: bytes) -> bytes:
    """Return what the octets stand for if they are base64 text, else nothing."""
    if not _BASE64.fullmatch(octets):
        return b""
    try:
        decoded = binascii.a2b_base64(octets)
    except binascii.Error:
        return b""
    return decoded


def check_password(password: object) -> bytes:
    """Return the octets of a password that tokens are encrypted under.

    Raises:
        WeakKeyError: If it is shorter than 8 octets.
        ConfigurationError: If it is neither text nor bytes.
    """
    octets = password_octets(password)
    if len(octets) < _LEAST_PASSWORD_OCTETS:
        raise WeakKeyError(f"The password must be at least {_LEAST_PASSWORD_OCTETS} octets long.")
    return octets
