"""The security headers of every response.

The referrer policy needs a reason. ``no-referrer`` would make browsers send ``Origin: null`` with a form (Fetch
standard, "append a request Origin header"), and the Origin is what a CSRF check falls back on. ``same-origin`` would
keep the Origin but repeat a link's secret in the ``Referer`` of the style sheet, and so in access logs.
``strict-origin`` does neither: no path and no query leaves a page, not even to its own site.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

__all__ = ["form_target", "security_headers", "static_headers"]

_HSTS = (
    b"strict-transport-security",
    b"max-age=63072000; includeSubDomains",
)  # two years; ASVS 3.4.1 asks for one
_NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_EVERYWHERE: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),  # for what knows no frame-ancestors
    (b"cross-origin-resource-policy", b"same-origin"),
)
_DOCUMENT: tuple[tuple[bytes, bytes], ...] = (
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"strict-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_DATA: tuple[tuple[bytes, bytes], ...] = (
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
)
_STATIC: tuple[tuple[bytes, bytes], ...] = (
    # The name holds the content's hash: what was fetched once is never asked for again.
    (b"cache-control", b"public, max-age=31536000, immutable"),
    (b"referrer-policy", b"no-referrer"),
)


def security_headers(
    *,
    nonce: str | None,
    https: bool,
    document: bool,
    form_targets: Collection[str] = (),
    frame_sources: Collection[str] = (),
) -> list[tuple[bytes, bytes]]:
    """Return the headers that a response needs besides its own.

    Args:
        nonce: The value that the style sheet and the script of this very response carry (CSP level 3); ``None`` for
            a response that needs neither.
        https: Whether the site is reached by https. Only then HSTS is sent: with plain http it means nothing
            (RFC 6797 section 7.2), and on localhost it would do harm.
        document: Whether it is a page, and not data for a program.
        form_targets: Where its forms may lead in the end, beyond this site: what ``form_target`` returns.
        frame_sources: The origins whose pages it may show in frames.

    Returns:
        Names in lower case with their values, ``Cache-Control: no-store`` included. ASVS 5.0 section 3.4.
    """
    policy = _document_policy(nonce, form_targets, frame_sources) if document else _NOTHING
    headers = [(b"content-security-policy", policy.encode("ascii")), *_EVERYWHERE]
    headers += _DOCUMENT if document else _DATA
    return [*headers, _HSTS] if https else headers


def static_headers(*, https: bool) -> list[tuple[bytes, bytes]]:
    """Return the headers of a static file whose name holds the hash of its content.

    Args:
        https: Whether the site is reached by https.
    """
    headers = [(b"content-security-policy", _NOTHING.encode("ascii")), *_EVERYWHERE, *_STATIC]
    return [*headers, _HSTS] if https else headers


def form_target(uri: str) -> str:
    """Return what ``form-action`` has to allow so that a form may lead to a URL in the end (CSP level 3, 6.4.1).

    Browsers hold every redirect that follows a form against it. Of an address the origin is named; the scheme, where
    that is all that can be said: for an app's own, and for an address of IPv6, which the grammar has no words for.

    Args:
        uri: The URL: a registered redirect URI, so that there is only one reading of it.
    """
    parts = urlsplit(uri)
    if parts.scheme in {"http", "https"} and "[" not in parts.netloc:
        return f"{parts.scheme}://{parts.netloc}"
    return f"{parts.scheme}:"


def _document_policy(nonce: str | None, form_targets: Collection[str], frame_sources: Collection[str]) -> str:
    allowed = f"'nonce-{nonce}'" if nonce else "'none'"
    forms = " ".join(["'self'", *form_targets])
    # What is not named is what default-src says: nothing.
    frames = f"frame-src {' '.join(frame_sources)}; " if frame_sources else ""
    return (
        f"default-src 'none'; style-src {allowed}; script-src {allowed}; img-src 'self'; font-src 'none'; "
        f"connect-src 'self'; {frames}form-action {forms}; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
    )
