"""What is in a recording: gathered once, for all rules to look at."""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from urllib.parse import unquote

import msgspec

from .addresses import Address, parse_address
from .bodies import named_values
from .masking import name_of
from .model import Options
from .recording import Exchange, Recording
from .set_cookie import SetCookie
from .tokens import Place, Token, find_tokens, is_opaque_token, read_token, tokens_in_cookie
from .vocabulary import (
    Role,
    is_password,
    is_proof,
    is_session_cookie,
    is_sign_out,
    is_token_header,
    role_of,
)

__all__ = ["CookieSet", "Evidence", "described", "gather"]

_MOST_READ = 5_000
_MOST_PARAMETERS = 32
_LONG = 16
_SHORTEST_SESSION = 8
_LONGEST_SECRETS = 65_536
_SCHEMES = frozenset({"bearer", "dpop", "token", "jwt"})
# Written for one reader and one use, and meant to travel so (OpenID Connect RP-Initiated Logout section 2, RFC 9101,
# RFC 6749 section 4.1): codes and states may be tokens in form.
_PASSED_ON = frozenset(
    {
        *("assertion", "client_assertion", "code", "id_token_hint", "login_hint", "logout_token", "nonce"),
        *("request", "samlrequest", "samlresponse", "state"),
    }
)


class CookieSet(msgspec.Struct, frozen=True, kw_only=True):
    """A cookie that an answer sets.

    Attributes:
        cookie: The cookie.
        exchange: The exchange.
        is_session: Whether it was taken for one that carries a session or a token.
        removed: Whether it takes the cookie away.
    """

    cookie: SetCookie
    exchange: Exchange
    is_session: bool
    removed: bool


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All that the rules look at.

    Attributes:
        recording: The file.
        options: What the person knows.
        cookies: Every cookie that an answer sets, in order.
        session_names: Names of cookies that were taken for sessions or tokens.
        tokens: Every token in every place.
        homes: For each token the place where it was seen first, which speaks for all others.
        passwords: Where a password was sent: exchange, name of the field, and whether in the address.
        sign_outs: The exchanges that sign out, by their address or by ``Clear-Site-Data``.
        clearings: Other exchanges that take a session cookie away.
        secrets: What must not appear in a report.
    """

    recording: Recording
    options: Options
    cookies: list[CookieSet]
    session_names: dict[str, None]
    tokens: list[Token]
    homes: dict[str, Token]
    passwords: list[tuple[Exchange, str, bool]]
    sign_outs: list[Exchange]
    clearings: list[Exchange]
    secrets: set[str]

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """All exchanges, in order."""
        return self.recording.exchanges

    def session_cookies(self) -> Iterator[CookieSet]:
        """Yield the cookies that carry a session or a token, as they are set."""
        return (each for each in self.cookies if each.is_session and not each.removed)

    def sent_sessions(self, exchange: Exchange) -> list[tuple[str, str]]:
        """Return the cookies of a request that carry a session or a token."""
        return [
            (name, value) for name, value in exchange.cookies_sent if value and name in self.session_names
        ]


class _Gathering:
    """What has been seen so far."""

    def __init__(self, recording: Recording, options: Options) -> None:
        self.recording = recording
        self.options = options
        self.session_names: dict[str, None] = {}
        self.tokens: list[Token] = []
        self.passwords: list[tuple[Exchange, str, bool]] = []
        self.secrets: set[str] = set()
        self._readings: dict[str, object] = {}

    def add(
        self,
        value: str,
        role: Role,
        place: Place,
        *,
        name: str,
        exchange: Exchange | None,
        from_server: bool = False,
    ) -> None:
        """Note a token."""
        if value not in self._readings:
            self.secrets.add(value)
            self._readings[value] = read_token(value) if len(self._readings) < _MOST_READ else None
        reading = self._readings[value]
        claims = getattr(reading, "claims", None) or {}
        if str(claims.get("typ")).lower() == "refresh":
            role = "refresh"
        self.tokens.append(
            Token(
                value=value,
                role=role,
                place=place,
                name=name,
                from_server=from_server,
                reading=reading,  # type: ignore[arg-type]
                exchange=exchange,
            )
        )

    def add_password(self, exchange: Exchange, name: str, value: str, *, in_address: bool = False) -> None:
        """Note a password."""
        if value:
            self.secrets.add(value[:_LONGEST_SECRETS])
            self.passwords.append((exchange, name, in_address))

    def named(
        self, name: str, value: str, place: Place, *, exchange: Exchange, from_server: bool = False
    ) -> bool:
        """Note a named value if it is a token; tell whether it was."""
        role = role_of(name)
        if next(find_tokens(value[:_LONGEST_SECRETS]), None) == value:
            self.add(value, role or "access", place, name=name, exchange=exchange, from_server=from_server)
            return True
        if role is not None and is_opaque_token(value):
            self.add(value, role, place, name=name, exchange=exchange, from_server=from_server)
            return True
        if is_proof(name) and len(value) >= _LONG:
            self.secrets.add(value[:_LONGEST_SECRETS])
        return False


def gather(recording: Recording, options: Options) -> Evidence:
    """Look through a recording once."""
    seen = _Gathering(recording, options)
    cookies = [each for exchange in recording.exchanges for each in _cookies_set(seen, exchange)]
    for exchange in recording.exchanges:
        _cookies_sent(seen, exchange)
        _request_headers(seen, exchange)
        _addresses(seen, exchange)
        _request_body(seen, exchange)
        _response(seen, exchange)
    if recording.token:
        seen.add(recording.token, "access", "file", name="", exchange=None)
    clearing = _clearing(cookies)
    sign_outs = _sign_outs(recording.exchanges, options, clearing)
    known = {exchange.entry for exchange in sign_outs}
    return Evidence(
        recording=recording,
        options=options,
        cookies=cookies,
        session_names=seen.session_names,
        tokens=seen.tokens,
        homes={token.value: token for token in reversed(seen.tokens)},
        passwords=seen.passwords,
        sign_outs=sign_outs,
        clearings=[each for each in recording.exchanges if each.entry in clearing - known],
        secrets=seen.secrets,
    )


def _is_session(seen: _Gathering, name: str, value: str) -> bool:
    return (
        name in seen.options.session_cookies
        or (is_session_cookie(name) and (len(value) >= _SHORTEST_SESSION or _is_counted(name, value)))
        or next(tokens_in_cookie(value), None) is not None
    )


def _is_counted(name: str, value: str) -> bool:
    """Tell whether a cookie that can only be a session's has an identifier that is short: a number, say."""
    return role_of(name) == "session" and len(value) > 1 and value.lower() not in {"true", "false"}


