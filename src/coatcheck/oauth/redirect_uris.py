"""The URLs that a client may register for browsers to be sent to. What two parsers could read differently is none."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from .errors import InvalidRedirectURIError

__all__ = ["MOST_URIS", "check_redirect_uri", "is_loopback_uri", "is_private_scheme", "split_uri"]

MOST_URIS: Final = 50
"""How many of one kind a client may register."""

_LONGEST: Final = 2048
# What may stand in a URI (RFC 3986 section 2), and no "*": nothing is a pattern here.
_LETTERS: Final = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()+,;=%]+", re.ASCII)
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DOTS: Final = frozenset({".", ".."})
_PRIVATE_SCHEME: Final = re.compile(r"[a-z][a-z0-9+\-]*(\.[a-z0-9+\-]+)+", re.ASCII)
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9\-_.]*[A-Za-z0-9.])?|\[[0-9A-Fa-f:.]+\]", re.ASCII)
_AUTHORITY: Final = re.compile(r"(?P<host>[^:\[\]]+|\[[^\[\]]*\])(:[0-9]{1,5})?", re.ASCII)
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def check_redirect_uri(uri: str, *, loopback: bool, private: bool) -> None:
    """Check a URI that browsers are to be sent to (OAuth 2.1 section 2.3, RFC 8252 section 7).

    Args:
        uri: It, absolute. It is compared letter by letter later on, so it stays as it is.
        loopback: Whether it may be ``http`` to the loopback interface.
        private: Whether it may have a scheme of an app's own, which has a dot in it (RFC 8252 section 7.1). Schemes
            without one belong to browsers and systems: ``javascript``, ``data``, ``file``, ``intent`` ….

    Raises:
        InvalidRedirectURIError: If no client, or not this one, may register it.
    """
    parts = split_uri(uri)
    if is_private_scheme(parts):
        if not private:
            raise _refused("Only a native client can have a redirect URI with a scheme of its own.")
        return
    if parts.scheme == "https":
        return
    if parts.scheme != "http" or not is_loopback_uri(parts):
        raise _refused(
            "A redirect URI begins with https:, http: to the loopback interface, or a private scheme with a dot in it."
        )
    if not loopback:
        raise _refused("This client cannot be redirected to the loopback interface.")


def split_uri(uri: str) -> SplitResult:
    """Return the parts of an absolute URI of which there is only one reading.

    Raises:
        InvalidRedirectURIError: If it is relative, too long or ambiguous, or has a user, a fragment, a dot segment or
            a wildcard.
    """
    if len(uri) > _LONGEST or not _LETTERS.fullmatch(uri) or _BROKEN_ESCAPE.search(uri):
        raise _refused("A redirect URI has letters that no URI has, or too many of them.")
    if "#" in uri:
        raise _refused("A redirect URI has no fragment.")
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise _refused("A redirect URI is not in the form of one.") from None
    # urlsplit writes the scheme in small letters; one in capitals is none that a browser would send back.
    if not parts.scheme or not uri.startswith(f"{parts.scheme}:"):
        raise _refused("A redirect URI is absolute, and its scheme in small letters.")
    if parts.scheme in {"http", "https"} or parts.netloc:
        _check_authority(uri, parts)
    elif not parts.path:
        raise _refused("A redirect URI leads somewhere.")
    if any(segment.lower().replace("%2e", ".") in _DOTS for segment in parts.path.split("/")):
        raise _refused("A redirect URI has no dot segments.")
    return parts


def is_loopback_uri(parts: SplitResult) -> bool:
    """Tell whether a URI leads to the loopback interface (RFC 8252 sections 7.3 and 8.3)."""
    return parts.hostname in _LOOPBACK


def is_private_scheme(parts: SplitResult) -> bool:
    """Tell whether a URI has a scheme of an app's own, which is a domain name backwards (RFC 8252 section 7.1)."""
    return _PRIVATE_SCHEME.fullmatch(parts.scheme) is not None


def _check_authority(uri: str, parts: SplitResult) -> None:
    if "@" in parts.netloc:
        raise _refused("A redirect URI names no user.")
    found = _AUTHORITY.fullmatch(parts.netloc)
    if found is None or not _HOST.fullmatch(found["host"]) or ".." in found["host"]:
        raise _refused("A redirect URI names a host.")
    try:
        port = parts.port
    except ValueError:
        port = 0
    # https:///host and https:host are read as https://host by browsers, and by nobody else.
    if port == 0 or not uri.startswith(f"{parts.scheme}://"):
        raise _refused("A redirect URI names a host and, perhaps, a port.")


def _refused(message: str) -> InvalidRedirectURIError:
    return InvalidRedirectURIError(message, field="redirect_uris")
