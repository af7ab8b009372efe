"""Wrapping the content encryption key under a shared secret, or using the secret itself.

AES Key Wrap (RFC 7518 section 4.4), AES-GCM key wrap (section 4.7), direct encryption (section 4.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from ..._core import base64url
from ..._core.entropy import random_bytes
from ..errors import DecryptionError, InvalidHeaderError
from .model import ContentEncryption, KeyEncryption, WrappedKey

__all__ = ["aes_gcm_wrap", "aes_wrap", "direct", "octets_of", "unwrap_cek"]

_WRAP = frozenset({"wrapKey"})
_UNWRAP = frozenset({"unwrapKey"})
_GCM_IV_SIZE = 12
_GCM_TAG_SIZE = 16


def octets_of(header: Mapping[str, Any], name: str, *, size: int | None = None) -> bytes:
    """Read a base64url header parameter. Raises ``InvalidHeaderError`` if it is missing, malformed or mis-sized."""
    text = header.get(name)
    if not isinstance(text, str):
        raise InvalidHeaderError(f"The header parameter {name!r} must be a base64url string.")
    try:
        octets = base64url.decode(text.encode())
    except ValueError:
        raise InvalidHeaderError(f"The header parameter {name!r} is not canonical base64url.") from None
    if size is not None and len(octets) != size:
        raise InvalidHeaderError(f"The header parameter {name!r} must be {size} octets long.")
    return octets


def unwrap_cek(secret: bytes, encrypted_key: bytes) -> bytes:
    """Undo AES Key Wrap (RFC 3394). Raises ``DecryptionError``."""
    try:
        return aes_key_unwrap(secret, encrypted_key)
    except (InvalidUnwrap, ValueError):
        raise DecryptionError from None


def aes_wrap(name: str, size: int) -> KeyEncryption:
    """Build the row for A128KW, A192KW or A256KW."""

    def encrypt_key(
        secret: bytes, enc: ContentEncryption, *, cek: bytes | None, header: Mapping[str, Any]
    ) -> WrappedKey:
        key = cek or random_bytes(enc.key_size)
        return WrappedKey(cek=key, encrypted_key=aes_key_wrap(secret, key), header={})

    def decrypt_key(
        secret: bytes, enc: ContentEncryption, *, encrypted_key: bytes, header: Mapping[str, Any]
    ) -> bytes:
        return unwrap_cek(secret, encrypted_key)

    return KeyEncryption(
        name=name,
        key_types=("oct",),
        exact_bits=size * 8,
        encrypt_key=encrypt_key,
        decrypt_key=decrypt_key,
        private_operations=_UNWRAP,
        public_operations=_WRAP,
    )


def aes_gcm_wrap(name: str, size: int) -> KeyEncryption:
    """Build the row for A128GCMKW, A192GCMKW or A256GCMKW."""

    def encrypt_key(
        secret: bytes, enc: ContentEncryption, *, cek: bytes | None, header: Mapping[str, Any]
    ) -> WrappedKey:
        key = cek or random_bytes(enc.key_size)
        iv = random_bytes(_GCM_IV_SIZE)
        sealed = AESGCM(secret).encrypt(iv, key, None)
        parameters = {
            "iv": base64url.encode(iv),
            "tag": base64url.encode(sealed[-_GCM_TAG_SIZE:]),
        }
        return WrappedKey(cek=key, encrypted_key=sealed[:-_GCM_TAG_SIZE], header=parameters)

    def decrypt_key(
        secret: bytes, enc: ContentEncryption, *, encrypted_key: bytes, header: Mapping[str, Any]
    ) -> bytes:
        iv = octets_of(header, "iv", size=_GCM_IV_SIZE)
        tag = octets_of(header, "tag", size=_GCM_TAG_SIZE)
        try:
            return AESGCM(secret).decrypt(iv, encrypted_key + tag, None)
        except InvalidTag:
            raise DecryptionError from None

    return KeyEncryption(
        name=name,
        key_types=("oct",),
        exact_bits=size * 8,
        encrypt_key=encrypt_key,
        decrypt_key=decrypt_key,
        private_operations=_UNWRAP,
        public_operations=_WRAP,
    )


def direct(content: ContentEncryption) -> KeyEncryption:
    """Build the row in which the shared secret encrypts the content, named after the one ``enc`` it is for."""

    def encrypt_key(
        secret: bytes, enc: ContentEncryption, *, cek: bytes | None, header: Mapping[str, Any]
    ) -> WrappedKey:
        return WrappedKey(cek=secret, encrypted_key=b"", header={})

    def decrypt_key(
        secret: bytes, enc: ContentEncryption, *, encrypted_key: bytes, header: Mapping[str, Any]
    ) -> bytes:
        if encrypted_key:
            raise DecryptionError
        return secret

    return KeyEncryption(
        name=content.name,
        key_types=("oct",),
        exact_bits=content.key_size * 8,
        encrypt_key=encrypt_key,
        decrypt_key=decrypt_key,
        direct=True,
        aliases=("dir",),
        content=content,
        private_operations=frozenset({"decrypt"}),
        public_operations=frozenset({"encrypt"}),
    )