def _note_cookie(seen: _Gathering, name: str, value: str, *, exchange: Exchange, from_server: bool) -> bool:
    value = value.strip('"')
    if len(value) >= _LONG:
        seen.secrets.add(value)
    if not _is_session(seen, name, value):
        return False
    seen.session_names[name] = None
    seen.secrets.add(value)
    if not seen.named(name, value, "cookie", exchange=exchange, from_server=from_server):
        for token in tokens_in_cookie(value):  # inside of something else
            seen.add(
                token,
                role_of(name) or "access",
                "cookie",
                name=name,
                exchange=exchange,
                from_server=from_server,
            )
    return True


def _cookies_set(seen: _Gathering, exchange: Exchange) -> Iterator[CookieSet]:
    for cookie in exchange.cookies_set:
        removed = cookie.is_removal(exchange.started)
        is_session = (
            cookie.name in seen.session_names or is_session_cookie(cookie.name)
            if removed
            else _note_cookie(seen, cookie.name, cookie.value, exchange=exchange, from_server=True)
        )
        yield CookieSet(cookie=cookie, exchange=exchange, is_session=is_session, removed=removed)


def _cookies_sent(seen: _Gathering, exchange: Exchange) -> None:
    for name, value in exchange.cookies_sent:
        _note_cookie(seen, name, value, exchange=exchange, from_server=False)


def _request_headers(seen: _Gathering, exchange: Exchange) -> None:
    for name, value in exchange.request.headers.fields:
        if name in {"authorization", "proxy-authorization"}:
            _authorization(seen, exchange, value)
        elif is_token_header(name):
            seen.named(name, value, "header", exchange=exchange)
        elif name == "sec-websocket-protocol":  # the only header that a script can give a WebSocket
            for token in find_tokens(value):
                seen.add(token, "access", "header", name=name, exchange=exchange)
        elif is_proof(name):
            seen.secrets.add(value)


def _authorization(seen: _Gathering, exchange: Exchange, value: str) -> None:
    scheme, _, credentials = value.partition(" ")
    credentials = credentials.strip()
    if scheme.lower() in _SCHEMES and credentials:
        seen.add(credentials, "access", "authorization", name=scheme, exchange=exchange)
    elif scheme.lower() == "basic":
        seen.secrets.add(credentials)
        try:
            pair = binascii.a2b_base64(credentials.encode("ascii")).decode("utf-8", "replace")
        except ValueError:
            return
        seen.add_password(exchange, "Authorization: Basic", pair.partition(":")[2])
    elif next(find_tokens(value), None) == value:  # without a scheme, as some gateways have it
        seen.add(value, "access", "authorization", name="", exchange=exchange)
    elif len(credentials) >= _LONG:
        seen.secrets.add(credentials)


def _addresses(seen: _Gathering, exchange: Exchange) -> None:
    _address(seen, exchange, exchange.address)
    if referer := exchange.request.headers.get("referer"):
        _address(seen, exchange, parse_address(referer), referer=True)
    if location := exchange.response.headers.get("location"):
        _address(seen, exchange, parse_address(location), from_server=True)


