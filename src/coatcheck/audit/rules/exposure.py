"""Tokens that reach the scripts of a page, or a cache."""

from __future__ import annotations

from collections.abc import Iterator

from ..evidence import Evidence, described
from ..masking import masked
from ..model import Severity
from ..recording import Exchange
from ..tokens import Token
from ..vocabulary import plain
from .model import Hit

__all__ = ["cacheable_cookie", "cacheable_token", "refresh_token_in_page", "session_in_body", "token_in_body"]

_VAGUE = frozenset({"token", "api_key", "apikey", "session", "session_id", "sid", "session_token"})
# What caches may keep unless told otherwise (RFC 9110 section 15.1).
_CACHEABLE = frozenset({200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501})
_MOST_VALUES = 64
_LONG = 16


def _hit(token: Token, seen: str, severity: Severity | None = None) -> Hit:
    endpoint = token.exchange.endpoint if token.exchange is not None else ""
    return Hit(
        subject=f"{described(token)} of {endpoint}",
        evidence=f"{seen} {masked(token.value)}",
        exchange=token.exchange,
        severity=severity,
    )


def _from_answers(evidence: Evidence) -> Iterator[Token]:
    return (token for token in evidence.tokens if token.from_server and token.place in {"body", "header"})


def _in_browser(evidence: Evidence) -> bool:
    return evidence.recording.kind == "HAR"


def token_in_body(evidence: Evidence) -> Iterator[Hit]:
    """Yield access tokens and session identifiers that an answer gives to whoever reads it."""
    used = {token.value for token in evidence.tokens if token.place == "authorization"}
    cookies = _session_values(evidence)
    for token in _from_answers(evidence):
        if token.role not in {"access", "session"} or token.value in cookies:
            continue
        certain = token.reading is not None or token.value in used or plain(token.name) not in _VAGUE
        yield _hit(token, "an answer holds", None if certain and _in_browser(evidence) else "low")


def refresh_token_in_page(evidence: Evidence) -> Iterator[Hit]:
    """Yield refresh tokens in answers to a browser, or sent by one."""
    for token in evidence.tokens:
        seen = "an answer holds" if token.from_server else "the page sent"
        if token.role == "refresh" and token.place in {"body", "header", "form"}:
            yield _hit(token, seen, None if _in_browser(evidence) else "low")


def session_in_body(evidence: Evidence) -> Iterator[Hit]:
    """Yield answers whose body repeats the value of a session cookie that scripts must not read."""
    values = _session_values(evidence)
    for exchange in evidence.exchanges:
        for value, name in values.items():
            if value in exchange.response.body:
                yield Hit(
                    subject=f'the value of cookie "{name}" in the body of {exchange.endpoint}',
                    evidence=f"the body holds {masked(value)}",
                    exchange=exchange,
                )


def _session_values(evidence: Evidence) -> dict[str, str]:
    values: dict[str, str] = {}
    for each in evidence.session_cookies():
        if each.cookie.http_only and len(each.cookie.value) >= _LONG:
            values[each.cookie.value.strip('"')] = each.cookie.name
    return dict(list(values.items())[:_MOST_VALUES])


def cacheable_token(evidence: Evidence) -> Iterator[Hit]:
    """Yield answers with a token in their body that do not say ``no-store``."""
    known: set[int] = set()
    for token in _from_answers(evidence):
        exchange = token.exchange
        if exchange is None or exchange.entry in known or "no-store" in _caching(exchange):
            continue
        known.add(exchange.entry)
        yield Hit(
            subject=exchange.endpoint,
            evidence=f"an answer with a token, and Cache-Control: {_caching(exchange)[:80] or '(absent)'}",
            exchange=exchange,
        )


def cacheable_cookie(evidence: Evidence) -> Iterator[Hit]:
    """Yield answers that set a session cookie and that a shared cache may keep."""
    for each in evidence.session_cookies():
        exchange, caching = each.exchange, _caching(each.exchange)
        keeps = exchange.status in _CACHEABLE and exchange.method in {"", "GET", "HEAD"}
        if keeps and not any(word in caching for word in ("no-store", "private", "no-cache", "max-age=0")):
            yield Hit(
                subject=exchange.endpoint,
                evidence=f"an answer that sets a session cookie, and Cache-Control: {caching[:80] or '(absent)'}",
                exchange=exchange,
            )


def _caching(exchange: Exchange) -> str:
    return exchange.response.headers.get("cache-control").lower()
