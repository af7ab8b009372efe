"""What is asked for: a code, and where that is switched on, an ID token beside it or instead of it.

OAuth 2.0 Multiple Response Type Encoding Practices. No response type here ever brings an access token through the
browser (OAuth 2.1 section 10.1).
"""

from __future__ import annotations

from typing import Final

from ..errors import InvalidRequestError, UnauthorizedClientError, UnsupportedResponseTypeError
from ..model import OAuthClient
from ..parameters import Parameters
from ..vocabulary import RESPONSE_TYPES, ResponseType

__all__ = ["response_type_of"]

_BY_WORDS: Final[dict[frozenset[str], ResponseType]] = {
    frozenset(each.split(" ")): each for each in RESPONSE_TYPES
}


def response_type_of(parameters: Parameters, client: OAuthClient, *, hybrid: bool) -> ResponseType:
    """Return the response type. The order of its words means nothing.

    Raises:
        InvalidRequestError: If there is none.
        UnsupportedResponseTypeError: If there is no such one here.
        UnauthorizedClientError: If this client may not use it.
    """
    asked = parameters.get("response_type")
    if asked is None:
        raise InvalidRequestError("The response_type is missing.", field="response_type")
    words = asked.split(" ")
    found = _BY_WORDS.get(frozenset(words))
    if found is None or len(words) != len(set(words)) or (found != "code" and not hybrid):
        raise UnsupportedResponseTypeError("There is no such response_type here.", field="response_type")
    has_grant = "code" not in found or "authorization_code" in client.grant_types
    if found not in client.response_types or not has_grant:
        raise UnauthorizedClientError("This client may not use this response_type.", field="response_type")
    return found
