"""Secrets: making them, hashing those that have enough entropy of their own, comparing and sealing.

Nothing here is for passwords: those are hashed slowly, elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from . import base64url
from .entropy import random_bytes

__all__ = ["SealError", "Sealer", "digest", "equal", "new_identifier", "new_token"]

_NONCE_OCTETS = 12


class SealError(ValueError):
    """What was sealed does not open: another key, another context, or it was changed."""


def new_token() -> str:
    """Return a new secret of 256 random bits as 43 characters of base64url."""
    return base64url.encode(random_bytes(32))


def new_identifier() -> str:
    """Return a new identifier of 128 random bits as 22 characters of base64url. Unique, not secret.

    None begins with a hyphen: at a command line it would be taken for an option.
    """
    while (identifier := base64url.encode(random_bytes(16))).startswith("-"):
        pass
    return identifier


def digest(token: str) -> bytes:
    """Return the SHA-256 of a secret: what is stored of it. For secrets of 128 bits and more only.

    Whatever the text is, it has a digest: one that is not UTF-8 simply belongs to nothing that is stored.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def equal(one: str | bytes, other: str | bytes) -> bool:
    """Compare two secrets in a time that does not depend on where they differ."""
    return hmac.compare_digest(_octets(one), _octets(other))


def _octets(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")


class Sealer:
    """Encrypts and authenticates under one master key, with a derived key for each context.

    What was sealed in one context does not open in another: a stored signing key cannot pose as a message.
    """

    __slots__ = ("_keys", "_master")

    def __init__(self, master: bytes) -> None:
        """Take the master key: at least 32 octets, from a random generator."""
        if len(master) < 32:
            raise ValueError("A master key has at least 32 octets.")
        self._master = master
        self._keys: dict[str, bytes] = {}

    def _key(self, context: str) -> bytes:
        key = self._keys.get(context)
        if key is None:
            info = b"coatcheck " + context.encode("ascii")
            # The master key is random already: extraction (RFC 5869 section 3.3) has nothing to add.
            key = self._keys[context] = HKDFExpand(SHA256(), 32, info).derive(self._master)
        return key

    def seal(self, plaintext: bytes, *, context: str) -> bytes:
        """Return nonce and ciphertext (AES-256-GCM, NIST SP 800-38D)."""
        nonce = random_bytes(_NONCE_OCTETS)
        return nonce + AESGCM(self._key(f"{context}/seal")).encrypt(nonce, plaintext, None)

    def open(self, sealed: bytes, *, context: str) -> bytes:
        """Return what was sealed. Raises ``SealError`` if it does not open."""
        try:
            return AESGCM(self._key(f"{context}/seal")).decrypt(
                sealed[:_NONCE_OCTETS], sealed[_NONCE_OCTETS:], None
            )
        except (InvalidTag, ValueError):
            raise SealError(f"what was sealed for {context!r} does not open") from None

    def mac(self, message: bytes, *, context: str) -> bytes:
        """Return the HMAC-SHA256 (RFC 2104) of a message."""
        return hmac.digest(self._key(f"{context}/mac"), message, "sha256")

    def __repr__(self) -> str:
        return "<Sealer>"
