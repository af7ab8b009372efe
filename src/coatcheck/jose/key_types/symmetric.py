"""Secrets: ``kty`` oct (RFC 7518 section 6.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core import base64url
from ..secret_strength import check_secret
from .model import KeyMaterial, KeyType, octets_member

__all__ = ["OCT", "secret_material"]


def secret_material(secret: bytes) -> KeyMaterial:
    """Wrap the octets of a secret."""
    return KeyMaterial(kty="oct", crv=None, bits=len(secret) * 8, private=secret, public=None)


def _load(members: Mapping[str, Any]) -> KeyMaterial:
    secret = octets_member(members, "k")
    check_secret(secret)
    return secret_material(secret)


def _public_members(key: object) -> dict[str, str]:
    return {}


def _private_members(secret: bytes) -> dict[str, str]:
    return {"k": base64url.encode(secret)}


OCT = KeyType(
    kty="oct",
    load=_load,
    adopt=lambda key: secret_material(key) if isinstance(key, bytes) else None,
    public_members=_public_members,
    private_members=_private_members,
    thumbprint_members=("k", "kty"),
)
