"""A client's public keys (RFC 7591 section 2, RFC 7517)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..._core import json
from ...jose import Key, KeySet
from ...jose.errors import JOSEError, UnsupportedAlgorithmError, UnsupportedKeyError
from ...jose.jwk import fitting_algorithms
from ..vocabulary import ASSERTION_ALGORITHMS
from .refusal import refused

__all__ = ["MOST_KEYS", "check_jwks", "signing_keys"]

MOST_KEYS: Final = 20
"""How many keys a client has at most."""

_LARGEST: Final = 32_768
_FIELD: Final = "jwks"
# Of RSA, EC, OKP, AKP and symmetric keys (RFC 7518 section 6, RFC 8037, RFC 9964).
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})


def check_jwks(jwks: Mapping[str, Any] | None, *, has_uri: bool) -> bytes | None:
    """Return a client's public keys as they are stored, or ``None``.

    Kinds of keys that are unknown here are kept and never used (RFC 7517 section 5).

    Raises:
        InvalidClientMetadataError: If there is a ``jwks_uri`` as well, or they are no keys, not public, weak, too many.
    """
    if jwks is None:
        return None
    if has_uri:
        raise refused(_FIELD, "it must not be there beside jwks_uri.")
    text = json.encode(jwks)
    entries = jwks.get("keys")
    if len(text) > _LARGEST or not isinstance(entries, list) or len(entries) > MOST_KEYS:
        raise refused(_FIELD, f"it is a JWK Set of at most {MOST_KEYS} keys.")
    for entry in entries:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("kty"), str):
            raise refused(_FIELD, "its keys are objects that name their type.")
        if entry["kty"] == "oct" or not _PRIVATE.isdisjoint(entry):
            raise refused(_FIELD, "it holds a key that is secret. That key must not be used any more.")
        _check_key(entry)
    return text


def signing_keys(jwks: Mapping[str, Any] | bytes, algorithm: str) -> KeySet:
    """Return the keys of a set that may be meant by a signature of that algorithm, perhaps none.

    A key that names no algorithm is taken for any that fits it. What is wrong with a key concerns that key alone.

    Args:
        jwks: The set, as somebody else published it.
        algorithm: One of ``ASSERTION_ALGORITHMS``.

    Raises:
        KeySetError: If two keys have one identifier.
        KeyImportError: If it is no JWK Set.
    """
    found = KeySet.from_jwks(jwks, algorithms=[algorithm], ignore_invalid=True)
    return KeySet(key.public() for key in found if not key.is_symmetric)


def _check_key(entry: Mapping[str, Any]) -> None:
    stated = entry.get("alg")
    candidates = [stated] if stated is not None else fitting_algorithms(entry.get("kty"), entry.get("crv"))
    possible = [each for each in candidates if each in ASSERTION_ALGORITHMS]
    if not possible or entry.get("use", "sig") != "sig":
        return  # for encryption, or of a kind that is not known here
    try:
        Key.from_jwk(entry, alg=possible[0])
    except (UnsupportedAlgorithmError, UnsupportedKeyError):
        return
    except JOSEError as error:
        raise refused(_FIELD, "one of its keys is malformed or weak.") from error
