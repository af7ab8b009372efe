"""Whether a client wants a page or JSON.

The rule, in this order:

1. ``Accept`` (RFC 9110 section 12.5.1): of ``text/html`` and ``application/json`` the one with the higher quality. For
   each, the most specific range that matches counts; ``application/problem+json`` speaks for JSON too.
2. Of equal quality, the one that is named more exactly: ``application/json, */*`` means JSON.
3. Equal in that too, as with ``*/*`` or no ``Accept`` at all, or with one that has neither: JSON for who sent JSON,
   for who shows a bearer token, and for a script in a browser (``Sec-Fetch-Dest: empty``).
4. A page for who names ``text/html``, for a browser that follows a link (``Sec-Fetch-Dest: document``), and for who
   sends a form.
5. JSON for all others: they are programs.

Parts of ``Accept`` that break its grammar count for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from starlette.datastructures import Headers

from .content_type import FORM, JSON, media_type

__all__ = ["VARY", "prefers_json"]

VARY = "Accept, Authorization, Cookie, Origin, Sec-Fetch-Dest, Sec-Fetch-Site"
"""What answers depend on: the rule above, who asks, and where the request comes from."""

_MAX_RANGES = 50  # browsers send ten; every further one is only work
_QUALITY = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.ASCII)
_PAGE_RANGES = (("text/html",), ("text/*",), ("*/*",))  # the most specific first
_JSON_RANGES = (("application/json", "application/problem+json"), ("application/*",), ("*/*",))


def prefers_json(headers: Headers) -> bool:
    """Tell whether the answer to a request with these headers is JSON."""
    qualities = dict(_ranges(",".join(headers.getlist("accept"))))
    page, json = (_best(qualities, ranges) for ranges in (_PAGE_RANGES, _JSON_RANGES))
    if page != json:
        return json > page
    content, destination = media_type(headers.get("content-type", "")), headers.get("sec-fetch-dest")
    if content == JSON or destination == "empty" or headers.get("authorization", "")[:7].lower() == "bearer ":
        return True
    names_html = "text/html" in qualities
    return not (names_html or destination == "document" or content == FORM)


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    for part in accept.split(",", _MAX_RANGES)[:_MAX_RANGES]:
        name, *parameters = (piece.strip(" \t").lower() for piece in part.split(";"))
        quality = "1"
        for parameter in parameters:
            if parameter.startswith("q="):
                quality = parameter[2:]
        if _QUALITY.fullmatch(quality):
            yield name, float(quality)


def _best(qualities: dict[str, float], ranges: tuple[tuple[str, ...], ...]) -> tuple[float, int]:
    """Return the quality of the most specific ranges that are there, and how specific they are."""
    for level, names in enumerate(ranges):
        found = [qualities[name] for name in names if name in qualities]
        if found:
            return max(found), -level
    return 0.0, -len(ranges)
