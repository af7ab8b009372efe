"""From the headers of a request to its credential. Headers come as any framework has them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from ..sessions.cookie import find_cookie
from ..sessions.csrf import SAFE_METHODS, check_origin
from ..sessions.errors import CrossSiteRequestError
from .errors import CrossSiteError, MalformedCredentialError

__all__ = ["Headers", "bearer_token", "check_cross_site", "check_form", "session_cookie"]

Headers: TypeAlias = (
    Mapping[str, str] | Mapping[bytes, bytes] | Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]]
)
"""The headers of a request: a mapping, or pairs, of texts or of octets, as ASGI has them."""

_B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750 section 2.1
_LOOPBACK: Final = ("localhost", "127.", "[::1]")


def bearer_token(headers: Headers) -> str | None:
    """Return the token of the ``Authorization`` header; ``None`` if there is none, or one of another scheme.

    It is not looked at: ``check_form`` does that, when it turns out not to be good.

    Raises:
        MalformedCredentialError: If the header is there twice, which some would read one way and some the other, or
            has no token; or if what was given are no headers.
    """
    found: Any = None
    pairs: Any = headers.items() if hasattr(headers, "items") else headers
    try:
        for name, value in pairs:
            if len(name) == 13 and name.lower() == (
                b"authorization" if type(name) is bytes else "authorization"
            ):
                if found is not None:
                    raise MalformedCredentialError("The request carries two Authorization headers.")
                found = value
    except (AttributeError, TypeError, ValueError):
        raise _no_headers() from None
    if found is None:
        return None
    text = found if type(found) is str else _text(found)
    if text[:7] == "Bearer " and text[7:8] != " ":
        token = text[7:]
    else:
        scheme, _, token = text.strip(" \t").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = token.strip(" ")
    if not token:
        raise MalformedCredentialError("The Authorization header names no token.")
    return token


def check_form(token: str) -> None:
    """Raise ``MalformedCredentialError`` if a token has a character that none can have (RFC 6750 section 2.1)."""
    if _B64TOKEN.fullmatch(token) is None:
        raise MalformedCredentialError("The Authorization header does not have the form 'Bearer <token>'.")


def session_cookie(headers: Headers, name: str) -> str | None:
    """Return the value of a cookie; ``None`` if it is not there, empty, or there twice."""
    found = _all(headers, "cookie")
    return find_cookie("; ".join(found).encode("latin-1", "replace"), name) or None if found else None


def check_cross_site(headers: Headers, *, method: str, trusted: Collection[str]) -> None:
    """Refuse a request that a page of another site made the browser send, cookie and all (CSRF).

    Raises:
        CrossSiteError: If it may change something, and does not prove that it comes from the site itself.
    """
    if method in SAFE_METHODS:
        return
    origin, host = _one(headers, "origin"), _one(headers, "host") or ""
    # Browsers leave out Fetch Metadata over plain http, which is for this machine only.
    scheme = "http" if host.startswith(_LOOPBACK) and _is_plain(origin) else "https"
    try:
        check_origin(
            site=_one(headers, "sec-fetch-site"),
            origin=origin,
            own=f"{scheme}://{host}",
            trusted=trusted,
            forgeable=True,
        )
    except CrossSiteRequestError as error:
        raise CrossSiteError(error.message, detail=error.detail) from None


def _is_plain(origin: str | None) -> bool:
    try:
        return origin is not None and urlsplit(origin).scheme == "http"
    except ValueError:
        return False


def _one(headers: Headers, name: str) -> str | None:
    """Return the value of a header; all of them, so that nothing fits, if it is there more than once."""
    found = _all(headers, name)
    return ", ".join(found) if found else None


def _all(headers: Headers, wanted: str) -> list[str]:
    pairs: Any = headers.items() if hasattr(headers, "items") else headers
    try:
        return [_text(value) for name, value in pairs if _text(name).lower() == wanted]
    except (AttributeError, TypeError, ValueError):
        raise _no_headers() from None


def _text(value: object) -> str:
    """Return a name or a value of a header as text. Raises ``MalformedCredentialError`` if it is neither."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    raise _no_headers()


def _no_headers() -> MalformedCredentialError:
    return MalformedCredentialError(
        "The headers of the request cannot be read.",
        detail="they are texts, or octets, in pairs or a mapping",
    )
