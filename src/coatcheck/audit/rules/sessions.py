"""Whether a session begins with the sign-in and ends with the sign-out, as far as a recording shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from ..addresses import parse_address
from ..evidence import Evidence
from ..masking import masked, name_of
from ..model import Severity
from ..recording import Exchange
from ..vocabulary import is_sign_in, is_sign_out, plain
from .cookies import subject_of
from .model import Hit

__all__ = ["alive_after_sign_out", "cookie_left_by_sign_out", "fixation"]

_FOLLOWING = 4
_MOST_LOOKED_AT = 50  # sign-ins and sign-outs: each is compared with all that follows
_SHORTEST_MARK = 5
_MARKS = frozenset(
    {"email", "user", "username", "login", "user_name", "identifier", "preferred_username", "name"}
)
_REFUSED = frozenset({401, 403})


def fixation(evidence: Evidence) -> Iterator[Hit]:
    """Yield session identifiers that were there before the sign-in, and went on being used after it."""
    exchanges = evidence.exchanges
    entries = _sign_ins(evidence)
    positions = [position for position, exchange in enumerate(exchanges) if exchange.entry in entries]
    for position in positions[:_MOST_LOOKED_AT]:
        exchange = exchanges[position]
        before = dict(evidence.sent_sessions(exchange))
        after = _next_content(exchanges[position + 1 :], exchange.address.host)
        if not before or after is None or _gives_token(evidence, exchange):
            continue
        sent = dict(evidence.sent_sessions(after))
        again = {each.name for each in exchange.cookies_set if before.get(each.name) == each.value.strip('"')}
        for name, value in before.items():
            # A new session beside the old one makes the old one harmless, unless the sign-in confirmed it.
            if sent.get(name) == value and (name in again or sent.keys() <= before.keys()):
                yield Hit(
                    subject=subject_of(name, exchange),
                    evidence=f"{name_of(name)}={masked(value)} before the sign-in, and after it in entry {after.entry}",
                    exchange=exchange,
                    severity=None if 300 <= exchange.status < 400 else "medium",
                )


def _next_content(exchanges: Sequence[Exchange], host: str) -> Exchange | None:
    return next(
        (each for each in exchanges if each.address.host == host and each.cookies_sent and _is_content(each)),
        None,
    )


def _sign_ins(evidence: Evidence) -> set[int]:
    """Return the entries that are a sign-in that succeeded, for all that can be told."""
    given = [exchange for exchange, _, in_address in evidence.passwords if not in_address]
    return {exchange.entry for exchange in given if _signed_in(exchange)}


def _signed_in(exchange: Exchange) -> bool:
    if not (is_sign_in(exchange.address.path) and 200 <= exchange.status < 400):
        return False
    location = exchange.response.headers.get("location")
    return not (location and is_sign_in(parse_address(location).path))


def _gives_token(evidence: Evidence, exchange: Exchange) -> bool:
    return any(
        token.exchange is exchange and token.from_server and token.place in {"body", "header"}
        for token in evidence.tokens
    )


def _is_content(exchange: Exchange) -> bool:
    return (
        exchange.succeeded
        and exchange.method != "OPTIONS"
        and not exchange.address.is_static
        and not exchange.response.content_type.startswith(("image/", "font/", "text/css", "video/", "audio/"))
        and "javascript" not in exchange.response.content_type
    )


def alive_after_sign_out(evidence: Evidence) -> Iterator[Hit]:
    """Yield credentials that a server still took after the sign-out that should have ended them."""
    others = _Others(evidence)
    known = {exchange.entry for exchange in evidence.sign_outs}
    for out in (*evidence.sign_outs[:_MOST_LOOKED_AT], *evidence.clearings[:_MOST_LOOKED_AT]):
        ended = _credentials_of(evidence, out, is_sign_out=out.entry in known)
        if ended:
            hits = (_still_taken(evidence, later, ended) for later in _until_next_sign_in(evidence, out))
            yield from islice(others.judged(hits, out), _MOST_LOOKED_AT)


def _still_taken(evidence: Evidence, later: Exchange, ended: set[str]) -> tuple[Exchange, dict[str, str]]:
    """Return the credentials of a request that had ended, and that were answered."""
    if not _is_content(later):
        return later, {}
    return later, {value: name for value, name in _carried(evidence, later).items() if value in ended}


def _named(name: str) -> str:
    return "the token in the header Authorization" if name == "authorization" else f'cookie "{name_of(name)}"'


def _carried(evidence: Evidence, exchange: Exchange) -> dict[str, str]:
    """Return the credentials of a request, and where they stand."""
    carried = {value: name for name, value in evidence.sent_sessions(exchange) if len(value) >= 8}
    scheme, _, token = exchange.request.headers.get("authorization").partition(" ")
    if token and scheme.lower() in {"bearer", "dpop", "token"}:
        carried[token.strip()] = "authorization"
    return carried


def _credentials_of(evidence: Evidence, out: Exchange, *, is_sign_out: bool) -> set[str]:
    """Return what ends: what came with a sign-out, and the last values of the cookies that it takes away."""
    ended = set(_carried(evidence, out)) if is_sign_out else set()
    kept = {each.name for each in out.cookies_set if not each.is_removal(out.started)}
    removed = {each.name for each in out.cookies_set if each.is_removal(out.started)} - kept
    for exchange in evidence.exchanges:
        if exchange.address.host == out.address.host:
            ended |= {value for value, name in _carried(evidence, exchange).items() if name in removed}
        if exchange is out:
            break
    return ended


def _until_next_sign_in(evidence: Evidence, out: Exchange) -> Iterator[Exchange]:
    """Yield what began after the sign-out was answered, and before somebody signed in again."""
    passed = False
    sign_ins = _sign_ins(evidence)
    for exchange in evidence.exchanges:
        if passed and exchange.entry in sign_ins:
            return
        begun = None in {exchange.started, out.ended} or (exchange.started or 0.0) >= (out.ended or 0.0)
        path = exchange.address.path
        if passed and begun and not is_sign_in(path) and not is_sign_out(path):
            yield exchange
        passed = passed or exchange is out


def _marks(evidence: Evidence) -> set[str]:
    """Return what tells that an answer is about a person: names given at the sign-in, or in tokens."""
    marks: set[str] = set()
    for exchange, _, _ in evidence.passwords:
        marks |= {value for name, value in exchange.request.fields if plain(name) in _MARKS}
    for token in evidence.tokens:
        claims = token.reading.claims if token.reading is not None else None
        values = (value for name, value in (claims or {}).items() if plain(name) in _MARKS)
        marks |= {value for value in values if isinstance(value, str)}
    return set(sorted(mark for mark in marks if len(mark) >= _SHORTEST_MARK)[:_MOST_LOOKED_AT])


class _Others:
    """What an answer after the sign-out is compared with."""

    def __init__(self, evidence: Evidence) -> None:
        self._marks = _marks(evidence)
        self._refused: set[tuple[str, str, str]] = set()
        self._bodies: dict[tuple[str, str, str], dict[int, int]] = defaultdict(dict)
        for exchange in evidence.exchanges:
            if exchange.status in _REFUSED or _leads_to_sign_in(exchange):
                self._refused.add(_target(exchange))
            if exchange.response.body:
                self._bodies[_target(exchange)].setdefault(hash(exchange.response.body), exchange.entry)

    def judged(self, taken: Iterable[tuple[Exchange, dict[str, str]]], out: Exchange) -> Iterator[Hit]:
        """Yield a hit for each request whose credentials should have ended."""
        for later, old in taken:
            if old:
                severity, why = self._weigh(later, out)
                shown = ", ".join(f"{_named(name)} {masked(value)}" for value, name in old.items())
                yield Hit(
                    subject=f"the sign-out {out.endpoint}",
                    evidence=f"after it (entry {out.entry}), {later.address.host} answers {later.status} to {shown}"
                    f" in entry {later.entry}; {why}",
                    exchange=later,
                    severity=severity,
                )

    def _weigh(self, later: Exchange, out: Exchange) -> tuple[Severity, str]:
        """Tell how certain it is that an answer is for the person who had signed in."""
        body, target = later.response.body, _target(later)
        if any(mark in body for mark in self._marks):
            return "high", "the answer names the person who had signed in"
        if target in self._refused:
            return "high", "the same address is refused elsewhere in the recording"
        if body and self._bodies[target].get(hash(body), out.entry) < out.entry:
            return "medium", "the answer is the same as before the sign-out"
        return "low", "whether the answer is for this person alone cannot be seen"


def _target(exchange: Exchange) -> tuple[str, str, str]:
    return exchange.method, exchange.address.origin, exchange.address.path


def _leads_to_sign_in(exchange: Exchange) -> bool:
    location = exchange.response.headers.get("location")
    return 300 <= exchange.status < 400 and bool(location) and is_sign_in(parse_address(location).path)


def cookie_left_by_sign_out(evidence: Evidence) -> Iterator[Hit]:
    """Yield session cookies that a sign-out neither takes away nor replaces."""
    exchanges = evidence.exchanges
    signing_out = {each.entry for each in evidence.sign_outs[:_MOST_LOOKED_AT]}
    for position, out in enumerate(exchanges):
        if out.entry not in signing_out:
            continue
        near = exchanges[position : position + _FOLLOWING]
        named = {each.name for exchange in near for each in exchange.cookies_set}
        cleared = any("cookies" in exchange.response.headers.get("clear-site-data") for exchange in near)
        sent_later = {name for exchange in exchanges[position + 1 :] for name, _ in exchange.cookies_sent}
        for name, value in evidence.sent_sessions(out):
            if name not in named and not cleared and name in sent_later:
                yield Hit(
                    subject=subject_of(name, out),
                    evidence=f"{name_of(name)}={masked(value)} was sent on after the sign-out",
                    exchange=out,
                )
