"""Content encryption for JWE (RFC 7518 section 5): AES in Galois/Counter Mode, and AES-CBC with HMAC-SHA2."""

from __future__ import annotations

from hmac import compare_digest

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.padding import PKCS7

from ..errors import DecryptionError
from .model import ContentEncryption

__all__ = ["aes_cbc_hmac", "aes_gcm"]

_GCM_TAG_SIZE = 16


def aes_gcm(name: str, key_size: int) -> ContentEncryption:
    """Build the row for A128GCM, A192GCM or A256GCM (RFC 7518 section 5.3)."""

    def encrypt(key: bytes, plaintext: bytes, *, iv: bytes, aad: bytes) -> tuple[bytes, bytes]:
        sealed = AESGCM(key).encrypt(iv, plaintext, aad)
        return sealed[:-_GCM_TAG_SIZE], sealed[-_GCM_TAG_SIZE:]

    def decrypt(key: bytes, ciphertext: bytes, *, iv: bytes, tag: bytes, aad: bytes) -> bytes:
        try:
            return AESGCM(key).decrypt(iv, ciphertext + tag, aad)
        except InvalidTag:
            raise DecryptionError from None

    return ContentEncryption(
        name=name, key_size=key_size, iv_size=12, tag_size=_GCM_TAG_SIZE, encrypt=encrypt, decrypt=decrypt
    )


def aes_cbc_hmac(name: str, digest: hashes.HashAlgorithm) -> ContentEncryption:
    """Build the row for A128CBC-HS256, A192CBC-HS384 or A256CBC-HS512 (RFC 7518 section 5.2).

    The first half of the key is for the MAC, the second for the cipher; the tag is the first half of the MAC.
    """
    half = digest.digest_size // 2

    def authenticate(key: bytes, ciphertext: bytes, *, iv: bytes, aad: bytes) -> bytes:
        mac = HMAC(key[:half], digest)
        mac.update(aad + iv + ciphertext + (len(aad) * 8).to_bytes(8, "big"))
        return mac.finalize()[:half]

    def encrypt(key: bytes, plaintext: bytes, *, iv: bytes, aad: bytes) -> tuple[bytes, bytes]:
        padder = PKCS7(128).padder()
        encryptor = Cipher(algorithms.AES(key[half:]), modes.CBC(iv)).encryptor()
        padded = padder.update(plaintext) + padder.finalize()
        ciphertext = encryptor.update(padded) + encryptor.finalize()
        return ciphertext, authenticate(key, ciphertext, iv=iv, aad=aad)

    def decrypt(key: bytes, ciphertext: bytes, *, iv: bytes, tag: bytes, aad: bytes) -> bytes:
        # The MAC is checked before anything is decrypted: no padding oracle (Vaudenay 2002).
        if not compare_digest(authenticate(key, ciphertext, iv=iv, aad=aad), tag):
            raise DecryptionError
        decryptor = Cipher(algorithms.AES(key[half:]), modes.CBC(iv)).decryptor()
        unpadder = PKCS7(128).unpadder()
        try:
            padded = decryptor.update(ciphertext) + decryptor.finalize()
            return unpadder.update(padded) + unpadder.finalize()
        except ValueError:
            raise DecryptionError from None

    return ContentEncryption(
        name=name, key_size=2 * half, iv_size=16, tag_size=half, encrypt=encrypt, decrypt=decrypt
    )
