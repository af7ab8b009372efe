"""How credentials travel, and what answers tell those who have none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..evidence import Evidence
from ..recording import Exchange
from ..tokens import find_tokens
from .model import Hit

__all__ = ["no_hsts", "plain_http", "short_hsts", "talkative_challenge"]

_YEAR = 31_536_000
_MAX_AGE = re.compile(r'max-age\s{0,4}=\s{0,4}"?(\d{1,15})', re.IGNORECASE)
_INTERNAL = re.compile(
    r"\b(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d{1,3}\.\d{1,3}?\b|traceback|stack ?trace|exception|"
    r"\.(?:py|java|php|rb|cs|go):?\d|/(?:home|var|usr|opt|srv|app)/|[A-Z]:\\|\bat [\w.]{3,80}\(|select .{1,80} from",
    re.IGNORECASE,
)


def _carriers(evidence: Evidence) -> Iterator[tuple[Exchange, str]]:
    """Yield exchanges that carry a credential, and what it is."""
    for exchange in evidence.exchanges:
        if evidence.sent_sessions(exchange):
            yield exchange, "a session cookie"
    for each in evidence.session_cookies():
        yield each.exchange, "a session cookie"
    for token in evidence.tokens:
        if token.exchange is not None and token.place != "referer":
            yield token.exchange, "a token"
    for exchange, _, _ in evidence.passwords:
        yield exchange, "a password"


def plain_http(evidence: Evidence) -> Iterator[Hit]:
    """Yield hosts to which a credential travelled unencrypted."""
    for exchange, what in _carriers(evidence):
        if exchange.address.is_plain:
            subject = f"http://{exchange.address.authority}"
            yield Hit(subject=subject, evidence=f"{what} without TLS", exchange=exchange)


def _secure_hosts(evidence: Evidence) -> dict[str, Exchange]:
    """Return the hosts that get credentials over TLS."""
    hosts: dict[str, Exchange] = {}
    for exchange, _ in _carriers(evidence):
        if exchange.address.scheme == "https" and not exchange.address.is_local and exchange.status:
            hosts.setdefault(exchange.address.authority, exchange)
    return hosts


def _hsts(evidence: Evidence) -> dict[str, tuple[str, Exchange]]:
    found: dict[str, tuple[str, Exchange]] = {}
    for exchange in evidence.exchanges:
        value = exchange.response.headers.get("strict-transport-security")
        if (
            value and exchange.address.scheme == "https"
        ):  # elsewhere browsers ignore it (RFC 6797 section 8.1)
            found.setdefault(exchange.address.authority, (value, exchange))
    return found


def no_hsts(evidence: Evidence) -> Iterator[Hit]:
    """Yield hosts with credentials none of whose answers asks the browser to stay on TLS."""
    known = _hsts(evidence)
    for host, exchange in _secure_hosts(evidence).items():
        if host not in known:
            yield Hit(
                subject=f"https://{host}",
                evidence="no answer has Strict-Transport-Security; a preload list, or a parent's header, is not seen",
                exchange=exchange,
            )


def short_hsts(evidence: Evidence) -> Iterator[Hit]:
    """Yield hosts that ask for less than a year."""
    secure = _secure_hosts(evidence)
    for host, (value, exchange) in _hsts(evidence).items():
        found = _MAX_AGE.search(value)
        if host in secure and (found is None or int(found[1]) < _YEAR):
            seen = f"max-age={found[1]}" if found else "without max-age"
            yield Hit(
                subject=f"https://{host}", evidence=f"Strict-Transport-Security {seen}", exchange=exchange
            )


def talkative_challenge(evidence: Evidence) -> Iterator[Hit]:
    """Yield challenges that repeat a token, or tell of the inside."""
    for exchange in evidence.exchanges:
        value = exchange.response.headers.get("www-authenticate")
        if next(find_tokens(value), None) is not None:
            yield Hit(
                subject=exchange.endpoint,
                evidence="WWW-Authenticate repeats a token",
                exchange=exchange,
                severity="medium",
            )
        elif found := _INTERNAL.search(value[:4_096]):
            word = found[0][:12] if found[0].isalpha() else "an address, a path or a place in the code"
            yield Hit(subject=exchange.endpoint, evidence=f"WWW-Authenticate tells {word}", exchange=exchange)
