"""How large credentials are, and which limits they come near. Counted, not measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from .designs import OPAQUE, OWN_COOKIE
from .model import Carrier, Limit, LimitUse, Load, Size, Verdict

__all__ = ["COOKIE_NAME", "MONTH", "limits_of", "load_of", "sizes_of"]

COOKIE_NAME: Final = "__Host-coatcheck"
MONTH: Final = 30 * 86_400
"""A month, in seconds."""

_COOKIE_OCTETS: Final = 4096
_HEADERS_OCTETS: Final = 8192
_NEAR: Final = 0.75

# Whose limit, how much, of what, and where it is written.
_LIMITS: Final[tuple[tuple[str, str, int, str, str], ...]] = (
    (
        "browser-cookie",
        "Browsers, one cookie",
        _COOKIE_OCTETS,
        "name and value of the cookie, if the credential travels in one",
        "RFC 6265bis, section 5.6: a longer one is dropped without a word",
    ),
    (
        "apache-line",
        "Apache httpd, one header line",
        8190,
        "the header line",
        "LimitRequestFieldSize, its default",
    ),
    (
        "nginx-line",
        "nginx, one header line",
        _HEADERS_OCTETS,
        "the header line",
        "large_client_header_buffers 4 8k, its default",
    ),
    (
        "tomcat-headers",
        "Apache Tomcat, all headers",
        _HEADERS_OCTETS,
        "the header line; the others of the request come on top",
        "maxHttpHeaderSize, its default",
    ),
    (
        "node-headers",
        "Node.js, all headers",
        16_384,
        "the header line; the others of the request come on top",
        "http.maxHeaderSize, its default",
    ),
    (
        "alb-line",
        "AWS Application Load Balancer, one header",
        16_384,
        "the header line",
        "Quotas for your Application Load Balancers: single header 16K, not adjustable",
    ),
)


def load_of(requests_per_second: float) -> Load:
    """Return what a number of requests in each second comes to in a month of 30 days."""
    return Load(
        requests_per_second=requests_per_second, requests_per_month=round(requests_per_second * MONTH)
    )


def sizes_of(credentials: Mapping[str, str], load: Load) -> tuple[Size, ...]:
    """Return the sizes of credentials.

    Args:
        credentials: One of each design. The opaque identifier is among them.
        load: How many requests carry one.
    """
    opaque = len(_line(OPAQUE, credentials[OPAQUE]))
    return tuple(_size(design, credential, load, opaque=opaque) for design, credential in credentials.items())


def limits_of(sizes: Iterable[Size]) -> tuple[Limit, ...]:
    """Return how near credentials of these sizes come to the usual limits."""
    known = list(sizes)
    return tuple(
        Limit(
            id=identifier,
            name=name,
            octets=octets,
            counts=counts,
            source=source,
            uses=_uses(known, octets, of_cookie=identifier == "browser-cookie"),
        )
        for identifier, name, octets, counts, source in _LIMITS
    )


def _uses(sizes: Sequence[Size], limit: int, *, of_cookie: bool) -> tuple[LimitUse, ...]:
    counted = [(size.design, size.cookie_octets if of_cookie else size.line_octets) for size in sizes]
    return tuple(
        LimitUse(design=design, octets=octets, share=octets / limit, verdict=_verdict(octets / limit))
        for design, octets in counted
    )


def _verdict(share: float) -> Verdict:
    if share > 1:
        return "exceeds"
    return "near" if share >= _NEAR else "fits"


def _size(design: str, credential: str, load: Load, *, opaque: int) -> Size:
    line = len(_line(design, credential))
    cookie = len(COOKIE_NAME) + len(credential)
    return Size(
        design=design,
        carrier=_carrier(design),
        credential_octets=len(credential),
        line_octets=line,
        month_octets=line * load.requests_per_month,
        cookie_octets=cookie,
        cookie_share=cookie / _COOKIE_OCTETS,
        headers_share=line / _HEADERS_OCTETS,
        times_opaque=line / opaque,
    )


def _carrier(design: str) -> Carrier:
    return "cookie" if design in {OPAQUE, OWN_COOKIE} else "authorization"


def _line(design: str, credential: str) -> str:
    """Return the header line as HTTP/1.1 sends it."""
    if _carrier(design) == "cookie":
        return f"cookie: {COOKIE_NAME}={credential}\r\n"
    return f"authorization: Bearer {credential}\r\n"
