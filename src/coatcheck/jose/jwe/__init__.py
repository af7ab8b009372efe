"""JSON Web Encryption (RFC 7516): octets that only the holder of a key can read.

It owns the framing of encryption. That a token decrypts says nothing about who wrote it, unless the key is a shared
secret: for statements about somebody, sign inside (``jwt.Signer`` with ``encrypt_to``).
"""

from __future__ import annotations

from .compact import decrypt, encrypt
from .json import decrypt_json, encrypt_json
from .model import DecryptedJWE

__all__ = ["DecryptedJWE", "decrypt", "decrypt_json", "encrypt", "encrypt_json"]
