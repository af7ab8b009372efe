"""Reading the text of a JWK, and deciding which algorithm its key is pinned to (RFC 7517 section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core import json
from .algorithms import KEY_ENCRYPTION, SIGNATURE, KeyEncryption, SignatureAlgorithm, get_algorithm
from .errors import ConfigurationError, KeyImportError, KeyUseError, UnsupportedKeyError
from .key_types.model import text_member

__all__ = ["fitting_algorithms", "parse_json_members", "parse_jwk", "pinned_algorithm"]

_LARGEST_TEXT = 1_048_576
_MAX_DEPTH = 16


def parse_json_members(text: object, what: str) -> Mapping[str, Any]:
    """Take a mapping as it is, or parse JSON text. Raises ``KeyImportError`` if it is neither.

    Args:
        text: The mapping, string or bytes.
        what: What it should be, for the error.
    """
    if isinstance(text, Mapping):
        return text
    if not isinstance(text, (str, bytes)):
        raise ConfigurationError(f"A {what} must be a mapping or JSON text.")
    if len(text) > _LARGEST_TEXT:
        raise KeyImportError(f"The {what} is larger than {_LARGEST_TEXT} bytes.")
    try:
        return json.decode_object(json.octets_of(text), max_depth=_MAX_DEPTH)
    except json.JSONError as error:
        raise KeyImportError(f"The {what} cannot be read: {error}.") from None


def parse_jwk(jwk: object) -> Mapping[str, Any]:
    """Read a JWK's members and check those that every key has."""
    members = parse_json_members(jwk, "JWK")
    if "keys" in members and "kty" not in members:
        raise KeyImportError("This is a JWK Set, not a JWK: read it with KeySet.from_jwks.")
    for name in ("alg", "kid"):
        if name in members and not isinstance(members[name], str):
            raise KeyImportError(f"The JWK's member {name!r} must be a string.")
    return members


def pinned_algorithm(members: Mapping[str, Any], alg: str | None) -> SignatureAlgorithm | KeyEncryption:
    """Decide on the one algorithm: what the caller names, what the JWK names, or both if they agree.

    Raises:
        KeyImportError: If neither names one (``UnsupportedKeyError`` if none of the table could be named).
        KeyUseError: If they disagree.
        UnsupportedAlgorithmError: If it is not in the table, or deprecated and not named by the caller.
    """
    stated = members.get("alg")
    if alg is None:
        if stated is None:
            raise _no_algorithm(members)
        return get_algorithm(stated, named_by_caller=False)
    algorithm = get_algorithm(alg, named_by_caller=True)
    if stated is not None and stated not in {algorithm.name, *algorithm.aliases}:
        raise KeyUseError(
            f"The JWK is for {stated[:32]!r}, not for {algorithm.name!r}: one key, one algorithm."
        )
    return algorithm


def _no_algorithm(members: Mapping[str, Any]) -> KeyImportError:
    kty, crv = text_member(members, "kty"), members.get("crv")
    fitting = ", ".join(fitting_algorithms(kty, crv))
    if not fitting:
        curve = f" on {crv[:32]!r}" if isinstance(crv, str) else ""
        return UnsupportedKeyError(f"Keys of type {kty[:32]!r}{curve} fit no algorithm that is supported.")
    return KeyImportError(f"The JWK names no algorithm. Name one with alg=...; it fits: {fitting}.")


def fitting_algorithms(kty: object, crv: object) -> tuple[str, ...]:
    """Return the names of the algorithms that take a key of this type and curve, the deprecated ones last.

    A curve of ``None`` stands for any.
    """
    rows = (*SIGNATURE.values(), *KEY_ENCRYPTION.values())
    fitting = [row for row in rows if kty in row.key_types and (not row.curves or crv in (*row.curves, None))]
    return tuple(row.name for row in sorted(fitting, key=lambda row: row.deprecated is not None))
