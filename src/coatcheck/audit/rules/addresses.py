"""Tokens and passwords in addresses, which are logged, bookmarked and passed on."""

from __future__ import annotations

from collections.abc import Iterator

from ..evidence import Evidence, described
from ..masking import masked, name_of
from ..model import Severity
from ..tokens import Token
from ..vocabulary import leads_to_one_use, plain
from .model import Hit

__all__ = [
    "one_use_token",
    "password",
    "token_in_fragment",
    "token_in_path",
    "token_in_query",
    "token_in_referer",
]

_VAGUE = frozenset({"token", "api_key", "apikey", "session", "session_id", "sid", "session_token"})


def _hit(token: Token, seen: str, severity: Severity | None = None) -> Hit:
    endpoint = token.exchange.endpoint if token.exchange is not None else ""
    where = f"the redirect of {endpoint}" if token.from_server else endpoint
    return Hit(
        subject=f"{described(token)} of {where}",
        evidence=f"{seen}{masked(token.value)}",
        exchange=token.exchange,
        severity=severity,
    )


def _is_for_one_use(token: Token) -> bool:
    path = token.exchange.address.path if token.exchange is not None else ""
    vague = plain(token.name) in _VAGUE or token.name == ""
    return token.reading is None and vague and leads_to_one_use(path)


def token_in_query(evidence: Evidence) -> Iterator[Hit]:
    """Yield tokens in the query of a request, or of an address that an answer leads to."""
    asked = {token.value for token in evidence.tokens if token.place == "query" and not token.from_server}
    used = {token.value for token in evidence.tokens if token.place in {"cookie", "authorization"}}
    for token in evidence.tokens:
        if token.place != "query" or _is_for_one_use(token) or (token.from_server and token.value in asked):
            continue
        certain = token.reading is not None or token.value in used or plain(token.name) not in _VAGUE
        yield _hit(token, f"{name_of(token.name)}=", None if certain else "medium")


def one_use_token(evidence: Evidence) -> Iterator[Hit]:
    """Yield what seems to be a token of a mail, for one use."""
    for token in evidence.tokens:
        if token.place == "query" and not token.from_server and _is_for_one_use(token):
            yield _hit(token, f"{name_of(token.name)}=")


def token_in_fragment(evidence: Evidence) -> Iterator[Hit]:
    """Yield tokens behind the number sign, as the implicit grant hands them out."""
    for token in evidence.tokens:
        if token.place == "fragment":
            yield _hit(token, f"#{name_of(token.name)}=", "medium" if token.role == "id" else None)


def token_in_path(evidence: Evidence) -> Iterator[Hit]:
    """Yield tokens in the path, among them ``;jsessionid=``."""
    for token in evidence.tokens:
        if token.place == "path":
            yield _hit(token, f";{name_of(token.name)}=" if token.name else "a segment of the path: ")


def token_in_referer(evidence: Evidence) -> Iterator[Hit]:
    """Yield tokens that the header ``Referer`` passed on."""
    for token in evidence.tokens:
        if token.place == "referer" and token.exchange is not None:
            yield Hit(
                subject=f"Referer to {token.exchange.address.authority}",
                evidence=f"Referer with {name_of(token.name) or 'a token'}: {masked(token.value)}",
                exchange=token.exchange,
            )


def password(evidence: Evidence) -> Iterator[Hit]:
    """Yield passwords in addresses."""
    for exchange, name, in_address in evidence.passwords:
        if in_address:
            yield Hit(
                subject=f'parameter "{name_of(name)}" of {exchange.endpoint}',
                evidence=f"{name_of(name)}=…" if "@" not in name else "a name and a password before the host",
                exchange=exchange,
            )
