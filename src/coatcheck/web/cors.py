"""Cross-origin reading (Fetch standard, "CORS protocol"), of two kinds.

- With credentials: off, until origins are listed. A listed origin is compared as a whole, so that neither ``null`` nor
  a look-alike is one. Only answers that are data may be read from there: pages carry anti-forgery tokens, and are for
  this site alone.
- Without: what any client's scripts may ask for, wherever they come from, because no cookie gives such a request its
  power: discovery, keys, and the endpoints for tokens. The wildcard is sent there, and nowhere else.

Whether a request may change something is not decided here, but by the check for cross-site requests.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["FOR_EVERYBODY", "CrossOrigin", "ForEverybody"]

FOR_EVERYBODY: Final = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""The headers of what scripts of any origin may read."""

_METHODS = "GET, POST"
_HEADERS = "Authorization, Content-Type, X-CSRF-Token"
_FROM_EVERYBODY = "Authorization, Content-Type, Accept, MCP-Protocol-Version"
_EXPOSED = "Retry-After, WWW-Authenticate"
# Where browsers are sent, and scripts have nothing to look for (OAuth 2.1 section 3.1).
_FOR_BROWSERS = ("/authorize", "/end-session")
_MAX_AGE = "600"  # seconds: after a change of the list, browsers go by the old one no longer than this
_DATA = ("application/json", "application/problem+json", "application/jwk-set+json")


class CrossOrigin:
    """Lets listed origins read JSON answers, with credentials. Stands before an application for HTTP only."""

    def __init__(self, app: ASGIApp, *, origins: Collection[str]) -> None:
        """Take the application and the origins, each as browsers write it: ``https://app.example``."""
        self._app = app
        self._origins = frozenset(origins) - {"null", "*"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add to the answer what lets its reader read it, or, to that of a preflight request, what may be sent."""
        headers = Headers(scope=scope)
        origins = headers.getlist("origin")
        listed = origins[0] if len(origins) == 1 and origins[0] in self._origins else None
        if scope["path"].endswith(_FOR_BROWSERS) or "/continue/" in scope["path"]:
            listed = None
        preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in headers

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _extend(MutableHeaders(scope=message), origin=listed, preflight=preflight)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _extend(headers: MutableHeaders, *, origin: str | None, preflight: bool) -> None:
    headers.add_vary_header("Origin")
    is_data = headers.get("content-type", "").partition(";")[0] in _DATA
    if origin is None or not (is_data or "content-type" not in headers):
        return
    headers["Access-Control-Allow-Origin"] = origin
    headers["Access-Control-Allow-Credentials"] = "true"
    if preflight:
        headers.setdefault("Access-Control-Allow-Methods", _METHODS)
        headers.setdefault("Access-Control-Allow-Headers", _HEADERS)
        headers["Access-Control-Max-Age"] = _MAX_AGE
    else:
        headers["Access-Control-Expose-Headers"] = _EXPOSED


class ForEverybody:
    """Lets scripts of any origin use an endpoint, without credentials (Fetch standard, section 3.2).

    The wildcard has browsers send no cookie, and keep the answer from whoever asked with one.
    """

    def __init__(self, app: ASGIApp, *, methods: str = "POST") -> None:
        """Take the endpoint, and the methods that it has besides those that need no leave."""
        self._app = app
        self._for_preflight = _raw(
            {
                **FOR_EVERYBODY,
                "Access-Control-Allow-Methods": methods,
                "Access-Control-Allow-Headers": _FROM_EVERYBODY,
                "Access-Control-Max-Age": _MAX_AGE,
            }
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add to the answer what lets everybody read it, or, to that of a preflight request, what may be sent."""
        preflight = scope["method"] == "OPTIONS"

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = self._for_preflight if preflight else _FOR_ANSWER
                names = {name for name, _ in added}
                kept = [each for each in message["headers"] if each[0] not in names]
                message = {**message, "headers": [*kept, *added]}
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in headers.items()]


_FOR_ANSWER: Final = _raw({**FOR_EVERYBODY, "Access-Control-Expose-Headers": _EXPOSED})
