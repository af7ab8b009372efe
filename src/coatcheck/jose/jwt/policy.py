"""What a verifier demands of claims (RFC 7519 section 4.1, RFC 8725 sections 3.8 to 3.10)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from math import inf, isfinite
from typing import Any

import msgspec

from ..._core.clock import Clock
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

__all__ = ["Anything", "ClaimsPolicy", "instant", "make_policy", "missing", "seconds_of", "the_clock"]

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
        every token, and a token's integer may be of any size. Each comparison is written so that a clock that returns
        no number (NaN) refuses everything.
        """
        for name in self.required:
            if getattr(claims, name) is None:
                raise missing(name)
        exp, nbf, iat, aud = claims.exp, claims.nbf, claims.iat, claims.aud
        latest, earliest = now + self.leeway, now - self.leeway
        if exp is not None and not exp > earliest:
            raise self._wrong_time(ExpiredTokenError, claim="exp", value=exp, limit=earliest, now=now)
        if nbf is not None and not nbf <= latest:
            raise self._wrong_time(TokenNotYetValidError, claim="nbf", value=nbf, limit=latest, now=now)
        if iat is not None and not iat <= latest:
            raise self._wrong_time(IssuedInFutureError, claim="iat", value=iat, limit=latest, now=now)
        if self.max_age is not None and not (iat is not None and iat >= earliest - self.max_age):
            raise self._too_old(iat, limit=earliest - self.max_age, now=now)
        if claims.iss != self.issuer and not self.any_issuer:
            raise self._wrong_issuer(claims.iss)
        if not (aud in self.audience if type(aud) is str else self._accepts_audience(aud)):
            self._refuse_audience(aud)

    def _wrong_time(
        self, kind: type[ClaimError], *, claim: str, value: float, limit: float, now: float
    ) -> ClaimError:
        detail = f"{claim} is {shown(value)}, the time is {now:.0f}, the leeway {self.leeway:g} s"
        return kind(_TIME_MESSAGES[kind], claim=claim, value=value, expected=limit, detail=detail)

    def _too_old(self, iat: float | None, *, limit: float, now: float) -> ClaimError:
        if iat is None:
            return missing("iat")
        return self._wrong_time(TokenTooOldError, claim="iat", value=iat, limit=limit, now=now)

    def _wrong_issuer(self, iss: str | None) -> ClaimError:
        if iss is None:
            return missing("iss", expected=self.issuer)
        message = (
            "The token is from another issuer."
            if self.issuer is not None
            else "The token names an issuer, and the verifier was told that there is none (issuer=None)."
        )
        detail = f"iss is {shown(iss)}, expected {shown(self.issuer)}"
        return IssuerMismatchError(message, claim="iss", value=iss, expected=self.issuer, detail=detail)

    def _accepts_audience(self, aud: tuple[str, ...] | str | None) -> bool:
        if aud is None:
            return not self.audience
        return not self.audience.isdisjoint(aud)

    def _refuse_audience(self, aud: str | tuple[str, ...] | None) -> None:
        if self.any_audience:
            return
        expected = tuple(sorted(self.audience))
        if aud is None:
            raise missing("aud", expected=expected)
        message = (
            "The token is for another audience."
            if expected
            else "The token names an audience, and the verifier was told that there is none (audience=None)."
        )
        detail = f"aud is {shown(aud)}, expected {shown(expected)}"
        raise AudienceMismatchError(message, claim="aud", value=aud, expected=expected, detail=detail)


_TIME_MESSAGES: dict[type[ClaimError], str] = {
    ExpiredTokenError: "The token has expired.",
    TokenNotYetValidError: "The token is not valid yet.",
    IssuedInFutureError: "The token was issued in the future.",
    TokenTooOldError: "The token was issued too long ago.",
}

_MOST_SHOWN = 100


def shown(value: object) -> str:
    """Return a hostile value for the operator's eyes: escaped, and not longer than a line or two."""
    if isinstance(value, int) and value.bit_length() > 64:
        return f"a number of {value.bit_length()} bits"
    text = ascii(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


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


def the_clock(clock: object) -> Clock:
    """Return what must be a clock. Raises ``ConfigurationError`` if it cannot be called."""
    if not callable(clock):
        raise ConfigurationError("'clock' must be a function that returns the time in seconds.")
    return clock


def seconds_of(moment: float | datetime) -> float:
    """Return a point in time as seconds, as ``instant`` does: a plain number, the common case, without asking more."""
    return moment if type(moment) is float and 0 < moment < inf else instant(moment)


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
