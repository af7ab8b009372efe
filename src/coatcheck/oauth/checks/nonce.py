"""What ties an ID token to the request (OpenID Connect Core sections 3.1.2.1, 3.2.2.1 and 3.3.2.11)."""

from __future__ import annotations

from ..errors import InvalidRequestError, InvalidScopeError
from ..parameters import Parameters
from ..vocabulary import OPENID, ResponseType

__all__ = ["nonce_of"]


def nonce_of(parameters: Parameters, response_type: ResponseType, scope: tuple[str, ...]) -> str | None:
    """Return the nonce. Where an ID token comes through the browser, there must be one, and ``openid``.

    Raises:
        InvalidRequestError: If the nonce is missing.
        InvalidScopeError: If an ID token is asked for without ``openid``.
    """
    nonce = parameters.get("nonce")
    if "id_token" in response_type:
        if OPENID not in scope:
            raise InvalidScopeError("An ID token needs the scope openid.", field="scope")
        if nonce is None:
            raise InvalidRequestError("This response_type needs a nonce.", field="nonce")
    return nonce
