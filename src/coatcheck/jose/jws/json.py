"""The flattened and general JSON serialisations (RFC 7515 section 7.2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from ..arguments import names
from ..errors import (
    AlgorithmMismatchError,
    ConfigurationError,
    InvalidHeaderError,
    InvalidSignatureError,
    MalformedTokenError,
    NoMatchingKeyError,
    TokenError,
    TokenTooLargeError,
)
from ..header import Header, extra_parameters, frozen
from ..json_serialization import (
    encoded_header,
    joined,
    object_member,
    octets_member,
    read_object,
    segment_member,
    unflattened,
)
from ..key import Key, the_key
from ..key_set import KeySet, as_key_set
from ..limits import DEFAULT_LIMITS, Limits
from . import signature as one_signature
from .compact import check_octets
from .model import VerifiedJWS, VerifiedSignature

__all__ = ["SignerInfo", "sign_json", "verify_json"]


class SignerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Who signs, and with which header parameters.

    Attributes:
        key: The private key or secret.
        protected: Further parameters under the signature.
        unprotected: Parameters beside it, which anyone can change.
    """

    key: Key
    protected: Mapping[str, Any] = {}
    unprotected: Mapping[str, Any] = {}


def sign_json(
    payload: bytes,
    signers: Key | SignerInfo | Sequence[Key | SignerInfo],
    *,
    flattened: bool | None = None,
    detached: bool = False,
    b64: bool = True,
) -> dict[str, Any]:
    """Sign octets with one key or several.

    Args:
        payload: The octets.
        signers: The key, or the keys.
        flattened: Which syntax; unless given, flattened for one signer that is not in a sequence.
        detached: Whether to leave the payload out.
        b64: ``False`` signs the payload as it is (RFC 7797); it must then be UTF-8 text, or detached.

    Raises:
        KeyUseError: If a key is not for signing.
        ConfigurationError: If the signers, a header or the payload cannot be.
    """
    check_octets(payload)
    infos = _infos(signers)
    flat = isinstance(signers, (Key, SignerInfo)) if flattened is None else flattened
    if flat and len(infos) != 1:
        raise ConfigurationError("The flattened syntax has exactly one signature.")
    body = one_signature.payload_segment(payload, b64=b64)
    signatures = [_sign_one(info, body, b64=b64) for info in infos]
    token: dict[str, Any] = {} if detached else {"payload": _as_text(body)}
    return {**token, **signatures[0]} if flat else {**token, "signatures": signatures}


def verify_json(
    token: Mapping[str, Any] | str | bytes,
    keys: Key | KeySet,
    *,
    payload: bytes | None = None,
    understood: Collection[str] = (),
    limits: Limits = DEFAULT_LIMITS,
) -> VerifiedJWS:
    """Verify a token in flattened or general syntax.

    At least one signature must be by one of the keys. Signatures by others are passed over, and do not appear in the
    result; whoever demands several signers counts ``signatures``.

    Args:
        token: The token, as a mapping or as JSON.
        keys: The keys that are trusted.
        payload: The octets, if they are detached from the token.
        understood: The critical extensions that the caller will process.
        limits: How much to look at.

    Raises:
        TokenError: One of its kinds, if anything at all is wrong.
        KeyUseError: If a key is not for verifying.
    """
    members = read_object(token, limits)
    entries = unflattened(members, "signatures", parts=("protected", "header", "signature"), limits=limits)
    key_set = as_key_set(keys)
    extensions = names(understood, "understood")
    received = [_read_signature(entry, extensions, limits) for entry in entries]
    if len({entry.b64 for entry in received}) != 1:
        raise InvalidHeaderError("The signatures do not agree on 'b64' (RFC 7797 section 3).")
    b64 = received[0].b64
    body = _body(members, payload, b64=b64, limits=limits)
    verified: list[VerifiedSignature] = []
    refused: TokenError = InvalidSignatureError()
    for entry in received:
        message = entry.segment + b"." + body
        try:
            key = one_signature.verify_with_any(
                key_set, entry.header, message=message, signature=entry.signature
            )
        except (NoMatchingKeyError, AlgorithmMismatchError, InvalidSignatureError) as error:
            refused = error
        else:
            # What anyone could have changed is kept apart from what was signed.
            signed = Header({"alg": entry.header.alg, **entry.protected})
            verified.append(VerifiedSignature(signed, key, frozen(entry.unprotected)))
    if not verified:
        raise refused
    return VerifiedJWS(one_signature.decoded_payload(body) if b64 else body, tuple(verified))


def _infos(signers: object) -> list[SignerInfo]:
    entries = signers if isinstance(signers, (list, tuple)) else (signers,)
    infos = [SignerInfo(key=entry) if isinstance(entry, Key) else entry for entry in entries]
    if not infos or not all(isinstance(info, SignerInfo) for info in infos):
        raise ConfigurationError(
            "Signers are given as a Key, a SignerInfo, or a list of these that is not empty."
        )
    return infos


def _sign_one(info: SignerInfo, body: bytes, *, b64: bool) -> dict[str, Any]:
    unprotected = extra_parameters(info.unprotected)
    parameters = one_signature.protected_parameters(
        the_key(info.key), typ=None, cty=None, header=info.protected, b64=b64
    )
    misplaced = (parameters.keys() | {"b64", "crit"}) & unprotected.keys()
    if misplaced:
        raise ConfigurationError(
            f"The header parameter {min(misplaced)!r} must not stand in the unprotected header."
        )
    protected = encoded_header(parameters)
    signature = one_signature.payload_segment(info.key.sign(protected + b"." + body), b64=True)
    entry: dict[str, Any] = {"protected": protected.decode("ascii"), "signature": signature.decode("ascii")}
    return {**entry, "header": unprotected} if unprotected else entry


def _as_text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigurationError("An unencoded payload that is not UTF-8 text must be detached.") from None


class _Received(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a received token, read and checked but not verified."""

    header: Header
    protected: Mapping[str, Any]
    unprotected: Mapping[str, Any]
    segment: bytes
    signature: bytes
    b64: bool


def _read_signature(entry: Mapping[str, Any], understood: Collection[str], limits: Limits) -> _Received:
    if "signature" not in entry:
        raise MalformedTokenError("The token has no 'signature'.")
    segment = segment_member(entry, "protected", limits)
    unprotected = object_member(entry, "header")
    protected, parameters = joined(segment, unprotected, limits=limits)
    header, b64 = one_signature.check_headers(protected, parameters, understood)
    signature = octets_member(entry, "signature", limits)
    return _Received(
        header=header,
        protected=protected,
        unprotected=unprotected,
        segment=segment,
        signature=signature,
        b64=b64,
    )


def _body(members: Mapping[str, Any], payload: bytes | None, *, b64: bool, limits: Limits) -> bytes:
    """Return the payload's part of the signing input, from the token or from the caller."""
    if payload is not None:
        check_octets(payload)
        if "payload" in members:
            raise MalformedTokenError(
                "The token carries a payload of its own, where a detached one was expected."
            )
        return one_signature.payload_segment(payload, b64=b64)
    if "payload" not in members:
        raise MalformedTokenError("The token has no 'payload', and none was given.")
    if b64:
        return segment_member(members, "payload", limits)
    text = members["payload"]
    if not isinstance(text, str):
        raise MalformedTokenError("The token's member 'payload' must be a string.")
    if len(text) > limits.token:
        raise TokenTooLargeError(f"The token's member 'payload' is longer than {limits.token} characters.")
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedTokenError("The token's payload is not valid Unicode text.") from None
