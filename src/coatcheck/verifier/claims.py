"""The claims of an access token (RFC 9068), and what is made of them."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from ..identity import parse_scope
from ..jose import Claims, jwt
from ..jose.errors import InvalidClaimError
from ..revocation.model import Facts
from ..revocation.policy import LONGEST_TOKEN
from .model import LazyClaims, Principal

__all__ = ["AccessClaims", "Known", "check_life", "instant", "known_token", "scopes_of"]

_END_OF_TIME = 253_402_300_799.0  # the last second of the year 9999
_LONGEST_LIFE = LONGEST_TOKEN.total_seconds()


class AccessClaims(Claims):
    """The claims of an access token (RFC 9068 section 2.2), as far as they are looked at.

    Attributes:
        client_id: The client that it was issued to.
        sid: The session that it comes from.
        scope: What it may do, space-delimited.
        auth_time: When the user last proved who they are.
        amr: How (RFC 8176).
        acr: How strongly.
    """

    sub: str
    exp: int | float
    iat: int | float
    jti: str
    client_id: str = ""
    sid: str = ""
    scope: str = ""
    auth_time: int | float | None = None
    amr: tuple[str, ...] = ()
    acr: str = ""


class Known(msgspec.Struct, gc=False):
    """A credential that was verified.

    Attributes:
        principal: Whom it stands for.
        facts: What the ledger may say of it.
        ends_at: From when on it is not good any more, by the server's clock.
        epoch: The epoch of the ledger in which it was last looked up.
    """

    principal: Principal
    facts: Facts
    ends_at: float
    epoch: int

    def __repr__(self) -> str:
        return f"<Known {self.principal!r}>"


def known_token(verified: jwt.VerifiedToken[AccessClaims], *, leeway: float, epoch: int) -> Known:
    """Return what a verified token stands for.

    Raises:
        InvalidClaimError: If it is good for longer than any token is.
        MalformedScopeError: If its scope is no list of scopes.
    """
    claims = verified.claims
    check_life(claims)
    issued_at, expires_at = instant(claims.iat), instant(claims.exp)
    principal = Principal(
        subject=claims.sub,
        scopes=scopes_of(claims.scope),
        client_id=claims.client_id,
        session_id=claims.sid,
        authenticated_at=None if claims.auth_time is None else instant(claims.auth_time),
        methods=claims.amr,
        acr=claims.acr,
        expires_at=expires_at,
        issued_at=issued_at,
        token_id=claims.jti,
        claims=LazyClaims(verified.payload),
        via="bearer",
    )
    facts = Facts(
        jti=claims.jti,
        sid=claims.sid,
        sub=claims.sub,
        client_id=claims.client_id,
        kid=verified.key.kid or "",
        iat=issued_at,
    )
    return Known(principal, facts, expires_at + leeway, epoch)


def check_life(claims: AccessClaims) -> None:
    """Refuse a token that is good for longer than any that is issued.

    Whoever has stolen a key can write any times, but cannot make the ledger longer: what it says of the key is kept
    until the longest token has expired. A longer one, remembered as verified, would come back to life then.

    Raises:
        InvalidClaimError: If it is one.
    """
    if not claims.exp - claims.iat <= _LONGEST_LIFE:
        raise InvalidClaimError("The token is good for longer than any that is issued.", claim="exp")


def instant(value: float) -> float:
    """Return a time of a token as a float within bounds: its integers may be of any size."""
    return float(min(max(value, 0), _END_OF_TIME))


@lru_cache(maxsize=1024)
def scopes_of(text: str) -> frozenset[str]:
    """Return the scopes of a list: one set for all tokens that have the same. Raises ``MalformedScopeError``."""
    return parse_scope(text)
