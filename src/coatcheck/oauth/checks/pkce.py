"""Proof Key for Code Exchange: required, and by S256 only (RFC 7636, OAuth 2.1 sections 4.1.1 and 7.5.1)."""

from __future__ import annotations

import re
from typing import Final

from ..errors import InvalidRequestError
from ..model import OAuthClient
from ..parameters import Parameters
from ..vocabulary import OPENID

__all__ = ["code_challenge_of"]

_S256: Final = "S256"
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9\-_]{43}", re.ASCII)  # SHA-256 in base64url


def code_challenge_of(
    parameters: Parameters, client: OAuthClient, scope: tuple[str, ...], *, of_all: bool
) -> str | None:
    """Return the challenge.

    A confidential client of OpenID Connect may do without, as that specification demands of whoever is certified by it:
    it recognises a code that is not its own by the ``nonce`` in the ID token that comes with it (OAuth 2.1 section
    7.5.1), if it sends one. Nobody else may.

    Args:
        parameters: The request.
        client: Who asks.
        scope: What it asks for.
        of_all: Whether nobody may do without.

    Raises:
        InvalidRequestError: If there is none and must be, or it is by another method: ``plain`` hides nothing, and is
            what a request without a method means (RFC 7636 section 4.3).
    """
    challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method")
    if challenge is None:
        if method is not None:
            raise _refused("There is a code_challenge_method, and no code_challenge.")
        if of_all or client.is_public or OPENID not in scope:
            raise _refused("A code_challenge by S256 is required.")
        return None
    if method != _S256:
        raise _refused("The code_challenge_method must be S256.")
    if not _CHALLENGE.fullmatch(challenge):
        raise _refused("The code_challenge is none by S256.")
    return challenge


def _refused(message: str) -> InvalidRequestError:
    return InvalidRequestError(message, field="code_challenge")
