"""argon2 in the PHC string format (RFC 9106), alone or behind the ``argon2`` that Django writes before it."""

from __future__ import annotations

import hmac
import re

from argon2.low_level import Type, hash_secret_raw

from .bounds import BOUNDS
from .model import Verify, decode_base64, match, require

__all__ = ["read_argon2", "read_django_argon2"]

# What has no version is version 1.0 (16).
_PATTERN = re.compile(
    r"\$argon2(id|i|d)\$(?:v=(16|19)\$)?m=([1-9][0-9]{0,9}),t=([1-9][0-9]{0,9}),p=([1-9][0-9]{0,3})"
    r"\$([A-Za-z0-9+/]{11,88})\$([A-Za-z0-9+/]{22,176})"
)
_TYPES = {"id": Type.ID, "i": Type.I, "d": Type.D}


def read_argon2(encoded: str) -> Verify:
    """Read ``$argon2id$v=19$m=19456,t=2,p=1$salt$digest``, or the same of argon2i and argon2d."""
    kind, version, *costs, salt_text, digest_text = match(_PATTERN, encoded)
    memory_kib, passes, lanes = map(int, costs)
    salt, digest = decode_base64(salt_text), decode_base64(digest_text)
    require(BOUNDS.accepts_argon2(memory_kib=memory_kib, passes=passes, lanes=lanes))

    def verify(password: bytes) -> bool:
        computed = hash_secret_raw(
            password,
            salt,
            time_cost=passes,
            memory_cost=memory_kib,
            parallelism=lanes,
            hash_len=len(digest),
            type=_TYPES[kind],
            version=int(version or 16),
        )
        return hmac.compare_digest(computed, digest)

    return verify


def read_django_argon2(encoded: str) -> Verify:
    """Read ``argon2$argon2id$v=19$...``."""
    return read_argon2(encoded.removeprefix("argon2"))
