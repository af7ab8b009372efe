"""JWE from the bare primitives: makes the tokens, and decrypts their ready-made parts.

The decryption is the floor no token library gets below: no JSON, no base64, no header.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from cryptography.hazmat.primitives import constant_time, hashes, hmac, keywrap, serialization
from cryptography.hazmat.primitives import padding as block_padding
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash

from bench.material import KID, b64, compact_json, material

_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
_CURVE = ec.SECP256R1()


@dataclass(frozen=True)
class Parts:
    """An encrypted message, taken apart and decoded (RFC 7516, section 3.1)."""

    encrypted_key: bytes
    iv: bytes
    ciphertext: bytes
    tag: bytes
    aad: bytes
    ephemeral: bytes = b""
    """The sender's ephemeral P-256 point, for ECDH-ES."""

    def compact(self) -> str:
        """The token."""
        pieces = (self.encrypted_key, self.iv, self.ciphertext, self.tag)
        return b".".join((self.aad, *map(b64, pieces))).decode()


def encrypt(alg: str, enc: str, plaintext: bytes) -> Parts:
    """Encrypt ``plaintext`` to the benchmark's key for ``alg``."""
    header: dict[str, object] = {"alg": alg, "enc": enc, "kid": KID}
    content_key, ephemeral = os.urandom(32), b""
    if alg == "dir":
        content_key, encrypted_key = material(alg).secret, b""
    elif alg == "A256KW":
        encrypted_key = keywrap.aes_key_wrap(material(alg).secret, content_key)
    elif alg == "RSA-OAEP-256":
        public = serialization.load_pem_public_key(material(alg).public_pem)
        encrypted_key = cast(rsa.RSAPublicKey, public).encrypt(content_key, _OAEP)
    else:
        sender = ec.generate_private_key(_CURVE)
        ephemeral = _point(sender.public_key())
        header["epk"] = _epk(ephemeral)
        public = serialization.load_pem_public_key(material(alg).public_pem)
        agreed = _derive(alg, enc, sender.exchange(ec.ECDH(), _p256(public)))
        if alg == "ECDH-ES":
            content_key, encrypted_key = agreed, b""
        else:
            encrypted_key = keywrap.aes_key_wrap(agreed, content_key)
    aad = b64(compact_json(header))
    iv, ciphertext, tag = _seal(enc, content_key, plaintext, aad)
    return Parts(encrypted_key, iv, ciphertext, tag, aad, ephemeral)


def decrypter(alg: str, enc: str) -> Callable[[Parts], bytes]:
    """A function that decrypts `Parts` with keys already loaded."""
    content_key = _content_key(alg, enc)
    opened = _open_gcm if enc == "A256GCM" else _open_cbc
    return lambda parts: opened(content_key(parts), parts)


def _content_key(alg: str, enc: str) -> Callable[[Parts], bytes]:
    key = material(alg)
    if alg == "dir":
        return lambda _: key.secret
    if alg == "A256KW":
        return lambda parts: keywrap.aes_key_unwrap(key.secret, parts.encrypted_key)
    private = serialization.load_pem_private_key(key.private_pem, None)
    if alg == "RSA-OAEP-256":
        rsa_key = cast(rsa.RSAPrivateKey, private)
        return lambda parts: rsa_key.decrypt(parts.encrypted_key, _OAEP)
    ec_key, ecdh = cast(ec.EllipticCurvePrivateKey, private), ec.ECDH()

    def agree(parts: Parts) -> bytes:
        point = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, parts.ephemeral)
        return _derive(alg, enc, ec_key.exchange(ecdh, point))

    if alg == "ECDH-ES":
        return agree
    return lambda parts: keywrap.aes_key_unwrap(agree(parts), parts.encrypted_key)


def _derive(alg: str, enc: str, shared: bytes) -> bytes:
    """The Concat KDF (RFC 7518, section 4.6.2); 256 bits for both algorithms measured here."""
    name = (enc if alg == "ECDH-ES" else alg).encode()
    info = struct.pack(">I", len(name)) + name + bytes(8) + struct.pack(">I", 256)
    return ConcatKDFHash(hashes.SHA256(), 32, info).derive(shared)


def _p256(key: object) -> ec.EllipticCurvePublicKey:
    return cast(ec.EllipticCurvePublicKey, key)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _epk(point: bytes) -> dict[str, str]:
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": b64(point[1:33]).decode(),
        "y": b64(point[33:]).decode(),
    }


def _seal(enc: str, key: bytes, plaintext: bytes, aad: bytes) -> tuple[bytes, bytes, bytes]:
    if enc == "A256GCM":
        iv = os.urandom(12)
        sealed = AESGCM(key).encrypt(iv, plaintext, aad)
        return iv, sealed[:-16], sealed[-16:]
    iv, padder = os.urandom(16), block_padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key[16:]), modes.CBC(iv)).encryptor()
    padded = padder.update(plaintext) + padder.finalize()
    ciphertext = encryptor.update(padded) + encryptor.finalize()
    return iv, ciphertext, _cbc_tag(key, aad, iv, ciphertext)


def _open_gcm(key: bytes, parts: Parts) -> bytes:
    return AESGCM(key).decrypt(parts.iv, parts.ciphertext + parts.tag, parts.aad)


def _open_cbc(key: bytes, parts: Parts) -> bytes:
    if not constant_time.bytes_eq(_cbc_tag(key, parts.aad, parts.iv, parts.ciphertext), parts.tag):
        raise ValueError("wrong tag")
    decryptor = Cipher(algorithms.AES(key[16:]), modes.CBC(parts.iv)).decryptor()
    padded = decryptor.update(parts.ciphertext) + decryptor.finalize()
    unpadder = block_padding.PKCS7(128).unpadder()
    return unpadder.update(padded) + unpadder.finalize()


def _cbc_tag(key: bytes, aad: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """The tag of A128CBC-HS256 (RFC 7518, section 5.2.2)."""
    mac = hmac.HMAC(key[:16], hashes.SHA256())
    mac.update(aad + iv + ciphertext + struct.pack(">Q", len(aad) * 8))
    return mac.finalize()[:16]
