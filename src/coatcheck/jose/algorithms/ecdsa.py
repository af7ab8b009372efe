"""ECDSA (RFC 7518 section 3.4, RFC 8812 section 3 for secp256k1): the signature is R and S, each of fixed length."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from ..errors import InvalidSignatureError
from .model import Sign, SignatureAlgorithm, Verify

__all__ = ["der_signature", "ecdsa"]


def ecdsa(name: str, digest: hashes.HashAlgorithm, *, crv: str, size: int) -> SignatureAlgorithm:
    """Build the row for one curve, whose coordinates are ``size`` octets long, with its one hash."""
    verify_scheme = ec.ECDSA(digest)
    sign_scheme = _deterministic(digest)

    def signer(key: ec.EllipticCurvePrivateKey) -> Sign:
        ec_sign = key.sign

        def sign(message: bytes) -> bytes:
            r, s = decode_dss_signature(ec_sign(message, sign_scheme))
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")

        return sign

    def verifier(key: ec.EllipticCurvePublicKey) -> Verify:
        ec_verify = key.verify
        length = 2 * size

        def verify(message: bytes, signature: bytes) -> None:
            if len(signature) != length:
                raise InvalidSignatureError
            try:
                ec_verify(der_signature(signature[:size], signature[size:]), message, verify_scheme)
            except InvalidSignature:
                raise InvalidSignatureError from None

        return verify

    return SignatureAlgorithm(name=name, key_types=("EC",), curves=(crv,), signer=signer, verifier=verifier)


def der_signature(r: bytes, s: bytes) -> bytes:
    """Write R and S as the SEQUENCE of two INTEGERs that OpenSSL takes (RFC 3279 section 2.2.3).

    Half the time of doing so by way of Python integers, which counts where verifying itself takes 40 µs.
    """
    r, s = _der_integer(r), _der_integer(s)
    body = b"\x02%c%b\x02%c%b" % (len(r), r, len(s), s)
    return (b"\x30%c%b" if len(body) < 128 else b"\x30\x81%c%b") % (len(body), body)


def _der_integer(octets: bytes) -> bytes:
    """Return the content of a non-negative INTEGER: no leading zero octets but the one that keeps it from negative."""
    stripped = octets.lstrip(b"\0")
    return stripped if stripped and stripped[0] < 0x80 else b"\0" + stripped


def _deterministic(digest: hashes.HashAlgorithm) -> ec.ECDSA:
    """Nonces by RFC 6979, as draft-ietf-oauth-rfc8725bis asks, wherever the OpenSSL underneath (3.2 on) has them."""
    try:
        return ec.ECDSA(digest, deterministic_signing=True)
    except UnsupportedAlgorithm:  # pragma: no cover - depends on the OpenSSL that cryptography was built with
        return ec.ECDSA(digest)
