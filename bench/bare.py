"""The bare primitives of the signature algorithms: the floor no token library gets below.

No JSON, no base64, no claims, no copying: one call on a message that is ready.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from cryptography.hazmat.primitives import constant_time, hashes, serialization
from cryptography.hazmat.primitives import hmac as crypto_hmac
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa, utils

from bench.material import Material, material

Signed = tuple[bytes, bytes]
"""A message and its signature, in the form the primitive itself speaks."""

STDLIB = "hmac.digest"
CRYPTOGRAPHY = "cryptography"


@dataclass(frozen=True)
class Primitive:
    """One way to sign and to verify; ``verify`` raises on a wrong signature."""

    name: str
    sign: Callable[[bytes], bytes]
    verify: Callable[[Signed], None]


def primitives(alg: str) -> tuple[Primitive, ...]:
    """The bare ways to do ``alg``; what the others are measured against comes first."""
    key = material(alg)
    if alg == "HS256":
        return (_stdlib_hmac(key.secret), _crypto_hmac(key.secret))
    return (_asymmetric(alg, key),)


def to_jose(alg: str, signature: bytes) -> bytes:
    """The signature as a token carries it: ECDSA's two numbers side by side (RFC 7518, 3.4)."""
    if alg != "ES256":
        return signature
    r, s = utils.decode_dss_signature(signature)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def from_jose(alg: str, signature: bytes) -> bytes:
    """The reverse of `to_jose`."""
    if alg != "ES256":
        return signature
    halves = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    return utils.encode_dss_signature(*halves)


def _stdlib_hmac(secret: bytes) -> Primitive:
    def sign(message: bytes) -> bytes:
        return hmac.digest(secret, message, "sha256")

    def verify(signed: Signed) -> None:
        if not hmac.compare_digest(hmac.digest(secret, signed[0], "sha256"), signed[1]):
            raise ValueError("wrong signature")

    return Primitive(STDLIB, sign, verify)


def _crypto_hmac(secret: bytes) -> Primitive:
    sha256 = hashes.SHA256()

    def sign(message: bytes) -> bytes:
        mac = crypto_hmac.HMAC(secret, sha256)
        mac.update(message)
        return mac.finalize()

    def verify(signed: Signed) -> None:
        if not constant_time.bytes_eq(sign(signed[0]), signed[1]):
            raise ValueError("wrong signature")

    return Primitive(CRYPTOGRAPHY, sign, verify)


def _asymmetric(alg: str, key: Material) -> Primitive:
    private = serialization.load_pem_private_key(key.private_pem, None)
    public = serialization.load_pem_public_key(key.public_pem)
    if alg in ("RS256", "PS256"):
        return _rsa(alg, cast(rsa.RSAPrivateKey, private), cast(rsa.RSAPublicKey, public))
    if alg == "ES256":
        return _ecdsa(cast(ec.EllipticCurvePrivateKey, private), cast(ec.EllipticCurvePublicKey, public))
    return _plain(
        cast(ed25519.Ed25519PrivateKey | mldsa.MLDSA44PrivateKey, private),
        cast(ed25519.Ed25519PublicKey | mldsa.MLDSA44PublicKey, public),
    )


def _rsa(alg: str, private: rsa.RSAPrivateKey, public: rsa.RSAPublicKey) -> Primitive:
    sha256 = hashes.SHA256()
    pad = padding.PKCS1v15() if alg == "RS256" else padding.PSS(padding.MGF1(sha256), sha256.digest_size)

    def sign(message: bytes) -> bytes:
        return private.sign(message, pad, sha256)

    def verify(signed: Signed) -> None:
        public.verify(signed[1], signed[0], pad, sha256)

    return Primitive(CRYPTOGRAPHY, sign, verify)


def _ecdsa(private: ec.EllipticCurvePrivateKey, public: ec.EllipticCurvePublicKey) -> Primitive:
    ecdsa = ec.ECDSA(hashes.SHA256())

    def sign(message: bytes) -> bytes:
        return private.sign(message, ecdsa)

    def verify(signed: Signed) -> None:
        public.verify(signed[1], signed[0], ecdsa)

    return Primitive(CRYPTOGRAPHY, sign, verify)


def _plain(
    private: ed25519.Ed25519PrivateKey | mldsa.MLDSA44PrivateKey,
    public: ed25519.Ed25519PublicKey | mldsa.MLDSA44PublicKey,
) -> Primitive:
    def sign(message: bytes) -> bytes:
        return private.sign(message)

    def verify(signed: Signed) -> None:
        public.verify(signed[1], signed[0])

    return Primitive(CRYPTOGRAPHY, sign, verify)
