"""The address of a mail server, with its credentials, as one URL."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import msgspec

__all__ = ["SMTPServer", "parse_smtp_url"]

_PORTS = {"smtp": 587, "smtps": 465}  # submission, RFC 6409 section 3.1 and RFC 8314 section 3.3
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_FORM = (
    "Write smtp://user:password@host:port or smtps://user:password@host:port, with % escapes where needed."
)


class SMTPServer(msgspec.Struct, frozen=True, kw_only=True):
    """Where and how to hand in mail.

    Attributes:
        host: Its name or address.
        port: Its port; 587 for ``smtp``, 465 for ``smtps`` if the URL has none.
        implicit_tls: Whether TLS begins with the first octet (``smtps``) and not by STARTTLS.
        user: Who to sign in as; ``None`` for no sign-in.
        password: Their password.
    """

    host: str
    port: int
    implicit_tls: bool
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        return f"<SMTPServer {self.host}:{self.port}>"

    @property
    def is_local(self) -> bool:
        """Whether it is this machine, where TLS protects nothing."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"


def parse_smtp_url(text: str) -> SMTPServer:
    """Return the server that a URL names.

    Raises:
        ValueError: What is wrong, as a sentence without subject. It never quotes the URL, which holds a password.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"it is no URL of a mail server. {_FORM}") from None
    if parts.scheme not in _PORTS:
        raise ValueError(f"its scheme must be smtp or smtps. {_FORM}")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError(f"it has something behind the host and port. {_FORM}")
    if not _HOST.fullmatch(parts.hostname or "") or port == 0:
        raise ValueError(f"it has no host, or an impossible one. {_FORM}")
    if (parts.username is None) != (parts.password is None) or parts.username == "":
        raise ValueError(f"user and password go together. {_FORM}")
    return SMTPServer(
        host=parts.hostname or "",
        port=_PORTS[parts.scheme] if port is None else port,
        implicit_tls=parts.scheme == "smtps",
        user=_unescaped(parts.username),
        password=_unescaped(parts.password),
    )


def _unescaped(text: str | None) -> str | None:
    try:
        return None if text is None else unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ValueError(f"its % escapes are not UTF-8. {_FORM}") from None
