"""Nothing is kept that is larger than it needs to be: whoever asks is a stranger, and what they ask is stored."""

from __future__ import annotations

from typing import Final

from ..errors import InvalidRequestError
from ..parameters import Parameters

__all__ = ["LONGEST_STATE", "check_sizes"]

LONGEST_STATE: Final = 4096
"""Characters. Some clients keep in it all that they have to remember."""

_LONGEST: Final = {
    "state": LONGEST_STATE,
    "nonce": 1024,
    "scope": 4096,
    "claims": 8192,
    "id_token_hint": 8192,
}
_USUAL: Final = 2048
_KNOWN: Final = frozenset(
    {
        *(
            "state",
            "nonce",
            "scope",
            "claims",
            "id_token_hint",
            "login_hint",
            "acr_values",
            "ui_locales",
            "prompt",
        ),
        *("max_age", "code_challenge", "code_challenge_method", "response_type", "response_mode", "resource"),
    }
)
_MOST_RESOURCES: Final = 8


def check_sizes(parameters: Parameters) -> None:
    """Check the length of what is understood; the rest is ignored.

    Raises:
        InvalidRequestError: If something is too long, or there are too many resources.
    """
    for name in _KNOWN:
        if any(len(value) > _LONGEST.get(name, _USUAL) for value in parameters.all(name)):
            raise InvalidRequestError(f"The {name} is too long.", field=name)
    if len(parameters.all("resource")) > _MOST_RESOURCES:
        raise InvalidRequestError("There are too many resources.", field="resource")
