"""Cookies and headers that come near the size at which they are dropped or refused."""

from __future__ import annotations

from collections.abc import Iterator

from ...inspection.weighing import LARGEST_COOKIE, LARGEST_HEADERS
from ..evidence import Evidence
from .cookies import subject_of
from .model import Hit

__all__ = ["large_cookie", "large_headers"]

_NEAR = 0.75


def large_cookie(evidence: Evidence) -> Iterator[Hit]:
    """Yield cookies of more than three quarters of what browsers keep."""
    sizes = [(each.cookie.name, each.cookie.size, each.exchange) for each in evidence.cookies]
    sizes += [
        (name, len(name.encode("utf-8", "replace")) + len(value.encode("utf-8", "replace")), exchange)
        for exchange in evidence.exchanges
        for name, value in exchange.cookies_sent
    ]
    for name, size, exchange in sizes:
        if size > LARGEST_COOKIE * _NEAR:
            yield Hit(
                subject=subject_of(name, exchange),
                evidence=f"{size:,} of {LARGEST_COOKIE:,} bytes",
                exchange=exchange,
                severity="low" if size <= LARGEST_COOKIE else None,
            )


def large_headers(evidence: Evidence) -> Iterator[Hit]:
    """Yield hosts to which a request's headers have more than three quarters of what servers take."""
    for exchange in evidence.exchanges:
        size = exchange.request.headers.size
        if size > LARGEST_HEADERS * _NEAR:
            cookies = sum(len(value) for value in exchange.request.headers.all("cookie"))
            yield Hit(
                subject=f"requests to {exchange.address.authority or 'the server'}",
                evidence=f"headers of {size:,} bytes, {cookies:,} of them cookies; many servers refuse"
                f" {LARGEST_HEADERS:,}",
                exchange=exchange,
                severity="low" if size <= LARGEST_HEADERS else None,
            )
