"""Answers to programs that watch over a server: no cookies, no pages, nothing that is kept."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from .._core import json
from ..web.headers import security_headers
from ..web.problems import Problem

__all__ = ["PLAIN_HEADERS", "problem"]

PLAIN_HEADERS = {
    name.decode("ascii"): value.decode("ascii")
    for name, value in security_headers(nonce=None, https=False, document=False)
}
"""The security headers, ``Cache-Control: no-store`` among them. HSTS is not: probes do not come by https."""

_TITLES = {401: "Unauthorized", 403: "Forbidden", 405: "Method Not Allowed", 503: "Service Unavailable"}
_DETAILS = {
    401: "This takes the metrics token: send it as a bearer token.",
    403: "This answers to this machine only.",
    405: "This answers to GET and HEAD only.",
}


def problem(
    status: int, code: str, *, detail: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    """Return a problem (RFC 9457).

    Args:
        status: Its status.
        code: Its stable code.
        detail: One sentence; by default that of the status.
        headers: What goes with it.
    """
    told = Problem(
        type="about:blank",
        title=_TITLES[status],
        status=status,
        detail=detail or _DETAILS[status],
        code=code,
    )
    return Response(
        json.encode(told),
        status_code=status,
        media_type="application/problem+json",
        headers={**PLAIN_HEADERS, **(headers or {})},
    )