def _address(
    seen: _Gathering,
    exchange: Exchange,
    address: Address,
    *,
    referer: bool = False,
    from_server: bool = False,
) -> None:
    if ":" in address.userinfo:
        password = address.userinfo.partition(":")[2]
        seen.add_password(exchange, "user:password@", password, in_address=True)
    parts: tuple[tuple[Place, tuple[tuple[str, str], ...]], ...] = (
        ("query", address.query),
        ("fragment", address.fragment),
    )
    for part, pairs in parts:
        place: Place = "referer" if referer else part
        for name, value in pairs:
            if is_password(name) and not referer:
                seen.add_password(exchange, name, value, in_address=True)
            elif name.lower() in _PASSED_ON:
                seen.secrets.update(find_tokens(value))
                if len(value) >= _LONG:
                    seen.secrets.add(value)
            elif not seen.named(name, value, place, exchange=exchange, from_server=from_server) and (
                len(value) >= _LONG
            ):
                seen.secrets.add(value)
    _path(seen, exchange, address, place="referer" if referer else "path", from_server=from_server)


def _path(seen: _Gathering, exchange: Exchange, address: Address, *, place: Place, from_server: bool) -> None:
    for token in find_tokens(address.path):
        seen.add(token, "access", place, name="", exchange=exchange, from_server=from_server)
    for segment in address.path.split("/"):
        for parameter in segment.split(";", _MOST_PARAMETERS)[1:]:
            name, _, value = unquote(parameter).partition("=")
            if value:
                seen.named(name, value, place, exchange=exchange, from_server=from_server)


def _request_body(seen: _Gathering, exchange: Exchange) -> None:
    message = exchange.request
    for name, value in (*message.fields, *named_values(message.body, message.content_type)):
        if is_password(name):
            seen.add_password(exchange, name, value)
        else:
            seen.named(name, value, "form", exchange=exchange)


def _response(seen: _Gathering, exchange: Exchange) -> None:
    for name, value in exchange.response.headers.fields:
        if is_token_header(name) or name == "authorization":
            bare = value.partition(" ")[2] if value[:7].lower() == "bearer " else value
            named = "access-token" if name == "authorization" else name
            if (
                not seen.named(named, bare, "header", exchange=exchange, from_server=True)
                and len(bare) >= _LONG
            ):
                seen.secrets.add(bare)
    known: set[str] = set()
    for name, value in named_values(exchange.response.body, exchange.response.content_type):
        if is_password(name):
            seen.secrets.add(value)
        elif seen.named(name, value, "body", exchange=exchange, from_server=True):
            known.add(value)
    for token in find_tokens(exchange.response.body):
        if token not in known and read_token(token) is not None:
            known.add(token)
            seen.add(token, "access", "body", name="", exchange=exchange, from_server=True)


def _sign_outs(exchanges: tuple[Exchange, ...], options: Options, clearing: set[int]) -> list[Exchange]:
    """Return the requests that sign out, not those that only ask whether to."""
    posted = {exchange.address.path for exchange in exchanges if exchange.method == "POST"}
    return [
        exchange
        for exchange in exchanges
        if _signs_out(exchange, options)
        and (exchange.entry in clearing or not _is_question(exchange, posted))
    ]


def _signs_out(exchange: Exchange, options: Options) -> bool:
    """Tell whether a request signs out: by the address if that was told, or else by what addresses look like."""
    if exchange.status >= 400 or exchange.method == "OPTIONS":
        return False
    address = exchange.address
    if options.sign_out:
        return options.sign_out in f"{address.origin}{address.path}"
    named = is_sign_out(address.path) and not address.is_static
    return named or "cookies" in exchange.response.headers.get("clear-site-data")


def _clearing(cookies: list[CookieSet]) -> set[int]:
    """Return the entries that take a session cookie away, and do not set it anew, for another path or domain."""
    kept = {(each.exchange.entry, each.cookie.name) for each in cookies if not each.removed}
    removed = [each for each in cookies if each.removed and each.is_session]
    return {each.exchange.entry for each in removed if (each.exchange.entry, each.cookie.name) not in kept}


def _is_question(exchange: Exchange, posted: set[str]) -> bool:
    """Tell whether an answer is a page that asks whether to sign out."""
    if exchange.method != "GET" or not exchange.succeeded:
        return False
    return exchange.address.path in posted or "<form" in exchange.response.body


def described(token: Token) -> str:
    """Say in which place a token is, without saying where that is."""
    name = name_of(token.name)
    words = {
        "cookie": f'cookie "{name}"',
        "authorization": "the header Authorization",
        "header": f'the header "{name}"',
        "query": f'parameter "{name}"',
        "fragment": f'parameter "{name}" behind "#"',
        "path": "the path",
        "referer": "the header Referer",
        "body": f'member "{name}"' if name else "the text",
        "form": f'field "{name}"',
        "file": "the token",
    }
    return words[token.place]
