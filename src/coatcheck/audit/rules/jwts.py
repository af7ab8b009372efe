"""What is in tokens that anyone can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..._core.spans import clamped
from ...inspection.claim_findings import is_number
from ...inspection.content_findings import content_findings
from ...inspection.header_findings import header_findings
from ...inspection.model import Reading
from ..evidence import Evidence, described
from ..guessing import guess_secret, words_of
from ..masking import masked
from ..model import Severity
from ..readable_cookies import readable_claims
from ..tokens import Token
from .cookies import subject_of
from .model import Hit

__all__ = [
    "common_secret",
    "long_life",
    "no_audience",
    "no_expiry",
    "personal_data",
    "personal_data_in_cookie",
    "risky_header",
    "secret_inside",
    "unsigned",
]

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_MOST_GUESSED = 200
_EVENTS = frozenset({"secevent+jwt", "logout+jwt", "statuslist+jwt"})


def _readable(evidence: Evidence) -> Iterator[tuple[Token, Reading]]:
    for token in evidence.tokens:
        if token.reading is not None:
            yield token, token.reading


def _with_claims(evidence: Evidence) -> Iterator[tuple[Token, Mapping[str, Any]]]:
    for token, reading in _readable(evidence):
        if reading.claims is not None:
            yield token, reading.claims


def subject_for(token: Token) -> str:
    """Say which token is meant."""
    host = token.exchange.address.host if token.exchange is not None else ""
    if not host:
        return described(token)
    return f"{described(token)}, {host}"


def _hit(evidence: Evidence, token: Token, seen: str, *, severity: Severity | None = None) -> Hit:
    return Hit(
        subject=subject_for(evidence.homes[token.value]),
        evidence=f"JWT {masked(token.value)}: {seen}",
        exchange=token.exchange,
        severity=severity,
    )


def unsigned(evidence: Evidence) -> Iterator[Hit]:
    """Yield tokens that nobody has signed."""
    for token, reading in _readable(evidence):
        if reading.encrypted:
            continue
        if str(reading.header.get("alg")).lower() == "none":
            yield _hit(evidence, token, "alg is none")
        elif not reading.parts[0].signature:
            yield _hit(evidence, token, "its signature is empty")


def common_secret(evidence: Evidence) -> Iterator[Hit]:
    """Yield tokens whose HMAC secret was found by trying. Every hit is proven: the signature was made with it."""
    hosts = dict.fromkeys(exchange.address.host for exchange in evidence.exchanges if exchange.address.host)
    words = words_of(hosts)
    found: dict[str, str | None] = {}
    for token, reading in _readable(evidence):
        if token.value not in found:
            found[token.value] = guess_secret(reading, words) if len(found) < _MOST_GUESSED else None
        how = found[token.value]
        if how is not None:
            yield _hit(evidence, token, f"signed with {how}")


def no_expiry(evidence: Evidence) -> Iterator[Hit]:
    """Yield tokens without an end."""
    for token, claims in _with_claims(evidence):
        typ = token.reading.header.get("typ") if token.reading is not None else None
        if not is_number(claims.get("exp")) and str(typ).lower().removeprefix("application/") not in _EVENTS:
            yield _hit(evidence, token, "no 'exp'")


def long_life(evidence: Evidence) -> Iterator[Hit]:
    """Yield access tokens of more than an hour. A refresh token may live longer, an ID token lets nobody in."""
    for token, claims in _with_claims(evidence):
        if token.role in {"refresh", "id"}:
            continue
        life, least = _life(token, claims)
        if life is not None and life > _HOUR + _MINUTE:
            yield _hit(
                evidence,
                token,
                f"it lives for {least}{_span(life)}",
                severity=None if life > _DAY + _MINUTE else "medium",
            )


def _life(token: Token, claims: Mapping[str, Any]) -> tuple[float | None, str]:
    """Return the seconds from its issue to its end, or those that were left when it was seen."""
    ends = claims.get("exp")
    if not is_number(ends):
        return None, ""
    ends = clamped(ends)
    for name in ("iat", "nbf"):
        starts = claims.get(name)
        if is_number(starts):
            return ends - clamped(starts), ""
    seen = token.exchange.started if token.exchange is not None else None
    return (None, "") if seen is None else (ends - seen, "at least ")


def _span(seconds: float) -> str:
    for unit, size in (("days", _DAY), ("hours", _HOUR)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}" if seconds < 1e12 else "thousands of years"
    return f"{seconds / _MINUTE:,.0f} minutes"


def no_audience(evidence: Evidence) -> Iterator[Hit]:
    """Yield tokens that do not say for whom they are."""
    for token, claims in _with_claims(evidence):
        if not claims.get("aud"):
            by_one = evidence.homes[token.value].place == "cookie"  # probably read by the host that set it
            yield _hit(evidence, token, "no 'aud'", severity="low" if by_one else None)


def personal_data(evidence: Evidence) -> Iterator[Hit]:
    """Yield tokens that tell about a person."""
    yield from _contents(evidence, "personal_data")


def secret_inside(evidence: Evidence) -> Iterator[Hit]:
    """Yield tokens that hold a password, a key or another token."""
    yield from _contents(evidence, "secret_in_payload")


def _contents(evidence: Evidence, code: str) -> Iterator[Hit]:
    known: dict[str, str | None] = {}
    for token, reading in _readable(evidence):
        if token.value not in known:
            found = (finding.message for finding in content_findings(reading) if finding.code == code)
            known[token.value] = next(found, None)
        message = known[token.value]
        # An ID token is there to tell who somebody is; that everybody can read it remains.
        if message is not None:
            yield _hit(
                evidence,
                token,
                message,
                severity="low" if token.role == "id" and code == "personal_data" else None,
            )


def personal_data_in_cookie(evidence: Evidence) -> Iterator[Hit]:
    """Yield session cookies that are signed or encoded, but not encrypted, and tell about a person."""
    for each in evidence.session_cookies():
        claims = readable_claims(each.cookie.value)
        for finding in content_findings(claims) if claims is not None else ():
            yield Hit(
                subject=subject_of(each.cookie.name, each.exchange),
                evidence=finding.message,
                exchange=each.exchange,
                severity="high" if finding.code == "secret_in_payload" else None,
            )


def risky_header(evidence: Evidence) -> Iterator[Hit]:
    """Yield tokens whose header asks to fetch or look up what a stranger names."""
    for token, reading in _readable(evidence):
        for finding in header_findings(reading):
            if finding.severity == "danger" and finding.code not in {"unsigned", "no_signature"}:
                yield _hit(evidence, token, finding.message)
