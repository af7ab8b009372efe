"""How old the sign-in may be (OpenID Connect Core section 3.1.2.1)."""

from __future__ import annotations

import re
from typing import Final

from ..errors import InvalidRequestError
from ..model import OAuthClient
from ..parameters import Parameters

__all__ = ["max_age_of"]

_SECONDS: Final = re.compile(r"[0-9]{1,10}", re.ASCII)


def max_age_of(parameters: Parameters, client: OAuthClient) -> int | None:
    """Return the limit in seconds, that of the client's registration if the request has none.

    Raises:
        InvalidRequestError: If it is no number.
    """
    asked = parameters.get("max_age")
    if asked is None:
        return client.default_max_age
    if not _SECONDS.fullmatch(asked):
        raise InvalidRequestError("The max_age is a number of seconds.", field="max_age")
    return int(asked)
