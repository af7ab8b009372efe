"""HMAC with SHA-2 (RFC 7518 section 3.2)."""

from __future__ import annotations

from hmac import compare_digest

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from ..errors import InvalidSignatureError
from .model import Sign, SignatureAlgorithm, Verify

__all__ = ["hmac_sha2"]


def hmac_sha2(name: str, digest: hashes.HashAlgorithm) -> SignatureAlgorithm:
    """Build the row. A key must be at least as long as the hash."""

    # The keyed state is computed once per key and copied per token: half the time of keying anew.
    def signer(secret: bytes) -> Sign:
        fresh = HMAC(secret, digest).copy

        def sign(message: bytes) -> bytes:
            mac = fresh()
            mac.update(message)
            return mac.finalize()

        return sign

    def verifier(secret: bytes) -> Verify:
        fresh = HMAC(secret, digest).copy

        def verify(message: bytes, signature: bytes) -> None:
            mac = fresh()
            mac.update(message)
            if not compare_digest(mac.finalize(), signature):
                raise InvalidSignatureError

        return verify

    bits = digest.digest_size * 8
    return SignatureAlgorithm(
        name=name, key_types=("oct",), minimum_bits=bits, signer=signer, verifier=verifier
    )
