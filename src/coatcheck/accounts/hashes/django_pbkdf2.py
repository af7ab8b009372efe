"""Django's PBKDF2 (RFC 8018 section 5.2)."""

from __future__ import annotations

import hashlib
import hmac
import re

from .bounds import BOUNDS
from .model import Verify, decode_base64, match, require

__all__ = ["read_pbkdf2_sha1", "read_pbkdf2_sha256"]

_PATTERN = re.compile(r"pbkdf2_sha(?:1|256)\$([1-9][0-9]{0,9})\$([^$]{1,128})\$([A-Za-z0-9+/]{16,}={0,2})")


def read_pbkdf2_sha256(encoded: str) -> Verify:
    """Read ``pbkdf2_sha256$iterations$salt$digest``."""
    return _read("sha256", encoded)


def read_pbkdf2_sha1(encoded: str) -> Verify:
    """Read ``pbkdf2_sha1$iterations$salt$digest``."""
    return _read("sha1", encoded)


def _read(algorithm: str, encoded: str) -> Verify:
    iterations_text, salt, digest_text = match(_PATTERN, encoded)
    iterations, digest = int(iterations_text), decode_base64(digest_text)
    require(iterations <= BOUNDS.pbkdf2_iterations and len(digest) == hashlib.new(algorithm).digest_size)

    def verify(password: bytes) -> bool:
        computed = hashlib.pbkdf2_hmac(algorithm, password, salt.encode(), iterations)
        return hmac.compare_digest(computed, digest)

    return verify
