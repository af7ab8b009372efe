"""What a security review should look at first: reading without verifying, and switching checks off.

Every name here gives up a protection. An import of this module is the place to ask why.
"""

from __future__ import annotations

from typing import Any

import msgspec

from .._core import base64url, json
from .compact import token_octets
from .errors import MalformedTokenError
from .header import parse_header
from .jwt.policy import Anything
from .limits import DEFAULT_LIMITS, Limits, the_limits

__all__ = ["ANY_AUDIENCE", "ANY_ISSUER", "NO_EXPIRY", "UnverifiedToken", "read_unverified"]

ANY_AUDIENCE = Anything("ANY_AUDIENCE")
"""For ``jwt.Verifier(audience=…)``: accept tokens that were meant for somebody else."""

ANY_ISSUER = Anything("ANY_ISSUER")
"""For ``jwt.Verifier(issuer=…)``: accept whatever the token says of its issuer."""

NO_EXPIRY = Anything("NO_EXPIRY")
"""For ``jwt.Signer(lifetime=…)``: sign tokens that never end. Their verifier needs ``require=()``."""


class UnverifiedToken(msgspec.Struct, frozen=True):
    """What a token claims, which may all be a lie. It is not a ``VerifiedToken`` and never becomes one.

    Attributes:
        header: The protected header's parameters; nothing about them was checked but that they are JSON.
        payload: The octets of the payload; ``None`` for an encrypted token.
        signature: The octets of the signature; ``None`` for an encrypted token.
    """

    header: dict[str, Any]
    payload: bytes | None
    signature: bytes | None

    @property
    def is_encrypted(self) -> bool:
        """Whether the token is a JWE, whose content cannot be read without a key."""
        return self.payload is None

    @property
    def claims(self) -> dict[str, Any]:
        """The payload as a JSON object. Raises ``MalformedTokenError`` if it is none, or is encrypted."""
        if self.payload is None:
            raise MalformedTokenError("The token is encrypted.")
        try:
            return json.decode_object(self.payload, max_depth=DEFAULT_LIMITS.depth)
        except json.JSONError as error:
            raise MalformedTokenError(f"The payload is no JSON object: {error}.") from None


def read_unverified(token: str | bytes, *, limits: Limits = DEFAULT_LIMITS) -> UnverifiedToken:
    """Read a compact JWS or JWE without any check of who made it.

    Good for showing a token to a person, or for finding out which issuer's verifier to ask. Nothing in it is true
    until that verifier says so.

    Raises:
        TokenError: If it is not in the form of a token, or beyond the limits.
    """
    octets = token_octets(token, the_limits(limits).token)
    segments = octets.split(b".", 5)
    header = parse_header(segments[0], limits)
    if len(segments) not in {3, 5}:
        raise MalformedTokenError("A token has three parts if it is signed and five if it is encrypted.")
    try:
        decoded = [base64url.decode(segment) for segment in segments[1:]]
    except base64url.Base64URLError:
        raise MalformedTokenError("A part of the token is not canonical base64url.") from None
    if len(segments) == 5:
        return UnverifiedToken(header, None, None)
    return UnverifiedToken(header, decoded[0], decoded[1])
