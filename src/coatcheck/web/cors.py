"""Cross-origin reading (Fetch standard, "CORS protocol"): off, until origins are listed.

A listed origin is compared as a whole, so that neither ``null`` nor a look-alike is one; the wildcard is never sent.
Only answers that are data may be read from there: pages carry anti-forgery tokens, and are for this site alone.
Whether a request may change something is not decided here, but by the check for cross-site requests.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["CrossOrigin"]

_METHODS = "GET, POST"
_HEADERS = "Authorization, Content-Type, X-CSRF-Token"
_EXPOSED = "Retry-After, WWW-Authenticate"
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
        headers["Access-Control-Allow-Methods"] = _METHODS
        headers["Access-Control-Allow-Headers"] = _HEADERS
        headers["Access-Control-Max-Age"] = _MAX_AGE
    else:
        headers["Access-Control-Expose-Headers"] = _EXPOSED
