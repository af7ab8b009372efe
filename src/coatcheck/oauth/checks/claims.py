"""The claims that are asked for one by one (OpenID Connect Core section 5.5)."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from ..._core.json import JSONError, decode_object
from ..errors import InvalidRequestError
from ..model import ClaimRequest, ClaimsRequest
from ..parameters import Parameters

__all__ = ["claims_of"]

_MAX_DEPTH: Final = 6
_MOST_CLAIMS: Final = 60
_MOST_VALUES: Final = 20
_LONGEST_NAME: Final = 200


def claims_of(parameters: Parameters) -> ClaimsRequest:
    """Return what the parameter says; members that are unknown are ignored.

    Raises:
        InvalidRequestError: If it is no JSON object of that form, or a very large one.
    """
    text = parameters.get("claims")
    if text is None:
        return ClaimsRequest()
    try:
        members = decode_object(text.encode(), max_depth=_MAX_DEPTH)
        return ClaimsRequest(userinfo=_asked(members, "userinfo"), id_token=_asked(members, "id_token"))
    except (JSONError, UnicodeEncodeError, msgspec.ValidationError):
        raise InvalidRequestError(
            "The claims are no JSON object of the form that is asked.", field="claims"
        ) from None


def _asked(members: dict[str, Any], name: str) -> dict[str, ClaimRequest | None]:
    found = members.get(name)
    asked = msgspec.convert({} if found is None else found, dict[str, ClaimRequest | None])
    values = [claim for claim in asked.values() if claim is not None]
    if (
        len(asked) > _MOST_CLAIMS
        or any(len(each) > _LONGEST_NAME for each in asked)
        or any(len(claim.values) > _MOST_VALUES for claim in values)
    ):
        raise JSONError("too many claims")
    return asked
