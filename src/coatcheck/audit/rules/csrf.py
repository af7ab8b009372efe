"""Requests that change something, carry a session cookie, and show no sign that another site could not have sent them.

A recording shows what was sent, not what was checked. A token in a header or field, or a header that only scripts of
the page itself can add, counts as a sign. ``SameSite`` and a media type that brings a preflight are signs of some
weight. That the server compares ``Origin`` or ``Sec-Fetch-Site`` cannot be seen, so nothing here is worse than
``medium``, except a request from another site that was seen to succeed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..addresses import parse_address
from ..bodies import named_values
from ..evidence import Evidence
from ..model import Severity
from ..recording import Exchange
from ..vocabulary import is_proof
from .cors import site_of
from .model import Hit

__all__ = ["accepted_from_elsewhere", "no_sign_of_defence"]

_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_SAFELISTED = frozenset({"", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
_BY_BROWSERS = frozenset(
    {"x-client-data", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip"}
)


def no_sign_of_defence(evidence: Evidence) -> Iterator[Hit]:
    """Yield endpoints at which nothing shows that they are protected from requests of other sites."""
    known = _same_sites(evidence)
    for exchange in _changes(evidence):
        if _proof(exchange) is None:
            names = [name for name, _ in evidence.sent_sessions(exchange)]
            severity, seen = _weigh([known.get((name, exchange.address.host)) for name in names], exchange)
            yield Hit(subject=exchange.endpoint, evidence=seen, exchange=exchange, severity=severity)


def accepted_from_elsewhere(evidence: Evidence) -> Iterator[Hit]:
    """Yield requests that a page of another site made, with the session, and that succeeded."""
    for exchange in _changes(evidence):
        headers = exchange.request.headers
        origin = parse_address(headers.get("origin"))
        elsewhere = bool(origin.host) and site_of(origin.host) != site_of(exchange.address.host)
        allowed = exchange.response.headers.get("access-control-allow-origin")
        if (
            (headers.get("sec-fetch-site") == "cross-site" or elsewhere)
            and not allowed
            and _proof(exchange) is None
        ):
            seen = f"sent by a page of {origin.host or 'another site'}, answered with {exchange.status}"
            yield Hit(subject=exchange.endpoint, evidence=seen, exchange=exchange)


def _changes(evidence: Evidence) -> Iterator[Exchange]:
    """Yield requests that changed something by virtue of a cookie alone."""
    for exchange in evidence.exchanges:
        is_done = 200 <= exchange.status < 400
        by_cookie = not exchange.request.headers.get("authorization")
        if exchange.method in _UNSAFE and is_done and by_cookie and evidence.sent_sessions(exchange):
            yield exchange


def _proof(exchange: Exchange) -> str | None:
    """Return the name of what another site could not have sent along."""
    message = exchange.request
    for name, value in message.headers.fields:
        if value and (is_proof(name) or (name.startswith("x-") and name not in _BY_BROWSERS)):
            return name
    named = {
        name: value
        for name, value in (*message.fields, *named_values(message.body, message.content_type))
        if value
    }
    return next((name for name in named if is_proof(name)), _answer(named))


def _answer(named: Mapping[str, str]) -> str | None:
    """Return the name of what binds an answer of a sign-in elsewhere to its request, which other sites post.

    OAuth 2.0 Form Post Response Mode; SAML 2.0 Bindings section 3.5. That it is compared cannot be seen either.
    """
    small = {name.lower() for name in named}
    if "state" in small and small & {"code", "id_token", "error"}:
        return "state"
    return "SAMLResponse" if "samlresponse" in small else None


def _same_sites(evidence: Evidence) -> dict[tuple[str, str], str]:
    """Return how each cookie was last set."""
    return {
        (each.cookie.name, each.exchange.address.host): each.cookie.same_site or "absent"
        for each in evidence.session_cookies()
    }


def _weigh(known: list[str | None], exchange: Exchange) -> tuple[Severity, str]:
    unseen = "whether Origin or Sec-Fetch-Site is checked cannot be seen"
    if all(each in {"lax", "strict"} for each in known):
        names = " and ".join(sorted({f"SameSite={str(each).capitalize()}" for each in known}))
        return "info", f"no token in a header or field; {names} keeps other sites out; {unseen}"
    if exchange.method != "POST" or exchange.request.content_type not in _SAFELISTED:
        return (
            "low",
            f"no token in a header or field; a preflight is needed, if other forms are refused; {unseen}",
        )
    if None in known:
        return "low", f"no token in a header or field; how the cookie was set was not recorded; {unseen}"
    return "medium", f"no token in a header or field, no SameSite that keeps other sites out; {unseen}"
