"""Proof Key for Code Exchange (RFC 7636, OAuth 2.1 section 4.1.1): by S256, and no other way."""

from __future__ import annotations

import hashlib
import re

from ..._core import base64url
from ..._core.secrets import equal
from ..errors import InvalidGrantError

__all__ = ["challenge_of", "check_verifier"]

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}", re.ASCII)  # RFC 7636 section 4.1


def challenge_of(verifier: str) -> str:
    """Return the challenge of a verifier by S256 (RFC 7636 section 4.2)."""
    return base64url.encode(hashlib.sha256(verifier.encode("ascii")).digest())


def check_verifier(challenge: str | None, verifier: str | None) -> None:
    """Check that whoever exchanges a code is the one who asked for it.

    A verifier is there if, and only if, a challenge was: else whoever strips the challenge from a request has switched
    the protection off (RFC 9700 section 4.8.2).

    Args:
        challenge: What came with the authorization request.
        verifier: What comes with the code.

    Raises:
        InvalidGrantError: If they do not belong together.
    """
    if challenge is None:
        if verifier is not None:
            raise InvalidGrantError(_WRONG, detail="a code_verifier, and there was no code_challenge")
        return
    if verifier is None:
        raise InvalidGrantError(_WRONG, detail="no code_verifier, and there was a code_challenge")
    if not _VERIFIER.fullmatch(verifier) or not equal(challenge_of(verifier), challenge):
        raise InvalidGrantError(_WRONG, detail="a wrong code_verifier")


_WRONG = "The code_verifier does not belong to this code."
