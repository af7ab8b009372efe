"""Edwards-curve signatures: ``Ed25519`` and ``Ed448`` (RFC 9864), and their old common name ``EdDSA`` (RFC 8037)."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey, Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ..errors import InvalidSignatureError
from .model import Sign, SignatureAlgorithm, Verify

__all__ = ["eddsa"]


def _signer(key: Ed25519PrivateKey | Ed448PrivateKey) -> Sign:
    return key.sign


def _verifier(key: Ed25519PublicKey | Ed448PublicKey) -> Verify:
    edwards_verify = key.verify

    def verify(message: bytes, signature: bytes) -> None:
        try:
            edwards_verify(signature, message)
        except InvalidSignature:
            raise InvalidSignatureError from None

    return verify


def eddsa(
    name: str, curves: tuple[str, ...], *, aliases: tuple[str, ...], deprecated: str | None = None
) -> SignatureAlgorithm:
    """Build the row for one curve, or for both under their old name."""
    return SignatureAlgorithm(
        name=name,
        key_types=("OKP",),
        curves=curves,
        aliases=aliases,
        deprecated=deprecated,
        signer=_signer,
        verifier=_verifier,
    )
