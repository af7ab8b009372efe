"""Keys on Edwards and Montgomery curves: ``kty`` OKP (RFC 8037 section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519, x448, x25519

from ..._core import base64url
from ..errors import KeyImportError, UnsupportedKeyError, WeakKeyError
from .model import KeyMaterial, KeyType, octets_member, text_member

__all__ = ["OKP", "generate_okp"]


class _Curve(msgspec.Struct, frozen=True):
    private: Any
    public: Any
    size: int


_CURVES = {
    "Ed25519": _Curve(ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey, 32),
    "Ed448": _Curve(ed448.Ed448PrivateKey, ed448.Ed448PublicKey, 57),
    "X25519": _Curve(x25519.X25519PrivateKey, x25519.X25519PublicKey, 32),
    "X448": _Curve(x448.X448PrivateKey, x448.X448PublicKey, 56),
}


def _small_order_encodings() -> dict[str, frozenset[bytes]]:
    """Return the y coordinates of the points whose order divides the cofactor, also written not fully reduced."""
    p25519, p448 = 2**255 - 19, 2**448 - 2**224 - 1
    # On Ed25519 those of order 8 are the roots of d*y**4 + 2*y**2 - 1.
    y = int.from_bytes(
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
    )
    ed25519_points = (0, 1, p25519 - 1, p25519, p25519 + 1, y, p25519 - y)
    ed448_points = (0, 1, p448 - 1, p448, p448 + 1)
    return {
        "Ed25519": frozenset(number.to_bytes(32, "little") for number in ed25519_points),
        "Ed448": frozenset(number.to_bytes(57, "little") for number in ed448_points),
    }


_SMALL_ORDER = _small_order_encodings()


def _refuse_small_order(crv: str, public: Any) -> None:
    """Refuse public keys of which anyone knows a signature or the shared secret (RFC 7748 section 6, RFC 8032).

    With the neutral element as the key, one signature verifies for every message.
    """
    octets = public.public_bytes_raw()
    if crv in _SMALL_ORDER:
        weak = octets[:-1] + bytes([octets[-1] & 0x7F]) in _SMALL_ORDER[crv]
    else:
        weak = not _agrees(_CURVES[crv], public)
    if weak:
        raise WeakKeyError(f"The public key is a point of small order on {crv}: it protects nothing.")


def _agrees(curve: _Curve, public: Any) -> bool:
    """Tell whether a key agreement with the key has a secret: OpenSSL refuses one that comes out as zero."""
    try:
        curve.private.from_private_bytes(b"\x08" * curve.size).exchange(public)
    except ValueError:
        return False
    return True


def _load(members: Mapping[str, Any]) -> KeyMaterial:
    crv = text_member(members, "crv")
    curve = _CURVES.get(crv)
    if curve is None:
        raise UnsupportedKeyError(f"OKP keys on {crv[:32]!r} are not supported. Known: {', '.join(_CURVES)}.")
    x = octets_member(members, "x", size=curve.size)
    try:
        if "d" not in members:
            return _material(crv, curve, curve.public.from_public_bytes(x))
        private = curve.private.from_private_bytes(octets_member(members, "d", size=curve.size))
    except UnsupportedAlgorithm:  # pragma: no cover - depends on the OpenSSL that cryptography was built with
        raise UnsupportedKeyError(f"The OpenSSL of this installation lacks {crv}.") from None
    if private.public_key().public_bytes_raw() != x:
        raise KeyImportError("The member 'x' does not belong to 'd'.")
    return _material(crv, curve, private)


def _material(crv: str, curve: _Curve, key: Any) -> KeyMaterial:
    bits = curve.size * 8
    if isinstance(key, curve.private):
        return KeyMaterial(kty="OKP", crv=crv, bits=bits, private=key, public=key.public_key())
    _refuse_small_order(crv, key)
    return KeyMaterial(kty="OKP", crv=crv, bits=bits, private=None, public=key)


def _adopt(key: object) -> KeyMaterial | None:
    for crv, curve in _CURVES.items():
        if isinstance(key, (curve.private, curve.public)):
            return _material(crv, curve, key)
    return None


def generate_okp(crv: str) -> KeyMaterial:
    """Make a new key on the curve."""
    curve = _CURVES[crv]
    try:
        return _material(crv, curve, curve.private.generate())
    except UnsupportedAlgorithm:  # pragma: no cover - depends on the OpenSSL that cryptography was built with
        raise UnsupportedKeyError(f"The OpenSSL of this installation lacks {crv}.") from None


def _public_members(key: Any) -> dict[str, str]:
    crv = next(name for name, curve in _CURVES.items() if isinstance(key, curve.public))
    return {"crv": crv, "x": base64url.encode(key.public_bytes_raw())}


def _private_members(key: Any) -> dict[str, str]:
    return {"d": base64url.encode(key.private_bytes_raw())}


OKP = KeyType(
    kty="OKP",
    load=_load,
    adopt=_adopt,
    public_members=_public_members,
    private_members=_private_members,
    thumbprint_members=("crv", "kty", "x"),
)
