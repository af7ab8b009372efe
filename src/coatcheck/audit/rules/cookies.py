"""Cookies that carry a session or a token, and how they are set."""

from __future__ import annotations

import math
import string
from collections import Counter, defaultdict
from collections.abc import Iterator

from ..evidence import CookieSet, Evidence
from ..masking import masked, name_of
from ..model import Severity
from ..recording import Exchange
from ..set_cookie import SetCookie
from ..tokens import tokens_in_cookie
from ..vocabulary import role_of
from .model import Hit

__all__ = [
    "broken_prefix",
    "cross_site",
    "long_life",
    "no_expiry",
    "no_prefix",
    "not_secure",
    "same_name",
    "script_readable_session",
    "script_readable_token",
    "short_identifier",
    "wide_domain",
    "without_same_site",
]

_DAY = 86_400
_LONG, _VERY_LONG = 30 * _DAY, 90 * _DAY
_HOUR = 3_600
_LEAST_BITS, _FEW_BITS = 128, 64
_ALPHABETS = ((string.digits, 10), (string.hexdigits, 16), (string.ascii_letters + string.digits, 62))


def subject_of(name: str, exchange: Exchange) -> str:
    """Say which cookie is meant."""
    host = exchange.address.host
    return f'cookie "{name_of(name)}"' + (f" of {host}" if host else "")


def _hit(each: CookieSet, seen: str, severity: Severity | None = None) -> Hit:
    return Hit(
        subject=subject_of(each.cookie.name, each.exchange),
        evidence=f"Set-Cookie {name_of(each.cookie.name)}={masked(each.cookie.value)}: {seen}",
        exchange=each.exchange,
        severity=severity,
    )


def _holds_token(cookie: SetCookie) -> bool:
    return role_of(cookie.name) in {"access", "refresh", "id"} or any(
        True for _ in tokens_in_cookie(cookie.value)
    )


def script_readable_token(evidence: Evidence) -> Iterator[Hit]:
    """Yield tokens in cookies without ``HttpOnly``."""
    for each in evidence.session_cookies():
        if not each.cookie.http_only and _holds_token(each.cookie):
            yield _hit(each, "without HttpOnly")


def script_readable_session(evidence: Evidence) -> Iterator[Hit]:
    """Yield session cookies without ``HttpOnly`` that hold no token."""
    for each in evidence.session_cookies():
        if not each.cookie.http_only and not _holds_token(each.cookie):
            yield _hit(each, "without HttpOnly")


def not_secure(evidence: Evidence) -> Iterator[Hit]:
    """Yield session cookies without ``Secure``."""
    for each in evidence.session_cookies():
        if not each.cookie.secure:
            yield _hit(each, "without Secure", "low" if each.exchange.address.is_local else None)


def without_same_site(evidence: Evidence) -> Iterator[Hit]:
    """Yield session cookies that leave ``SameSite`` to the browser."""
    for each in evidence.session_cookies():
        if each.cookie.same_site not in {"lax", "strict", "none"}:
            yield _hit(each, "without SameSite")


def cross_site(evidence: Evidence) -> Iterator[Hit]:
    """Yield session cookies that go along with requests from any site."""
    for each in evidence.session_cookies():
        if each.cookie.same_site == "none":
            yield _hit(each, "SameSite=None")


def no_prefix(evidence: Evidence) -> Iterator[Hit]:
    """Yield session cookies whose name protects nothing."""
    for each in evidence.session_cookies():
        if not each.cookie.name.lower().startswith(("__host-", "__secure-", "__http-")):
            yield _hit(each, "its name has no prefix")


def broken_prefix(evidence: Evidence) -> Iterator[Hit]:
    """Yield cookies that browsers refuse, because they are not what their name promises."""
    for each in evidence.cookies:
        cookie, name = each.cookie, each.cookie.name.lower()
        faults = [
            fault
            for fault, broken in (
                (
                    "without Secure",
                    name.startswith(("__host-", "__secure-", "__http-")) and not cookie.secure,
                ),
                ("with a Domain", name.startswith("__host-") and bool(cookie.domain)),
                ("without Path=/", name.startswith("__host-") and cookie.path != "/"),
                ("without HttpOnly", name.startswith(("__http-", "__host-http-")) and not cookie.http_only),
            )
            if broken
        ]
        if faults:
            yield _hit(each, ", ".join(faults))


def wide_domain(evidence: Evidence) -> Iterator[Hit]:
    """Yield session cookies that other hosts get as well."""
    for each in evidence.session_cookies():
        domain, host = each.cookie.domain, each.exchange.address.host
        if domain:
            parent = domain != host and host
            seen = f"Domain={domain}: {'all hosts below it' if parent else 'its subdomains too'} get it"
            yield _hit(each, seen, None if parent else "low")


def long_life(evidence: Evidence) -> Iterator[Hit]:
    """Yield session cookies that are kept for more than 30 days."""
    for each in evidence.session_cookies():
        life = each.cookie.lifetime(each.exchange.started)
        if life is not None and life > _LONG + _HOUR:
            yield _hit(
                each,
                f"kept for {life / _DAY:,.0f} days",
                None if life > _VERY_LONG else "low",
            )


def no_expiry(evidence: Evidence) -> Iterator[Hit]:
    """Yield session cookies that are kept until the browser closes, which may be never."""
    for each in evidence.session_cookies():
        if each.cookie.max_age is None and each.cookie.expires is None:
            yield _hit(each, "neither Max-Age nor Expires")


def short_identifier(evidence: Evidence) -> Iterator[Hit]:
    """Yield session identifiers that have too few characters to be hard to guess."""
    for each in evidence.session_cookies():
        value = each.cookie.value.strip('"')
        if _holds_token(each.cookie) or not value:
            continue
        bits = _most_bits(value)
        if bits < _LEAST_BITS:
            seen = f"{len(value)} characters, at most {bits:.0f} bits"
            yield _hit(each, seen, "low" if bits >= _FEW_BITS else None)


def _most_bits(value: str) -> float:
    size = next((size for alphabet, size in _ALPHABETS if set(value) <= set(alphabet)), 64)
    return len(value) * math.log2(size)


def same_name(evidence: Evidence) -> Iterator[Hit]:
    """Yield cookies of which a request has several, or that are set for several domains or paths."""
    for exchange in evidence.exchanges:
        counts = Counter(name for name, _ in exchange.cookies_sent)
        for name, count in counts.items():
            if count > 1:
                yield Hit(
                    subject=subject_of(name, exchange),
                    evidence=f"{count} cookies of this name in one request",
                    exchange=exchange,
                    severity=None if name in evidence.session_names else "low",
                )
    yield from _set_twice(evidence)


def _set_twice(evidence: Evidence) -> Iterator[Hit]:
    places: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for each in evidence.session_cookies():
        known = places[each.cookie.name, each.exchange.address.host]
        known.add((each.cookie.domain, each.cookie.path))
        if len(known) > 1:
            yield _hit(each, "set for several domains or paths, side by side", "low")
