"""bcrypt, alone or in the two forms of Django.

bcrypt takes 72 octets. What is longer was cut by every implementation that made these hashes, so it is cut here: only
for verifying, as no new hash is made with it.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re

import bcrypt

from .bounds import BOUNDS
from .model import Verify, match, require

__all__ = ["read_bcrypt", "read_django_bcrypt", "read_django_bcrypt_sha256"]

# $2x$ is the mistake of an old crypt_blowfish (CVE-2011-2483), $2$ an even older version: neither is accepted. The
# last characters of salt and digest carry 2 and 4 bits.
_PATTERN = re.compile(
    r"(\$2[aby]\$([0-3][0-9])\$[./A-Za-z0-9]{21}[.Oeu])([./A-Za-z0-9]{30}[.CGKOSWaeimquy26])"
)
_MOST_OCTETS = 72


def read_bcrypt(encoded: str) -> Verify:
    """Read ``$2b$10$...``, or the same as ``$2a$`` and ``$2y$``, which differ in the letter only."""
    setting, cost, _ = match(_PATTERN, encoded)
    require(4 <= int(cost) <= BOUNDS.bcrypt_cost)

    def verify(password: bytes) -> bool:
        computed = bcrypt.hashpw(password[:_MOST_OCTETS], setting.encode())
        return hmac.compare_digest(computed, encoded.encode())

    return verify


def read_django_bcrypt(encoded: str) -> Verify:
    """Read ``bcrypt$$2b$12$...``: plain bcrypt."""
    return read_bcrypt(encoded.removeprefix("bcrypt$"))


def read_django_bcrypt_sha256(encoded: str) -> Verify:
    """Read ``bcrypt_sha256$$2b$12$...``: bcrypt of the SHA-256 in hexadecimal, so that nothing is cut."""
    verify_digest = read_bcrypt(encoded.removeprefix("bcrypt_sha256$"))
    return lambda password: verify_digest(binascii.hexlify(hashlib.sha256(password).digest()))
