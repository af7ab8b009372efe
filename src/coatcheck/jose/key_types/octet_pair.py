"""Keys on Edwards and Montgomery curves: ``kty`` OKP (RFC 8037 section 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519, x448, x25519

from ..._core import base64url
from ..errors import KeyImportError, UnsupportedKeyError
from .model import KeyMaterial, KeyType, octets_member, text_member
from .okp_strength import check_edwards, check_montgomery

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


def _check_public(crv: str, public: Any) -> None:
    octets = public.public_bytes_raw()
    if crv.startswith("Ed"):
        check_edwards(crv, octets)
    else:
        check_montgomery(crv, octets, agrees=lambda: _agrees(_CURVES[crv], public))


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
    _check_public(crv, key)
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
