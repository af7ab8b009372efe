"""Keys on the curves of NIST and secp256k1: ``kty`` EC (RFC 7518 section 6.2, RFC 8812 section 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from ..._core import base64url
from ..errors import KeyImportError, UnsupportedKeyError
from .model import KeyMaterial, KeyType, octets_member, text_member

__all__ = ["EC", "generate_ec"]

_CURVES: dict[str, tuple[ec.EllipticCurve, int]] = {
    "P-256": (ec.SECP256R1(), 32),
    "P-384": (ec.SECP384R1(), 48),
    "P-521": (ec.SECP521R1(), 66),
    "secp256k1": (ec.SECP256K1(), 32),
}
_NAMES = {curve.name: name for name, (curve, _) in _CURVES.items()}


def _load(members: Mapping[str, Any]) -> KeyMaterial:
    crv = text_member(members, "crv")
    if crv not in _CURVES:
        raise UnsupportedKeyError(f"EC keys on {crv[:32]!r} are not supported. Known: {', '.join(_CURVES)}.")
    curve, size = _CURVES[crv]
    x, y = (int.from_bytes(octets_member(members, name, size=size), "big") for name in ("x", "y"))
    try:
        # This is where a point that is not on the curve is refused (invalid-curve attack).
        public = ec.EllipticCurvePublicNumbers(x, y, curve).public_key()
    except ValueError:
        raise KeyImportError(f"The coordinates 'x' and 'y' are not a point on {crv}.") from None
    if "d" not in members:
        return _material(public)
    secret = int.from_bytes(octets_member(members, "d", size=size), "big")
    try:
        private = ec.derive_private_key(secret, curve)
    except ValueError:
        raise KeyImportError(f"The member 'd' is not a private key of {crv}.") from None
    if private.public_key() != public:
        raise KeyImportError("The members 'x' and 'y' do not belong to 'd'.")
    return _material(private)


def _material(key: ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) -> KeyMaterial:
    crv = _NAMES.get(key.curve.name)
    if crv is None:
        raise UnsupportedKeyError(
            f"EC keys on {key.curve.name!r} are not supported. Known: {', '.join(_CURVES)}."
        )
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return KeyMaterial(kty="EC", crv=crv, bits=key.key_size, private=key, public=key.public_key())
    return KeyMaterial(kty="EC", crv=crv, bits=key.key_size, private=None, public=key)


def _adopt(key: object) -> KeyMaterial | None:
    if isinstance(key, (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)):
        return _material(key)
    return None


def generate_ec(crv: str) -> KeyMaterial:
    """Make a new key on the curve."""
    try:
        return _material(ec.generate_private_key(_CURVES[crv][0]))
    except UnsupportedAlgorithm:  # pragma: no cover - depends on the OpenSSL that cryptography was built with
        raise UnsupportedKeyError(f"The OpenSSL of this installation lacks {crv}.") from None


def _public_members(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    crv = _NAMES[key.curve.name]
    size = _CURVES[crv][1]
    numbers = key.public_numbers()
    return {
        "crv": crv,
        "x": base64url.encode(numbers.x.to_bytes(size, "big")),
        "y": base64url.encode(numbers.y.to_bytes(size, "big")),
    }


def _private_members(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    size = _CURVES[_NAMES[key.curve.name]][1]
    return {"d": base64url.encode(key.private_numbers().private_value.to_bytes(size, "big"))}


EC = KeyType(
    kty="EC",
    load=_load,
    adopt=_adopt,
    public_members=_public_members,
    private_members=_private_members,
    thumbprint_members=("crv", "kty", "x", "y"),
)
