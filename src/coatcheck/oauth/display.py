"""What of a client is shown to whoever is asked about it, beside the name that it gives itself."""

from __future__ import annotations

from urllib.parse import urlsplit

from .redirect_uris import is_loopback_uri

__all__ = ["host_of", "shown_place"]


def host_of(url: str) -> str:
    """Return the host of the address that a client is named by, and its port if that is not the usual one."""
    return urlsplit(url).netloc


def shown_place(redirect_uri: str) -> str:
    """Return where an answer goes, in words: a host, or an app on this device.

    A name may imitate another; this cannot. Redirect URIs are ASCII, so that a host of other letters stands here as
    ``xn--…``, which looks like no other.
    """
    parts = urlsplit(redirect_uri)
    if parts.scheme not in {"http", "https"}:
        return f"the app {parts.scheme} on this device"
    if is_loopback_uri(parts):
        return f"{parts.netloc}, a program on this device"
    return parts.netloc
