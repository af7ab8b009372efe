"""RSASSA-PKCS1-v1_5 and RSASSA-PSS with SHA-2 (RFC 7518 sections 3.3 and 3.5)."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from ..errors import InvalidSignatureError
from .model import Sign, SignatureAlgorithm, Verify

__all__ = ["rsa_pkcs1", "rsa_pss"]

MINIMUM_BITS = 2048


def rsa_pkcs1(name: str, digest: hashes.HashAlgorithm) -> SignatureAlgorithm:
    """Build the row for RS256, RS384 or RS512."""
    return _rsa(name, digest, padding.PKCS1v15())


def rsa_pss(name: str, digest: hashes.HashAlgorithm) -> SignatureAlgorithm:
    """Build the row for PS256, PS384 or PS512: MGF1 with the same hash, a salt as long as the hash."""
    return _rsa(name, digest, padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size))


def _rsa(name: str, digest: hashes.HashAlgorithm, scheme: padding.AsymmetricPadding) -> SignatureAlgorithm:
    def signer(key: RSAPrivateKey) -> Sign:
        rsa_sign = key.sign

        def sign(message: bytes) -> bytes:
            return rsa_sign(message, scheme, digest)

        return sign

    def verifier(key: RSAPublicKey) -> Verify:
        rsa_verify = key.verify
        size = (key.key_size + 7) // 8

        def verify(message: bytes, signature: bytes) -> None:
            if len(signature) != size:
                raise InvalidSignatureError
            try:
                rsa_verify(signature, message, scheme, digest)
            except InvalidSignature:
                raise InvalidSignatureError from None

        return verify

    return SignatureAlgorithm(
        name=name, key_types=("RSA",), minimum_bits=MINIMUM_BITS, signer=signer, verifier=verifier
    )
