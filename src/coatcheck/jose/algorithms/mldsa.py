"""ML-DSA, the module-lattice signature of FIPS 204, in JOSE (RFC 9964): empty context, the private key is the seed."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import (
    MLDSA44PrivateKey,
    MLDSA44PublicKey,
    MLDSA65PrivateKey,
    MLDSA65PublicKey,
    MLDSA87PrivateKey,
    MLDSA87PublicKey,
)

from ..errors import InvalidSignatureError
from .model import Sign, SignatureAlgorithm, Verify

__all__ = ["MLDSAPrivateKey", "MLDSAPublicKey", "ml_dsa"]

MLDSAPrivateKey = MLDSA44PrivateKey | MLDSA65PrivateKey | MLDSA87PrivateKey
MLDSAPublicKey = MLDSA44PublicKey | MLDSA65PublicKey | MLDSA87PublicKey


def _signer(key: MLDSAPrivateKey) -> Sign:
    return key.sign


def _verifier(key: MLDSAPublicKey) -> Verify:
    lattice_verify = key.verify

    def verify(message: bytes, signature: bytes) -> None:
        try:
            lattice_verify(signature, message)
        except InvalidSignature:
            raise InvalidSignatureError from None

    return verify


def ml_dsa(name: str) -> SignatureAlgorithm:
    """Build the row for ML-DSA-44, ML-DSA-65 or ML-DSA-87."""
    return SignatureAlgorithm(
        name=name, key_types=("AKP",), curves=(name,), signer=_signer, verifier=_verifier
    )
