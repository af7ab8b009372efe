"""Warnings about claims: times, audience and issuer (RFC 7519 section 4.1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from .._core.spans import clamped, in_words
from .model import Finding, Reading

__all__ = ["claim_findings", "is_number"]

_HOUR, _DAY = 3_600, 86_400
_MILLISECONDS = 100_000_000_000  # as seconds: the year 5138
_SHORT_LIVED = {"", "jwt", "at+jwt"}
_EVENT = "secevent+jwt"  # tells what has happened, lets nobody in, and must not expire (SSF 1.0)
_TIMES = ("exp", "nbf", "iat")
_LEEWAY = 60


def claim_findings(reading: Reading, now: float) -> Iterator[Finding]:
    """Yield what is to be said about the claims at a point in time."""
    claims = reading.claims
    if claims is None:
        if reading.payload is not None:
            yield Finding(
                "note",
                "no_claims",
                "The payload is no JSON object: this is a signed message, not a JWT.",
                "Nothing to do, unless you expected claims.",
            )
        return
    yield from _forms(claims)
    yield from _lifetime(claims, reading.header.get("typ"))
    yield from _present(claims, now)
    yield from _parties(claims)


def is_number(value: object) -> TypeGuard[int | float]:
    """Tell whether a value is a number; to JSON, true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    return clamped(value) if is_number(value) else None


def _forms(claims: Mapping[str, Any]) -> Iterator[Finding]:
    for name in _TIMES:
        value = claims.get(name, 0)
        if not is_number(value):
            yield Finding(
                "warning",
                "time_type",
                f"The time '{name}' is no number: strict verifiers refuse the token, others ignore the time.",
                "Write it as seconds since 1970, without quotes.",
            )
        elif abs(value) >= _MILLISECONDS:
            yield Finding(
                "danger",
                "milliseconds",
                f"The time '{name}' looks like milliseconds: read as seconds it lies thousands of years away.",
                "Divide it by 1000.",
            )


def _lifetime(claims: Mapping[str, Any], typ: object) -> Iterator[Finding]:
    kind = typ.lower().removeprefix("application/") if isinstance(typ, str) else ""
    ends = _moment(claims, "exp")
    if ends is None:
        if claims.get("exp") is None and kind != _EVENT:
            yield Finding(
                "danger",
                "no_expiry",
                "It never expires (no 'exp'): whoever finds it can use it for ever.",
                "Let it end after minutes: coatcheck token sign --lifetime 5m.",
            )
        return
    starts = _moment(claims, "iat" if "iat" in claims else "nbf")
    if starts is None:
        yield Finding(
            "note",
            "unknown_lifetime",
            "How long it lives is unknown: it does not say when it was issued ('iat').",
            "State 'iat'.",
        )
        return
    life = ends - starts
    if life > _DAY or (life > _HOUR and kind in _SHORT_LIVED):
        yield Finding(
            "danger" if life > _DAY else "warning",
            "long_life",
            f"It lives for {in_words(life)}, and cannot be called back in that time.",
            "Let access tokens live for minutes, and renew them.",
        )
    elif life <= 0:
        yield Finding(
            "warning",
            "no_life",
            "It ends before it begins ('exp' is not after 'iat').",
            "Correct the issuer's clock or arithmetic.",
        )


def _present(claims: Mapping[str, Any], now: float) -> Iterator[Finding]:
    exp, nbf, iat = (_moment(claims, name) for name in _TIMES)
    if exp is not None and exp <= now:
        yield Finding(
            "warning",
            "expired",
            f"It expired {in_words(now - exp)} ago.",
            "Get a new one; verifiers refuse it.",
        )
    if nbf is not None and nbf > now:
        yield Finding(
            "warning",
            "not_yet_valid",
            f"It is not valid before {in_words(nbf - now)} from now.",
            "Wait, or check the clocks.",
        )
    if iat is not None and iat > now + _LEEWAY:
        yield Finding(
            "warning",
            "issued_in_future",
            f"It says it was issued {in_words(iat - now)} from now.",
            "Check the clock of the issuer, and yours.",
        )


def _parties(claims: Mapping[str, Any]) -> Iterator[Finding]:
    if not claims.get("aud"):
        yield Finding(
            "warning",
            "no_audience",
            "It does not say for whom it is meant ('aud'): every service that trusts the issuer must take it.",
            "Name the audience: coatcheck token sign --audience https://api.example.",
        )
    if not claims.get("iss"):
        yield Finding(
            "warning",
            "no_issuer",
            "It does not say who issued it ('iss').",
            "Name the issuer: coatcheck token sign --issuer https://id.example.",
        )
