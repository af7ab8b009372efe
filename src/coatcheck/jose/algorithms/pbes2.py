"""Key encryption under a password (RFC 7518 section 4.8), with the work bounded from both sides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from ..._core import base64url
from ..._core.entropy import random_bytes
from ..errors import InvalidHeaderError
from .key_wrapping import octets_of, unwrap_cek
from .model import ContentEncryption, KeyEncryption, WrappedKey

__all__ = ["DEFAULT_ITERATIONS", "LEAST_ITERATIONS", "iterations_of", "pbes2"]

LEAST_ITERATIONS = 1_000
"""RFC 7518 section 4.8.1.2: a minimum of 1000 is recommended; fewer are refused."""

DEFAULT_ITERATIONS = 600_000
"""What is used to encrypt, unless the caller names ``p2c`` in the header."""

_MOST_ITERATIONS = 2**31 - 1  # what OpenSSL can count
_SALT_SIZE = 16
_LEAST_SALT_SIZE = 8
_LEAST_PASSWORD_BITS = 64


def iterations_of(header: Mapping[str, Any]) -> int:
    """Read ``p2c``. Raises ``InvalidHeaderError`` if it is no integer, or too low to protect a password."""
    count = header.get("p2c")
    if type(count) is not int or not LEAST_ITERATIONS <= count <= _MOST_ITERATIONS:
        raise InvalidHeaderError(
            f"The iteration count 'p2c' must be an integer of at least {LEAST_ITERATIONS}."
        )
    return count


def pbes2(name: str, digest: hashes.HashAlgorithm, size: int) -> KeyEncryption:
    """Build the row for one hash and the AES Key Wrap of ``size`` octets."""

    def derive(password: bytes, salt: bytes, iterations: int) -> bytes:
        kdf = PBKDF2HMAC(
            algorithm=digest, length=size, salt=name.encode() + b"\0" + salt, iterations=iterations
        )
        return kdf.derive(password)

    def encrypt_key(
        password: bytes, enc: ContentEncryption, *, cek: bytes | None, header: Mapping[str, Any]
    ) -> WrappedKey:
        secret = cek or random_bytes(enc.key_size)
        salt = random_bytes(_SALT_SIZE)
        iterations = iterations_of({"p2c": DEFAULT_ITERATIONS, **header})
        wrapped = aes_key_wrap(derive(password, salt, iterations), secret)
        parameters = {"p2s": base64url.encode(salt), "p2c": iterations}
        return WrappedKey(cek=secret, encrypted_key=wrapped, header=parameters)

    def decrypt_key(
        password: bytes, enc: ContentEncryption, *, encrypted_key: bytes, header: Mapping[str, Any]
    ) -> bytes:
        salt = octets_of(header, "p2s")
        if len(salt) < _LEAST_SALT_SIZE:
            raise InvalidHeaderError(f"The salt 'p2s' must be at least {_LEAST_SALT_SIZE} octets long.")
        return unwrap_cek(derive(password, salt, iterations_of(header)), encrypted_key)

    return KeyEncryption(
        name=name,
        key_types=("oct",),
        takes_password=True,
        minimum_bits=_LEAST_PASSWORD_BITS,
        encrypt_key=encrypt_key,
        decrypt_key=decrypt_key,
        private_operations=frozenset({"deriveKey", "deriveBits", "unwrapKey"}),
        public_operations=frozenset({"deriveKey", "deriveBits", "wrapKey"}),
    )
