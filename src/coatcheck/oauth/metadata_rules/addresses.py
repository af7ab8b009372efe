"""The URLs of a client that are not redirect URIs: its pages, and what this server or browsers ask for."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from ..errors import InvalidRedirectURIError
from ..redirect_uris import is_loopback_uri, split_uri
from .refusal import refused

__all__ = ["check_address", "check_front_channel", "check_information"]


def check_address(field: str, uri: str | None, *, loopback: bool) -> str | None:
    """Return a URL that something is to be asked for at: https, and nothing in it that could be read differently.

    Args:
        field: The name of the member.
        uri: It.
        loopback: Whether it may be plain http to this machine.

    Raises:
        InvalidClientMetadataError: If it is none.
    """
    if uri is None:
        return None
    parts = _split(field, uri)
    if parts.scheme != "https" and not (loopback and parts.scheme == "http" and is_loopback_uri(parts)):
        raise refused(field, "it must begin with https:.")
    return uri


def check_information(field: str, uri: str | None) -> str | None:
    """Return a URL of a page that people may be shown, or ``None``: one without https is left out.

    Raises:
        InvalidClientMetadataError: If it is no web page at all, such as a ``javascript:`` URL.
    """
    if not uri:
        return None
    parts = _split(field, uri)
    if parts.scheme not in {"http", "https"}:
        raise refused(field, "it must begin with https:.")
    return uri if parts.scheme == "https" else None


def check_front_channel(uri: str | None, redirect_uris: Sequence[str]) -> str | None:
    """Return the URL that browsers load when they sign out.

    Its scheme, host and port are those of a redirect URI (OpenID Connect Front-Channel Logout section 2).

    Raises:
        InvalidClientMetadataError: If they are not.
    """
    field = "frontchannel_logout_uri"
    if uri is None or check_address(field, uri, loopback=True) is None:
        return None
    if _origin(urlsplit(uri)) not in {_origin(urlsplit(each)) for each in redirect_uris}:
        raise refused(field, "it must be on the host of a redirect URI.")
    return uri


def _split(field: str, uri: str) -> SplitResult:
    try:
        return split_uri(uri)
    except InvalidRedirectURIError:
        raise refused(field, "it is no URL, or has a user, a fragment or dot segments.") from None


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port
