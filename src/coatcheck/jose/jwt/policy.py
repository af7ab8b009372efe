"""What a verifier demands of claims (RFC 7519 section 4.1, RFC 8725 sections 3.8 to 3.10)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

import msgspec

from ..arguments import names
from ..errors import (
    AudienceMismatchError,
    ClaimError,
    ConfigurationError,
    ExpiredTokenError,
    IssuedInFutureError,
    IssuerMismatchError,
    MissingClaimError,
    TokenNotYetValidError,
    TokenTooOldError,
)
from .claims import REGISTERED, Claims

__all__ = ["Anything", "ClaimsPolicy", "instant", "make_policy", "missing"]

_MOST_LEEWAY = timedelta(minutes=10)


class Anything:
    """The type of the sentinels that switch a check off; the sentinels themselves live in ``hazmat``."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


class ClaimsPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The demands, in the form in which they are checked.

    Attributes:
        issuer: The only ``iss``; ``None`` if there must be none.
        any_issuer: Whether ``iss`` is not looked at.
        audience: The values of which ``aud`` must contain one; empty if there must be no ``aud``.
        any_audience: Whether ``aud`` is not looked at.
        required: The registered claims that must be there, beside those that other demands need.
        required_names: Further claims that must be there.
        leeway: Seconds by which clocks may differ.
        max_age: Seconds since ``iat``, or ``None`` for no limit.
    """

    issuer: str | None
    any_issuer: bool
    audience: frozenset[str]
    any_audience: bool
    required: tuple[str, ...]
    required_names: tuple[str, ...]
    leeway: float
    max_age: float | None

    def check(self, claims: Claims, now: float) -> None:
        """Check the registered claims at a point in time. Raises a kind of ``ClaimError`` at the first that fails.

        The whole of it in one function, and the token's numbers only compared, never computed with: this runs with
        every token, and a token's integer may be of any size.
        """
        for name in self.required:
            if getattr(claims, name) is None:
                raise missing(name)
        latest, earliest = now + self.leeway, now - self.leeway
        # Each comparison is written so that a clock that returns no number (NaN) refuses everything.
        if claims.exp is not None and not claims.exp > earliest:
            raise _wrong_time(
                ExpiredTokenError,
                "The token has expired.",
                claim="exp",
                value=claims.exp,
                expected=f"later than {now:.0f}",
            )
        if claims.nbf is not None and not claims.nbf <= latest:
            raise _wrong_time(
                TokenNotYetValidError,
                "The token is not valid yet.",
                claim="nbf",
                value=claims.nbf,
                expected=f"not later than {now:.0f}",
            )
        if claims.iat is not None and not claims.iat <= latest:
            raise _wrong_time(
                IssuedInFutureError,
                "The token was issued in the future.",
                claim="iat",
                value=claims.iat,
                expected=f"not later than {now:.0f}",
            )
        if self.max_age is not None and (claims.iat is None or not claims.iat >= earliest - self.max_age):
            self._refuse_age(claims.iat)
        if claims.iss != self.issuer and not self.any_issuer:
            raise self._wrong_issuer(claims.iss)
        if not (
            claims.aud in self.audience if type(claims.aud) is str else self._accepts_audience(claims.aud)
        ):
            self._refuse_audience(claims.aud)

    def _refuse_age(self, iat: float | None) -> None:
        if iat is None:
            raise missing("iat")
        raise TokenTooOldError(
            "The token was issued too long ago.",
            claim="iat",
            value=iat,
            expected=f"at most {self.max_age:.0f} s old",
        )

    def _wrong_issuer(self, iss: str | None) -> IssuerMismatchError | MissingClaimError:
        if iss is None:
            return missing("iss", expected=self.issuer)
        return IssuerMismatchError(
            "The token is from another issuer.", claim="iss", value=iss, expected=self.issuer
        )

    def _accepts_audience(self, aud: tuple[str, ...] | str | None) -> bool:
        if aud is None:
            return not self.audience
        return not self.audience.isdisjoint(aud)

    def _refuse_audience(self, aud: str | tuple[str, ...] | None) -> None:
        if self.any_audience:
            return
        expected = sorted(self.audience)
        if aud is None:
            raise missing("aud", expected=expected)
        raise AudienceMismatchError(
            "The token is for another audience.", claim="aud", value=aud, expected=expected
        )


def _wrong_time(
    kind: type[ClaimError], message: str, *, claim: str, value: float, expected: str
) -> ClaimError:
    return kind(message, claim=claim, value=value, expected=expected)


def missing(claim: str, *, expected: Any = None) -> MissingClaimError:
    """Return the error for a claim that is not there."""
    return MissingClaimError(f"The claim {claim!r} is missing.", claim=claim, expected=expected)


def make_policy(
    *,
    issuer: str | Anything | None,
    audience: str | Collection[str] | Anything | None,
    require: Collection[str],
    leeway: timedelta,
    max_age: timedelta | None,
) -> ClaimsPolicy:
    """Check what the caller demands and put it into the form in which it is checked. Raises ``ConfigurationError``."""
    required = names(require, "require")
    if not isinstance(leeway, timedelta) or not timedelta(0) <= leeway <= _MOST_LEEWAY:
        raise ConfigurationError("'leeway' must be a timedelta from zero to ten minutes.")
    if max_age is not None and (not isinstance(max_age, timedelta) or max_age <= timedelta(0)):
        raise ConfigurationError("'max_age' must be a positive timedelta.")
    if issuer is not None and (not isinstance(issuer, (Anything, str)) or issuer == ""):
        raise ConfigurationError(
            "'issuer' must be the issuer's identifier, or None if tokens must not have one."
        )
    return ClaimsPolicy(
        issuer=issuer if isinstance(issuer, str) else None,
        any_issuer=isinstance(issuer, Anything),
        audience=_audience(audience),
        any_audience=isinstance(audience, Anything),
        required=tuple(name for name in REGISTERED if name in required),
        required_names=tuple(sorted(required.difference(REGISTERED))),
        leeway=leeway.total_seconds(),
        max_age=None if max_age is None else max_age.total_seconds(),
    )


def _audience(audience: object) -> frozenset[str]:
    if audience is None or isinstance(audience, Anything):
        return frozenset()
    identifiers = names((audience,) if isinstance(audience, str) else audience, "audience")
    if not identifiers or "" in identifiers:
        raise ConfigurationError(
            "'audience' must be this recipient's identifier or identifiers, or None if tokens must not have one."
        )
    return identifiers


def instant(now: float | datetime) -> float:
    """Return a point in time as seconds. Raises ``ConfigurationError`` for a naive ``datetime`` or no finite number."""
    if isinstance(now, datetime):
        if now.utcoffset() is None:
            raise ConfigurationError("A datetime needs a time zone: datetime.now(UTC).")
        return now.timestamp()
    if isinstance(now, bool) or not isinstance(now, (int, float)) or not _is_finite(now):
        raise ConfigurationError(
            "A point in time is a finite number of seconds or a datetime with a time zone."
        )
    return now


def _is_finite(number: float) -> bool:
    try:
        return isfinite(number)
    except OverflowError:
        return False  # an integer beyond all floats
