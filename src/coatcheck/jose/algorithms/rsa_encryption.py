"""Encrypting the content encryption key to an RSA key: OAEP (RFC 7518 section 4.3), and the reading of RSA1_5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from ..._core.entropy import random_bytes
from ..errors import DecryptionError, KeyUseError
from .model import ContentEncryption, DecryptKey, KeyEncryption, WrappedKey
from .rsa_signature import MINIMUM_BITS

__all__ = ["rsa_oaep", "rsa_pkcs1_decryption"]

_PRIVATE = frozenset({"unwrapKey", "decrypt"})
_PUBLIC = frozenset({"wrapKey", "encrypt"})


def _decrypter(scheme: padding.AsymmetricPadding) -> DecryptKey:
    def decrypt_key(
        key: RSAPrivateKey, enc: ContentEncryption, *, encrypted_key: bytes, header: Mapping[str, Any]
    ) -> bytes:
        try:
            return key.decrypt(encrypted_key, scheme)
        except ValueError:
            raise DecryptionError from None

    return decrypt_key


def rsa_oaep(name: str, digest: hashes.HashAlgorithm) -> KeyEncryption:
    """Build the row for RSA-OAEP, RSA-OAEP-256, RSA-OAEP-384 or RSA-OAEP-512."""
    scheme = padding.OAEP(mgf=padding.MGF1(digest), algorithm=digest, label=None)

    def encrypt_key(
        key: RSAPublicKey, enc: ContentEncryption, *, cek: bytes | None, header: Mapping[str, Any]
    ) -> WrappedKey:
        secret = cek or random_bytes(enc.key_size)
        return WrappedKey(cek=secret, encrypted_key=key.encrypt(secret, scheme), header={})

    return KeyEncryption(
        name=name,
        key_types=("RSA",),
        minimum_bits=MINIMUM_BITS,
        encrypt_key=encrypt_key,
        decrypt_key=_decrypter(scheme),
        private_operations=_PRIVATE,
        public_operations=_PUBLIC,
    )


def rsa_pkcs1_decryption(name: str, *, deprecated: str) -> KeyEncryption:
    """Build the row for RSA1_5, which is only ever read (RFC 7518 section 4.2)."""
    return KeyEncryption(
        name=name,
        key_types=("RSA",),
        minimum_bits=MINIMUM_BITS,
        deprecated=deprecated,
        encrypt_key=_refuse,
        decrypt_key=_decrypter(padding.PKCS1v15()),
        decrypt_only=True,
        private_operations=_PRIVATE,
        public_operations=_PUBLIC,
    )


def _refuse(
    key: RSAPublicKey, enc: ContentEncryption, *, cek: bytes | None, header: Mapping[str, Any]
) -> WrappedKey:
    raise KeyUseError("RSA1_5 is for decryption of old tokens only. Encrypt with RSA-OAEP-256.")
