"""Assertions: JWTs that a client signs to show who it is (RFC 7521, RFC 7523 section 3, rfc7523bis).

``read_assertion`` finds out whose an assertion claims to be, so that the keys can be found; ``check_claims`` says
whether one whose signature holds is for this server, for this moment, and about the one who signed it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from ..._core import base64url
from ...jose import Claims
from ..errors import InvalidClientError
from ..vocabulary import ASSERTION_ALGORITHMS, SECRET_ASSERTION_ALGORITHMS
from .model import Assertion

__all__ = ["LEEWAY", "AssertionClaims", "check_claims", "consumption_of", "read_assertion", "type_of"]

LEEWAY = 10.0
"""By how many seconds the clock of a client may differ."""

_LONGEST = 16_384  # characters; ML-DSA-87 signatures have 6,172
_LONGEST_JTI = 512
_METHODS: dict[str, Literal["client_secret_jwt", "private_key_jwt"]] = {
    **dict.fromkeys(ASSERTION_ALGORITHMS, "private_key_jwt"),
    **dict.fromkeys(SECRET_ASSERTION_ALGORITHMS, "client_secret_jwt"),
}


class AssertionClaims(Claims):
    """The claims of an assertion (RFC 7523 section 3)."""

    iss: str
    sub: str
    aud: str | tuple[str, ...]
    exp: int | float
    jti: str


class _Header(msgspec.Struct, frozen=True):
    alg: str
    typ: str | None = None
    kid: str | None = None


class _Subject(msgspec.Struct, frozen=True):
    sub: str


_read_header = msgspec.json.Decoder(_Header).decode
_read_subject = msgspec.json.Decoder(_Subject).decode


def read_assertion(token: str) -> Assertion:
    """Return what an assertion says of itself. Nothing of it is proven.

    Raises:
        InvalidClientError: If it is not a signed JWT with a ``sub``, or of no algorithm for assertions. ``none`` is no
            algorithm.
    """
    header, _, rest = token.partition(".")
    payload, _, signature = rest.partition(".")
    if len(token) > _LONGEST or not token.isascii() or not signature:
        raise InvalidClientError(detail="the assertion is not a signed JWT")
    try:
        stated = _read_header(base64url.decode(header.encode("ascii")))
        subject = _read_subject(base64url.decode(payload.encode("ascii"))).sub
    except (ValueError, msgspec.MsgspecError):
        raise InvalidClientError(detail="the assertion is not a signed JWT that has a sub") from None
    method = _METHODS.get(stated.alg)
    if method is None:
        raise InvalidClientError(detail="the assertion is of no algorithm for assertions")
    return Assertion(
        client_id=subject,
        algorithm=stated.alg,
        typ=stated.typ,
        kid=stated.kid,
        token=token,
        method=method,
    )


def type_of(assertion: Assertion, *, explicit: str) -> str:
    """Return the type that a verifier is to demand of an assertion: the explicit one where it is stated.

    A token of another explicit type was made for something else, however well it is signed (RFC 8725 section 3.11):
    the verifier refuses it, because then it demands ``JWT``.
    """
    return explicit if (assertion.typ or "").lower().removeprefix("application/") == explicit else "JWT"


def check_claims(
    claims: AssertionClaims, *, client_id: str, audiences: frozenset[str], longest: float, now: float
) -> None:
    """Check what an assertion says, after its signature. Expiry and ``nbf`` are the verifier's.

    Args:
        claims: What it says.
        client_id: Who signed it.
        audiences: The names of this server that it may be for: exactly one of them, and nobody else.
        longest: For how many seconds it may still be good.
        now: The time, in seconds since 1970.

    Raises:
        InvalidClientError: If it is about or from somebody else, for somebody else too, good for too long, or cannot
            be told from another.
    """
    if claims.iss != client_id or claims.sub != client_id:
        raise InvalidClientError(detail=f"client {client_id}: iss and sub of the assertion are not its own")
    audience = claims.aud if isinstance(claims.aud, str) else claims.aud[0] if len(claims.aud) == 1 else None
    if audience not in audiences:
        # Two audiences are one too many: the other one could present it here (rfc7523bis section 4).
        raise InvalidClientError(detail=f"client {client_id}: the assertion is not for this server alone")
    if not claims.exp <= now + longest + LEEWAY:
        raise InvalidClientError(detail=f"client {client_id}: the assertion is good for too long")
    if not 0 < len(claims.jti) <= _LONGEST_JTI:
        raise InvalidClientError(detail=f"client {client_id}: the assertion has no jti, or a very long one")


def consumption_of(claims: AssertionClaims) -> tuple[str, float]:
    """Return under which text an assertion is noted as used, and until when that has to be known."""
    return f"{len(claims.iss)}:{claims.iss}\n{claims.jti}", claims.exp + LEEWAY
