"""What a client would like, and need not get: hints and preferences, kept within bounds."""

from __future__ import annotations

import re
from typing import Final

from ..errors import LoginRequiredError
from ..model import ClaimsRequest, OAuthClient
from ..parameters import Parameters

__all__ = ["acr_values_of", "login_hint_of", "subject_of_hints", "ui_locales_of"]

_MOST: Final = 10
_LONGEST_ADDRESS: Final = 254
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def login_hint_of(parameters: Parameters) -> str | None:
    """Return the address to fill in, if it could be one."""
    hint = parameters.get("login_hint")
    if hint is None or len(hint) > _LONGEST_ADDRESS or _UNSEEN.search(hint):
        return None
    return hint


def ui_locales_of(parameters: Parameters) -> tuple[str, ...]:
    """Return the languages that are preferred, in order (BCP 47)."""
    return _words(parameters.get("ui_locales"))


def acr_values_of(parameters: Parameters, client: OAuthClient) -> tuple[str, ...]:
    """Return the strengths that are preferred, those of the client's registration if the request has none."""
    return _words(parameters.get("acr_values")) or client.default_acr_values


def subject_of_hints(hinted: str | None, claims: ClaimsRequest) -> str | None:
    """Return the user who is meant, by the name that the client knows: by ``id_token_hint``, or by ``claims``.

    Args:
        hinted: Whom the ``id_token_hint`` names.
        claims: May demand a certain ``sub`` (OpenID Connect Core section 5.5.1).

    Raises:
        LoginRequiredError: If the two name different users: nobody can be signed in as both.
    """
    asked = claims.id_token.get("sub")
    value = None if asked is None or not isinstance(asked.value, str) else asked.value
    if None not in (value, hinted) and value != hinted:
        raise LoginRequiredError("The request means two users.", field="claims")
    return hinted if hinted is not None else value


def _words(text: str | None) -> tuple[str, ...]:
    return tuple((text or "").split())[:_MOST]
