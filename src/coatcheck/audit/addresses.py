"""Addresses taken apart without trusting them, and shown without what they may betray (RFC 3986)."""

from __future__ import annotations

import re
from urllib.parse import unquote, unquote_plus, urlsplit

import msgspec

from .masking import looks_secret, name_of

__all__ = ["Address", "pairs_in", "parse_address"]

_LONGEST = 65_536
_MOST_PAIRS = 256
_MOST_SHOWN = 6
_LONGEST_SEGMENT = 40
_LONGEST_PATH = 160
_STATIC = re.compile(r"\.(?:js|mjs|css|map|png|jpe?g|gif|svg|webp|avif|ico|woff2?|ttf)$", re.IGNORECASE)
_LOCAL = re.compile(r"localhost|.*\.localhost|127(?:\.\d{1,3}){3}|\[?::1\]?")
_DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443"}


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """An address. Parts that it does not have are empty.

    Attributes:
        scheme: In small letters.
        host: In small letters, without the port.
        port: As it stands there; empty if it is the scheme's own.
        path: As it stands there, percent-encoded.
        query: Names and values, decoded.
        fragment: Likewise; an anchor that is no list of pairs is one name without a value.
        userinfo: What stands before the host, decoded.
    """

    scheme: str = ""
    host: str = ""
    port: str = ""
    path: str = ""
    query: tuple[tuple[str, str], ...] = ()
    fragment: tuple[tuple[str, str], ...] = ()
    userinfo: str = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port, as the header ``Origin`` has them (RFC 6454 section 6.2)."""
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}" if self.port else self.host

    @property
    def is_local(self) -> bool:
        """Whether it is this machine, which browsers trust without TLS (W3C Secure Contexts section 3.1)."""
        return _LOCAL.fullmatch(self.host) is not None

    @property
    def is_plain(self) -> bool:
        """Whether it travels unencrypted, to another machine."""
        return self.scheme in {"http", "ws"} and not self.is_local

    @property
    def is_static(self) -> bool:
        """Whether it names a script, a style, a picture or a font."""
        return _STATIC.search(self.path) is not None

    @property
    def shown_path(self) -> str:
        """The path, with what looks like a secret masked."""
        segments = [
            segment if _STATIC.search(segment) else _segment(segment) for segment in self.path.split("/")
        ]
        path = "/".join(segments)
        return path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}…"

    @property
    def endpoint(self) -> str:
        """Where it leads, without what differs from one call to the next."""
        return f"{self.origin}{self.shown_path}" if self.host else self.shown_path

    @property
    def shown(self) -> str:
        """The endpoint, and the names in the query."""
        query = _names(self.query, "?")
        return f"{self.endpoint}{query}{'#…' if self.fragment else ''}"


def parse_address(url: str) -> Address:
    """Take an address apart. What cannot be taken apart has no host."""
    url = url[:_LONGEST].strip()
    if url.startswith(("data:", "blob:", "javascript:", "about:")):
        return Address(path=f"{url.partition(':')[0]}:…")
    try:
        parts = urlsplit(url)
    except ValueError:
        return Address(path="(an address that cannot be read)")
    userinfo, _, authority = parts.netloc.rpartition("@")
    host, port = _host_and_port(authority)
    scheme = parts.scheme.lower()
    return Address(
        scheme=scheme,
        host=host.lower()[:255],
        port="" if port == _DEFAULT_PORTS.get(scheme) else port[:5],
        path=parts.path,
        query=pairs_in(parts.query),
        fragment=pairs_in(parts.fragment),
        userinfo=unquote(userinfo, errors="replace"),
    )


def pairs_in(text: str) -> tuple[tuple[str, str], ...]:
    """Decode names and values as forms write them (URL Standard, application/x-www-form-urlencoded)."""
    pairs = (piece.partition("=") for piece in text.split("&", _MOST_PAIRS)[:_MOST_PAIRS] if piece)
    return tuple((unquote_plus(name), unquote_plus(value)) for name, _, value in pairs)


def _host_and_port(authority: str) -> tuple[str, str]:
    host, colon, port = authority.rpartition(":")
    if colon and (not port or (port.isascii() and port.isdigit())):
        return host, port
    return authority, ""


def _segment(segment: str) -> str:
    name, semicolon, parameter = segment.partition(";")
    if semicolon:
        return f"{_segment(name)};{name_of(parameter.partition('=')[0])}=…"
    if looks_secret(unquote(segment)):
        return "…"
    return segment if len(segment) <= _LONGEST_SEGMENT else f"{segment[:12]}…"


def _names(pairs: tuple[tuple[str, str], ...], mark: str) -> str:
    if not pairs:
        return ""
    names = list(dict.fromkeys(name_of(name) for name, _ in pairs))
    more = "&…" if len(names) > _MOST_SHOWN else ""
    return mark + "&".join(f"{name}=…" for name in names[:_MOST_SHOWN]) + more
