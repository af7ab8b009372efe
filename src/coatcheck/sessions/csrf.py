"""Proof that a request comes from the site itself: Fetch Metadata, with ``Origin`` as the fallback.

Every browser in use sends ``Sec-Fetch-Site``, and an older one ``Origin`` with every request that may change something.
Where NIST SP 800-63B-4 section 5.1 is to be followed to the letter, a token bound to the session is asked for too.
"""

from __future__ import annotations

from collections.abc import Collection

from .._core import base64url
from .._core.secrets import Sealer, equal, new_identifier
from .errors import CrossSiteRequestError

__all__ = ["SAFE_METHODS", "check_origin", "check_token", "is_valid", "new_token"]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""What never changes anything (RFC 9110 section 9.2.1). TRACE is not served at all."""

_CONTEXT = "csrf"


def check_origin(
    *, site: str | None, origin: str | None, own: str, trusted: Collection[str], forgeable: bool
) -> None:
    """Check that an unsafe request comes from the site itself, or from an origin that is trusted by name.

    Args:
        site: ``Sec-Fetch-Site``.
        origin: ``Origin``.
        own: The origin that the request was sent to.
        trusted: Further origins.
        forgeable: Whether a page on another site could have made a browser send it with neither header: it has
            cookies, and is of a form that browsers send without asking. Else it is no browser's, and proves nothing
            that could be abused.

    Raises:
        CrossSiteRequestError: If it does not.
    """
    if origin is not None and origin in trusted:
        return
    match site:
        case "same-origin" | "none":  # by the site, or by the user (address bar, bookmark)
            return
        case "same-site" | "cross-site":
            raise CrossSiteRequestError(
                "The request comes from another site.", detail=f"Sec-Fetch-Site: {site}"
            )
    if origin is None:
        if forgeable:
            raise CrossSiteRequestError(
                "The request does not say where it comes from (Sec-Fetch-Site or Origin)."
            )
    elif origin != own:
        raise CrossSiteRequestError(
            "The request comes from another site.", detail=f"Origin: {origin[:200]!r}"
        )


def new_token(sealer: Sealer, session_digest: bytes | None) -> str:
    """Return a new token for the cookie that page scripts may read, bound to the session or to there being none."""
    nonce = new_identifier()
    return f"{nonce}.{_mac(sealer, nonce, session_digest)}"


def is_valid(sealer: Sealer, session_digest: bytes | None, token: str) -> bool:
    """Tell whether a token is one of ours and bound to this session."""
    nonce, _, mac = token.partition(".")
    return equal(mac, _mac(sealer, nonce, session_digest))


def check_token(
    sealer: Sealer, session_digest: bytes | None, *, cookie: str | None, submitted: str | None
) -> None:
    """Check that a token was submitted, that it is the cookie's, and that it is bound to this session.

    Raises:
        CrossSiteRequestError: If not.
    """
    if not cookie or not submitted:
        raise CrossSiteRequestError("The anti-forgery token is missing. Reload the page and try again.")
    if not equal(cookie, submitted) or not is_valid(sealer, session_digest, submitted):
        raise CrossSiteRequestError("The anti-forgery token does not fit. Reload the page and try again.")


def _mac(sealer: Sealer, nonce: str, session_digest: bytes | None) -> str:
    message = nonce.encode("utf-8", "surrogatepass") + b"\n" + (session_digest or b"")
    return base64url.encode(sealer.mac(message, context=_CONTEXT))
