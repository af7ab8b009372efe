"""The forms that texts among the settings have: origins, networks, colours, paths.

Each function returns the canonical form, or raises ``ValueError`` with a sentence without subject.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from ..mail.mime import parse_sender
from ..mail.smtp_url import parse_smtp_url
from ..storage.server_addresses import check_postgres_url

__all__ = [
    "EVERYWHERE",
    "DatabaseAddress",
    "brand_name",
    "check_bearer_token",
    "check_smtp_url",
    "colour",
    "database",
    "host_name",
    "host_of",
    "is_https",
    "is_loopback",
    "is_unspecified",
    "logo_path",
    "mailbox",
    "network",
    "origin",
    "origin_or_any",
    "pages_prefix",
    "request_path",
]

EVERYWHERE = "*"
_HOST = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)
_ADDRESS = re.compile(
    r"(?i)://|postgres(?:ql)?\+?\w*:|\b(?:host|hostaddr|password|dbname|user)\s*=|^[\s\"']|[\s\"']$"
)
_PREFIX = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
_PATH = re.compile(r"/[!#-;=@-Z_a-z~]*")  # visible, no query, nothing that needs quoting
_BEARER_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_DEFAULT_PORTS = {"http": 80, "https": 443}


class DatabaseAddress(str):
    """An address that may hold a password, and does not show it where values are looked at."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'postgresql://…'"


def origin(text: str) -> str:
    """An origin as browsers send it (RFC 6454 section 6.2): scheme, host, and the port if it is not the usual one."""
    wrong = ValueError(
        f"{text[:80]!r} is no origin. Write scheme, host and port only: https://example.com or http://localhost:3000."
    )
    try:
        parts = urlsplit(text.lower())
        port = parts.port
    except ValueError:
        raise wrong from None
    host = parts.hostname or ""
    if parts.scheme not in _DEFAULT_PORTS or "@" in parts.netloc or "#" in text or "?" in text:
        raise wrong
    if parts.path not in {"", "/"} or not (_HOST.fullmatch(host) or _is_address(host)):
        raise wrong
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (
        f":{port}" if port not in {None, _DEFAULT_PORTS[parts.scheme]} else ""
    )


def origin_or_any(text: str) -> str:
    """An origin, or ``*``, which the rules of the mode judge."""
    return EVERYWHERE if text == EVERYWHERE else origin(text)


def host_of(url: str) -> str:
    """Return the host of an origin, without brackets."""
    return urlsplit(url).hostname or ""


def is_https(url: str) -> bool:
    """Tell whether an origin is reached through TLS."""
    return url.startswith("https://")


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine: ``localhost`` and below it (RFC 6761 section 6.3), 127.0.0.0/8, ``::1``."""
    name = host.strip("[]").removesuffix(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    if not _is_address(name):
        return False
    address = ip_address(name)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def is_unspecified(host: str) -> bool:
    """Tell whether a host is an address that means "any of mine" and can be reached by nobody: 0.0.0.0, ``::``."""
    return _is_address(host) and ip_address(host).is_unspecified


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def host_name(text: str) -> str:
    """A host as it stands in a URL, without port."""
    name = text.lower()
    if not (_HOST.fullmatch(name) or _is_address(name.strip("[]"))):
        raise ValueError(f"{text[:80]!r} is no host name.")
    return name


def network(text: str) -> str:
    """An IP address or network (``10.0.0.0/8``), or ``*``, which the rules of the mode judge."""
    if text == EVERYWHERE:
        return EVERYWHERE
    try:
        return str(ip_network(text))
    except ValueError as error:
        hint = " Bits behind the network's length are set." if "host bits" in str(error) else ""
        raise ValueError(
            f"{text[:80]!r} is no IP address or network. Write 10.0.0.5, 10.0.0.0/8 or fd00::/8.{hint}"
        ) from None


def pages_prefix(text: str) -> str:
    """A path that everything of Coatcheck stands below."""
    if not _PREFIX.fullmatch(text) or ".." in text:
        raise ValueError(
            "it must be a path such as /auth: it begins with /, does not end with it, and is not / alone."
        )
    return text


def request_path(text: str) -> str:
    """A path of the application, exactly as a request has it."""
    if not _PATH.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is no path. It begins with / and has no query.")
    return text


def logo_path(text: str) -> str:
    """The path of a picture on this site. Others would learn of every visit, and the pages forbid them."""
    if not _PATH.fullmatch(text) or text.startswith("//"):
        raise ValueError("it must be the path of a picture on this site, such as /static/logo.svg.")
    return text


def colour(text: str) -> str:
    """A colour as ``#rrggbb``."""
    if not _COLOUR.fullmatch(text):
        raise ValueError("it must be a colour such as #3366cc.")
    return text.lower()


def brand_name(text: str) -> str:
    """The name of the site."""
    name = text.strip()
    if not 1 <= len(name) <= 80:
        raise ValueError("it must have 1 to 80 characters.")
    return name


def database(text: str) -> str:
    """The path of a file, or the address of a PostgreSQL database."""
    if text.startswith(("postgresql://", "postgres://")):
        return DatabaseAddress(check_postgres_url(text))
    if _ADDRESS.search(text):  # a file of that name would be made, and the password in it shown
        raise ValueError("it must be the path of a file, or postgresql://user:password@host/name.")
    if not text or text.endswith("/"):
        raise ValueError("it must be the path of a file.")
    return text


def mailbox(text: str) -> str:
    """One address that mail comes from, with or without a name: ``Example <no-reply@example.com>``."""
    parse_sender(text)
    return text


def check_bearer_token(text: str) -> str:
    """A token that can be sent as ``Authorization: Bearer`` (RFC 6750 section 2.1)."""
    if not _BEARER_TOKEN.fullmatch(text):
        raise ValueError("it may hold letters, digits and - . _ ~ + / only, with = at the end.")
    return text


def check_smtp_url(text: str) -> str:
    """A mail server: ``smtp://user:password@host:port``, or ``smtps://`` for TLS from the first octet."""
    parse_smtp_url(text)
    return text
