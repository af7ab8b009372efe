"""Secrets that are not secret, or too short to be."""

from __future__ import annotations

import re

from .arguments import password_octets
from .errors import ConfigurationError, KeyImportError, WeakKeyError

__all__ = ["check_password", "check_secret"]

_LEAST_PASSWORD_OCTETS = 8

# Texts of keys that were once taken for HMAC secrets (CVE-2017-11424, CVE-2022-29217, CVE-2024-33663, CVE-2026-48526),
# also behind other text (CVE-2026-34950), and the path of a key instead of the key (CVE-2021-41106). None of them can
# stand in random octets by chance.
_KEY_TEXT = re.compile(
    rb"""
    -----BEGIN[ ]                                             # PEM of any kind
    | (?:ssh-(?:rsa|dss|ed25519|ed448) | (?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+)[ ]+AAAA    # OpenSSH public keys
    | ["']kty["']\s*:                                         # a JWK or a JWK Set, or the repr of one
    | \Afile://
    """,
    re.VERBOSE,
)
_DER_SEQUENCE = 0x30


def check_secret(secret: object) -> None:
    """Refuse what is no random octets. Sizes are the algorithm's business.

    Raises:
        WeakKeyError: If the octets are a key in a text form, which others may know.
        ConfigurationError: If they are no ``bytes``.
    """
    if not isinstance(secret, bytes):
        raise ConfigurationError("A secret must be given as bytes.")
    if _KEY_TEXT.search(secret) or _is_der_key(secret):
        raise WeakKeyError(
            "The secret is the text of a key, which may be public. Read it with Key.from_pem, Key.from_der or "
            "Key.from_jwk, or make a secret with Key.generate."
        )


def _is_der_key(octets: bytes) -> bool:
    """Tell whether the octets are a key or certificate in DER, by reading them: random octets may begin like one."""
    if octets[:1] != bytes([_DER_SEQUENCE]):
        return False
    try:
        from . import key_files  # noqa: PLC0415 - see there

        key_files.read_der(octets, password=None)
    except KeyImportError:
        return False
    return True


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
