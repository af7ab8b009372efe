"""How the answer is brought (OAuth 2.0 Multiple Response Types section 2.1, OAuth 2.0 Form Post Response Mode)."""

from __future__ import annotations

from typing import Final

from ..errors import InvalidRequestError
from ..parameters import Parameters
from ..vocabulary import ResponseMode

__all__ = ["response_mode_for_errors", "response_mode_of"]

_MODES: Final[dict[str, ResponseMode]] = {"query": "query", "fragment": "fragment", "form_post": "form_post"}
_IN_FRONT: Final = frozenset({"token", "id_token"})


def response_mode_of(parameters: Parameters) -> ResponseMode:
    """Return how the answer is brought.

    Raises:
        InvalidRequestError: If there is no such mode here, or it would put an ID token into a query, and so into logs
            and ``Referer`` (OAuth 2.0 Multiple Response Types section 3.0).
    """
    usual = _usual(parameters)
    asked = parameters.get("response_mode")
    if asked is None:
        return usual
    mode = _MODES.get(asked)
    if mode is None or (mode == "query" and usual == "fragment"):
        raise InvalidRequestError(
            "There is no such response_mode for this response_type.", field="response_mode"
        )
    return mode


def response_mode_for_errors(parameters: Parameters) -> ResponseMode:
    """Return how an error is brought: as was asked for, if that makes sense."""
    try:
        return response_mode_of(parameters)
    except InvalidRequestError:
        return _usual(parameters)


def _usual(parameters: Parameters) -> ResponseMode:
    words = frozenset((parameters.get("response_type") or "").split(" "))
    return "fragment" if words & _IN_FRONT else "query"
