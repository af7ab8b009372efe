"""Where events may be pushed to: the addresses and URLs that receivers may name.

A receiver names the URL, and this server asks for it, from inside of its own network. Whoever could have it ask for
anything could reach what nobody outside should (server-side request forgery, ASVS 5.0, 1.3.6).
"""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from .signal_errors import InvalidStreamError

__all__ = ["Endpoint", "is_public", "may_connect", "parse_endpoint"]

_LONGEST = 2048
_FIELD = "endpoint_url"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052
_SPECIAL = (
    # Not all Pythons know that these are not of the Internet (IANA's registries of special-purpose addresses).
    ipaddress.ip_network("192.0.0.0/24"),
    ipaddress.ip_network("3fff::/20"),
)
_PORTS = {"https": 443, "http": 80}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Endpoint:
    """A URL in its parts.

    Attributes:
        url: It as a whole.
        scheme: ``https``, or, in development, ``http``.
        host: The name or address of the host, without brackets.
        port: The port.
        netloc: Host and port as the ``Host`` header says them.
        target: Path and query.
    """

    def __init__(self, parts: SplitResult) -> None:
        assert parts.hostname is not None  # noqa: S101 - ``parse_endpoint`` has looked
        self.url: str = parts.geturl()
        self.scheme: str = parts.scheme
        self.host: str = parts.hostname
        self.port: int = parts.port or _PORTS[parts.scheme]
        self.netloc: str = parts.netloc
        self.target: str = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def parse_endpoint(url: str, *, development: bool) -> Endpoint:
    """Return a URL that events may be pushed to, as far as the URL itself can tell.

    Args:
        url: What a receiver named.
        development: Whether this is development mode, which may use http, to this machine.

    Raises:
        InvalidStreamError: If it is none.
    """
    if len(url) > _LONGEST or not url.isascii() or any(letter <= " " or letter == "\x7f" for letter in url):
        raise InvalidStreamError("The URL has letters that no URL has, or too many of them.", field=_FIELD)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise InvalidStreamError("The URL is not in the form of one.", field=_FIELD) from None
    if not host or parts.username is not None or parts.password is not None or "\\" in url or "#" in url:
        raise InvalidStreamError("The URL needs a host, and may have no user and no fragment.", field=_FIELD)
    if parts.scheme != "https" and not (development and parts.scheme == "http"):
        raise InvalidStreamError("Events are pushed over https only.", field=_FIELD)
    endpoint = Endpoint(parts)
    literal = _literal(host)
    if literal is not None and not may_connect(endpoint, literal, development=development):
        raise InvalidStreamError("Events are not pushed to addresses inside of a network.", field=_FIELD)
    return endpoint


def may_connect(endpoint: Endpoint, address: Address, *, development: bool) -> bool:
    """Tell whether an address that the host's name resolves to may be connected to. Asked at every connection.

    The name may resolve to another address than when the stream was made (DNS rebinding).
    """
    if development and address.is_loopback:
        return True
    return endpoint.scheme == "https" and is_public(address)


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the Internet, and so is every other that is hidden in it."""
    if isinstance(address, ipaddress.IPv6Address):
        same = address.ipv4_mapped
        if address in _NAT64:
            same = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if same is not None:
            return is_public(same)
        if any(
            each is not None and not is_public(each) for each in (address.sixtofour, *(address.teredo or ()))
        ):
            return False
        if address.is_site_local:
            return False
    if any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
