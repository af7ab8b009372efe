"""better-auth's scrypt. It stores ``salt:key`` in hexadecimal; here it gets a prefix to be known by."""

from __future__ import annotations

import hmac
import re
import unicodedata

from .model import Verify, match
from .scrypt import Scrypt

__all__ = ["encode_better_auth", "read_better_auth"]

_PREFIX = "better-auth$"
_STORED = re.compile(r"[0-9A-Fa-f]{16,128}:[0-9A-Fa-f]{128}")
_PATTERN = re.compile(r"better-auth\$([0-9A-Fa-f]{16,128}):([0-9A-Fa-f]{128})")
_SCRYPT = Scrypt(16384, 16, 1)


def encode_better_auth(stored: str) -> str | None:
    """Return the hash for what better-auth has in its ``password`` column, or ``None`` if it is no such thing."""
    return _PREFIX + stored if _STORED.fullmatch(stored) else None


def read_better_auth(encoded: str) -> Verify:
    """Read ``better-auth$salt:key``."""
    salt, key_text = match(_PATTERN, encoded)
    key = bytes.fromhex(key_text)

    def verify(password: bytes) -> bool:
        normalised = unicodedata.normalize("NFKC", password.decode("utf-8", "surrogatepass"))
        # The salt is the hexadecimal text itself, not the octets that it stands for.
        computed = _SCRYPT.derive(
            normalised.encode("utf-8", "surrogatepass"), salt=salt.encode(), octets=len(key)
        )
        return hmac.compare_digest(computed, key)

    return verify
