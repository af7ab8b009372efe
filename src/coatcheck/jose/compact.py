"""What the compact serialisations of JWS and JWE share: the text of a token before anything in it is decoded."""

from __future__ import annotations

from .errors import MalformedTokenError, TokenTooLargeError

__all__ = ["token_octets"]


def token_octets(token: object, limit: int) -> bytes:
    """Return the token as ASCII octets.

    Raises:
        MalformedTokenError: If it is neither text nor bytes, or not ASCII.
        TokenTooLargeError: If it is longer than ``limit``.
    """
    if not isinstance(token, (str, bytes)):
        raise MalformedTokenError(f"A token must be text or bytes, not {type(token).__name__}.")
    if len(token) > limit:
        raise TokenTooLargeError(f"The token is longer than {limit} characters.")
    if not token.isascii():
        raise MalformedTokenError("A token consists of ASCII characters only.")
    return token.encode("ascii") if isinstance(token, str) else token
