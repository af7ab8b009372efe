"""What a token costs to carry."""

from __future__ import annotations

from .model import Reading, Weight

__all__ = ["LARGEST_COOKIE", "LARGEST_HEADERS", "SESSION_ID", "weigh"]

SESSION_ID = 43
"""Characters of a session identifier of 256 random bits."""

LARGEST_COOKIE = 4_096
"""Browsers refuse cookies whose name and value are longer together (RFC 6265bis section 5.6)."""

LARGEST_HEADERS = 8_192
"""What common web servers accept as one line of a header, or as all of them."""

COOKIE_NAME = "__Host-session"
_AUTHORIZATION = len("Authorization: Bearer \r\n")
_COOKIE = len(f"Cookie: {COOKIE_NAME}=\r\n")
_REQUESTS = 1_000_000
_MEGABYTE = 1_000_000


def weigh(reading: Reading) -> Weight:
    """Return what the token weighs with each request, and what a session cookie would."""
    cookie, session = reading.length + _COOKIE, SESSION_ID + _COOKIE
    per_million = (cookie * _REQUESTS / _MEGABYTE, session * _REQUESTS / _MEGABYTE)
    return Weight(
        token=reading.length,
        segments=reading.segments,
        authorization=reading.length + _AUTHORIZATION,
        cookie=cookie,
        session_cookie=session,
        ratio=round(cookie / session, 1),
        megabytes_per_million=per_million,
    )
