"""What the user is to be asked (OpenID Connect Core section 3.1.2.1; Initiating User Registration 1.0)."""

from __future__ import annotations

from typing import Final

from ..errors import InvalidRequestError
from ..parameters import Parameters
from ..vocabulary import Prompt

__all__ = ["prompt_of"]

_PROMPTS: Final[dict[str, Prompt]] = {
    "none": "none",
    "login": "login",
    "consent": "consent",
    "select_account": "select_account",
    "create": "create",
}


def prompt_of(parameters: Parameters, *, sign_up: bool) -> tuple[Prompt, ...]:
    """Return what the user is to be asked.

    Args:
        parameters: The request.
        sign_up: Whether visitors may make accounts here.

    Raises:
        InvalidRequestError: If a word is unknown here, or ``none`` stands beside others.
    """
    words = list(dict.fromkeys(filter(None, (parameters.get("prompt") or "").split(" "))))
    prompts = tuple(_PROMPTS[word] for word in words if word in _PROMPTS)
    if len(prompts) < len(words) or ("create" in prompts and not sign_up):
        raise InvalidRequestError("There is no such prompt here.", field="prompt")
    if "none" in prompts and len(prompts) > 1:
        raise InvalidRequestError("The prompt none goes with no other.", field="prompt")
    return prompts
