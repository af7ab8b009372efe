"""The compact serialisation (RFC 7515 section 7.1), with detached (Appendix F) and unencoded payloads (RFC 7797)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..arguments import names
from ..compact import token_octets
from ..errors import ConfigurationError, InvalidSignatureError, MalformedTokenError
from ..header import parse_header
from ..json_serialization import encoded_header
from ..key import Key, the_key
from ..key_set import KeySet, as_key_set
from ..limits import DEFAULT_LIMITS, Limits, the_limits
from . import signature as one_signature
from .model import VerifiedJWS, VerifiedSignature

__all__ = ["sign", "verify"]


def sign(
    payload: bytes,
    key: Key,
    *,
    typ: str | None = None,
    cty: str | None = None,
    header: Mapping[str, Any] | None = None,
    detached: bool = False,
    b64: bool = True,
) -> str:
    """Sign octets.

    Args:
        payload: The octets.
        key: The private key or secret; its algorithm and ``kid`` go into the header.
        typ: The kind of token, for example ``"secevent+jwt"``.
        cty: The kind of payload.
        header: Further protected parameters.
        detached: Whether to leave the payload out of the token; the receiver must have it from elsewhere.
        b64: ``False`` signs the payload as it is, without base64url (RFC 7797).

    Raises:
        KeyUseError: If the key is not for signing.
        ConfigurationError: If the header cannot be, or the payload cannot stand in a token unencoded.
    """
    check_octets(payload)
    if not (b64 or detached or one_signature.may_stand_unencoded(payload)):
        raise ConfigurationError("This payload cannot stand unencoded in a compact token: use detached=True.")
    parameters = one_signature.protected_parameters(the_key(key), typ=typ, cty=cty, header=header, b64=b64)
    protected = encoded_header(parameters)
    body = one_signature.payload_segment(payload, b64=b64)
    signed = one_signature.payload_segment(key.sign(protected + b"." + body), b64=True)
    return b".".join((protected, b"" if detached else body, signed)).decode("ascii")


def verify(
    token: str | bytes,
    keys: Key | KeySet,
    *,
    payload: bytes | None = None,
    understood: Collection[str] = (),
    limits: Limits = DEFAULT_LIMITS,
) -> VerifiedJWS:
    """Verify a signature and return what was signed.

    Args:
        token: The compact token.
        keys: The keys that are trusted. The token's header selects among them, and cannot name an algorithm that is
            not the key's own.
        payload: The octets, if they are detached from the token.
        understood: The critical extensions that the caller will process.
        limits: How much to look at.

    Raises:
        TokenError: One of its kinds, if anything at all is wrong.
        KeyUseError: If the key is not for verifying.
    """
    octets = token_octets(token, the_limits(limits).token)
    if octets.count(b".") != 2:
        raise MalformedTokenError("A signed token has three parts, separated by periods.")
    protected, body, signed = octets.split(b".")
    parameters = parse_header(protected, limits)
    header, b64 = one_signature.check_headers(parameters, parameters, names(understood, "understood"))
    if payload is not None:
        check_octets(payload)
        if body:
            raise MalformedTokenError(
                "The token carries a payload of its own, where a detached one was expected."
            )
        body = one_signature.payload_segment(payload, b64=b64)
    elif not (b64 or one_signature.may_stand_unencoded(body)):
        raise MalformedTokenError(
            "The payload has characters that a token cannot carry unencoded (RFC 7797)."
        )
    signature = one_signature.decoded_signature(signed)
    try:
        key = one_signature.verify_with_any(
            as_key_set(keys), header, message=protected + b"." + body, signature=signature
        )
    except InvalidSignatureError:
        if body or payload is not None:
            raise
        hint = (
            "The signature does not verify over an empty payload. If it is detached, give it with payload=."
        )
        raise InvalidSignatureError(hint) from None
    content = one_signature.decoded_payload(body) if b64 else body
    return VerifiedJWS(content, (VerifiedSignature(header, key),))


def check_octets(payload: object) -> None:
    """Raise ``ConfigurationError`` unless the payload is ``bytes``."""
    if type(payload) is not bytes:
        raise ConfigurationError(f"The payload must be bytes, not {type(payload).__name__}.")
