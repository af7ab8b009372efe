"""Making and checking one signature: the part that all serialisations share."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from ..._core import base64url
from ..errors import ConfigurationError, InvalidHeaderError, InvalidSignatureError, MalformedTokenError
from ..header import Header, check_critical, check_parameters, extra_parameters
from ..key import Key
from ..key_set import KeySet

__all__ = ["check_headers", "payload_segment", "protected_parameters", "verify_with_any"]

# What may stand unencoded in a compact token: printable ASCII without the period (RFC 7797 section 5.2).
_UNENCODED = re.compile(rb"[\x20-\x2d\x2f-\x7e]*")


def protected_parameters(
    key: Key, *, typ: str | None, cty: str | None, header: Mapping[str, Any] | None, b64: bool
) -> dict[str, Any]:
    """Put the protected header together. Raises ``ConfigurationError`` for parameters that are not the caller's."""
    parameters: dict[str, Any] = {"alg": key.algorithm.header_name}
    if key.kid is not None:
        parameters["kid"] = key.kid
    parameters.update({name: value for name, value in (("typ", typ), ("cty", cty)) if value is not None})
    extra = extra_parameters(header)
    taken = (parameters.keys() | {"b64"}) & extra.keys()
    if taken:
        raise ConfigurationError(f"The header parameter {min(taken)!r} is not to be given here.")
    parameters.update(extra)
    if not b64:
        listed = parameters.get("crit", ())
        parameters["b64"] = False
        parameters["crit"] = [*listed, "b64"] if isinstance(listed, (list, tuple)) else listed
    try:
        check_critical(parameters, check_parameters(parameters), parameters.keys())
    except InvalidHeaderError as error:
        raise ConfigurationError(error.message) from None
    return parameters


def check_headers(
    protected: Mapping[str, Any], parameters: Mapping[str, Any], understood: Collection[str]
) -> tuple[Header, bool]:
    """Check a received header; return it, and whether the payload is base64url-encoded.

    Raises:
        InvalidHeaderError: If a parameter is missing or of the wrong type, or ``b64`` is not declared as RFC 7797
            section 6 demands.
        CriticalHeaderError: If an extension is not understood.
    """
    header = check_parameters(parameters)
    check_critical(protected, parameters, {"b64", *understood})
    if "b64" not in parameters:
        return header, True
    b64 = parameters["b64"]
    if not isinstance(b64, bool):
        raise InvalidHeaderError("The header parameter 'b64' must be true or false.")
    if "b64" not in protected.get("crit", ()):
        raise InvalidHeaderError("The header parameter 'b64' must be listed in 'crit'.")
    return header, b64


def payload_segment(payload: bytes, *, b64: bool) -> bytes:
    """Return what stands for the payload in the signing input."""
    return base64url.encode_to_bytes(payload) if b64 else payload


def may_stand_unencoded(payload: bytes) -> bool:
    """Tell whether a compact token can carry the payload as it is (RFC 7797 section 5.2)."""
    return _UNENCODED.fullmatch(payload) is not None


def decoded_payload(segment: bytes) -> bytes:
    """Decode the payload of a token whose signature has been verified."""
    try:
        return base64url.decode(segment)
    except base64url.Base64URLError:
        raise MalformedTokenError("The payload is not canonical base64url.") from None


def decoded_signature(segment: bytes) -> bytes:
    """Decode the signature."""
    try:
        return base64url.decode(segment)
    except base64url.Base64URLError:
        raise MalformedTokenError("The signature is not canonical base64url.") from None


def verify_with_any(keys: KeySet, header: Header, *, message: bytes, signature: bytes) -> Key:
    """Return the key that verifies the signature, of those the header can mean.

    Raises:
        NoMatchingKeyError: If no key has the identifier.
        AlgorithmMismatchError: If the header names another algorithm than the key's.
        InvalidSignatureError: If none verifies it.
    """
    for key in keys.select(alg=header.alg, kid=header.kid):
        try:
            key.verify(message, signature)
        except InvalidSignatureError:
            continue
        return key
    raise InvalidSignatureError
