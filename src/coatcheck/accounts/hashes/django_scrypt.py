"""Django's scrypt."""

from __future__ import annotations

import hmac
import re

from .bounds import BOUNDS
from .model import Verify, decode_base64, match, require
from .scrypt import Scrypt

__all__ = ["read_django_scrypt"]

_PATTERN = re.compile(
    r"scrypt\$([1-9][0-9]{0,9})\$([^$]{1,128})\$([1-9][0-9]{0,5})\$([1-9][0-9]{0,5})\$([A-Za-z0-9+/]{16,}={0,2})"
)


def read_django_scrypt(encoded: str) -> Verify:
    """Read ``scrypt$N$salt$r$p$digest``."""
    n, salt, r, p, digest_text = match(_PATTERN, encoded)
    scrypt, digest = Scrypt(int(n), int(r), int(p)), decode_base64(digest_text)
    require(BOUNDS.accepts_digest(digest))

    def verify(password: bytes) -> bool:
        computed = scrypt.derive(password, salt=salt.encode(), octets=len(digest))
        return hmac.compare_digest(computed, digest)

    return verify
