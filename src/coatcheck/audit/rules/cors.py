"""What answers let pages of other origins read (Fetch Standard, CORS protocol)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ..addresses import parse_address
from ..evidence import Evidence
from ..model import Severity
from ..recording import Exchange
from .model import Hit

__all__ = ["any_origin", "any_origin_with_credentials", "null_origin", "reflected_origin", "site_of"]

_ALLOWED = "access-control-allow-origin"
_SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gov", "net", "or", "org"})


def site_of(host: str) -> str:
    """Return the last labels of a host, two or, as in example.co.uk, three: a guess, without the Public Suffix List."""
    labels = host.split(".")
    is_second_level = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3 if is_second_level else -2 :])


def _answers(evidence: Evidence) -> Iterator[tuple[Exchange, str, bool]]:
    for exchange in evidence.exchanges:
        headers = exchange.response.headers
        if allowed := headers.get(_ALLOWED):
            yield exchange, allowed, headers.get("access-control-allow-credentials").lower() == "true"


def _hit(exchange: Exchange, seen: str, severity: Severity | None = None) -> Hit:
    return Hit(subject=exchange.endpoint, evidence=seen, exchange=exchange, severity=severity)


def any_origin_with_credentials(evidence: Evidence) -> Iterator[Hit]:
    """Yield answers that allow every origin, and credentials: browsers refuse the pair, other programs may not."""
    for exchange, allowed, credentials in _answers(evidence):
        if "*" in allowed and credentials:
            yield _hit(exchange, "Access-Control-Allow-Origin: * with Access-Control-Allow-Credentials: true")


def null_origin(evidence: Evidence) -> Iterator[Hit]:
    """Yield answers that allow the origin ``null``, which any page can have in a sandboxed frame."""
    for exchange, allowed, credentials in _answers(evidence):
        if allowed.lower() == "null":
            seen = "Access-Control-Allow-Origin: null"
            yield _hit(
                exchange, f"{seen}, with credentials" if credentials else seen, None if credentials else "low"
            )


def reflected_origin(evidence: Evidence) -> Iterator[Hit]:
    """Yield hosts that allow, with credentials, whatever origin asks, as far as a recording shows it."""
    sites: dict[str, dict[str, Exchange]] = defaultdict(dict)
    for exchange, allowed, credentials in _answers(evidence):
        address = exchange.address
        if credentials and allowed == exchange.request.headers.get("origin") and allowed != address.origin:
            site = site_of(parse_address(allowed).host)
            if allowed.lower() != "null":
                sites[address.authority].setdefault(site, exchange)
    for host, seen in sites.items():
        foreign = [site for site in seen if site != site_of(host.partition(":")[0])]
        severity: Severity = ("info", "low", "medium", "high")[min(len(foreign), 3)]
        listed = ", ".join(list(seen)[:4])
        yield Hit(
            subject=f"CORS of {host}",
            evidence=f"with credentials, for the origins that asked: {listed}",
            exchange=next(iter(seen.values())),
            severity=severity,
        )


def any_origin(evidence: Evidence) -> Iterator[Hit]:
    """Yield answers to requests with a token, or with a token in them, that every page may read."""
    with_token = {
        token.exchange.entry
        for token in evidence.tokens
        if token.exchange is not None
        and (token.place == "authorization" or (token.place == "body" and token.from_server))
    }
    for exchange, allowed, credentials in _answers(evidence):
        if allowed == "*" and not credentials and exchange.entry in with_token:
            yield _hit(exchange, "Access-Control-Allow-Origin: *")
