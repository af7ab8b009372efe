"""Whether a code may be exchanged (RFC 6749 section 4.1.3, OAuth 2.1 section 4.1.3)."""

from __future__ import annotations

from enum import Enum, auto

from ..errors import InvalidGrantError
from ..model import AuthorizationCode
from .pkce import check_verifier

__all__ = ["Exchange", "plan_exchange"]

_WRONG = "The code does not work (any more)."


class Exchange(Enum):
    """What to do with a code that was presented."""

    OPEN = auto()
    """Open the session, and give tokens."""

    REPLAY = auto()
    """End the session that the first use of it opened: the code is in two hands (OAuth 2.1 section 4.1.2)."""


def plan_exchange(
    code: AuthorizationCode,
    *,
    is_first: bool,
    client_id: str,
    redirect_uri: str | None,
    verifier: str | None,
    now: float,
) -> Exchange:
    """Decide on a code.

    Whether it was used before is asked last but one: whoever found a used code, and can show neither the client nor
    the verifier, shall not be able to end anybody's session with it.

    Args:
        code: It.
        is_first: Whether it was consumed by this request.
        client_id: Who presents it.
        redirect_uri: Where they say that it was sent, if they do.
        verifier: The ``code_verifier``.
        now: The time, in seconds since 1970.

    Raises:
        InvalidGrantError: If it is another client's, was sent elsewhere, asked for by somebody else, or has expired.
    """
    if code.client_id != client_id:
        raise InvalidGrantError(_WRONG, detail=f"client {client_id} presents a code of {code.client_id}")
    # OAuth 2.1 does not repeat the URI; whoever does means it.
    if redirect_uri is not None and redirect_uri != code.request.redirect_uri:
        raise InvalidGrantError(_WRONG, detail=f"client {client_id}: another redirect_uri than was asked for")
    check_verifier(code.request.code_challenge, verifier)
    # Without a challenge it is what binds the code to its request, and is not left out (RFC 6749 section 4.1.3).
    if redirect_uri is None and code.redirect_uri_given and code.request.code_challenge is None:
        raise InvalidGrantError(
            _WRONG, detail=f"client {client_id}: neither a redirect_uri nor a code_verifier"
        )
    if not is_first:
        return Exchange.REPLAY
    if now >= code.expires_at:
        raise InvalidGrantError(_WRONG, detail=f"client {client_id}: the code has expired")
    return Exchange.OPEN
