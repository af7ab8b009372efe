"""JSON Web Token (RFC 7519, 8725): signed statements about somebody, and the checking of every one of them.

It owns claims: their names, types, times, issuer and audience. The framing is ``jws`` and ``jwe``.
"""

from __future__ import annotations

from .claims import Claims
from .model import VerifiedToken
from .signer import Signer
from .verifier import Verifier

__all__ = ["Claims", "Signer", "VerifiedToken", "Verifier"]
