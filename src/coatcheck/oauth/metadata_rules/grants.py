"""Grant types and response types, which have to go together (RFC 7591 section 2.1)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, TypeVar

from ..vocabulary import GRANT_TYPES, RESPONSE_TYPES, GrantType, ResponseType
from .refusal import refused

__all__ = ["check_grants"]

_CODE: Final[GrantType] = "authorization_code"
_IMPLICIT: Final = (
    "implicit"  # no grant of the token endpoint; the word for response types that are not "code"
)
_HYBRID: Final = frozenset({"code id_token", "id_token"})

Word = TypeVar("Word", bound=str)


def check_grants(
    grant_types: Sequence[str] | None, response_types: Sequence[str] | None, *, hybrid: bool, strict: bool
) -> tuple[tuple[GrantType, ...], tuple[ResponseType, ...]]:
    """Return the grant types and response types of a client, complete and without repetition.

    Args:
        grant_types: As sent.
        response_types: As sent; the words of each in any order.
        hybrid: Whether there are response types beyond ``code``.
        strict: Whether what is not known here is an error. It is left out otherwise, if something known is left: a
            server may replace what a client asked for, and tells it (RFC 7591 section 3.2.1).

    Raises:
        InvalidClientMetadataError: If they do not go together, or nothing is left.
    """
    supported = tuple(each for each in RESPONSE_TYPES if hybrid or each not in _HYBRID)
    answers: tuple[ResponseType, ...]
    if response_types is None:
        answers = ("code",) if grant_types is None or _CODE in grant_types else ()
    else:
        asked = [" ".join(sorted(each.split(" "))) for each in response_types]
        answers = _known(asked, supported, field="response_types", strict=strict)
    grants: tuple[GrantType, ...]
    if grant_types is None:
        grants = (_CODE,) if any(each.startswith("code") for each in answers) else ()
    else:
        asked = [each for each in grant_types if each != _IMPLICIT]
        grants = _known(asked, GRANT_TYPES, field="grant_types", strict=strict)
    if any(each.startswith("code") for each in answers) != (_CODE in grants):
        raise refused(
            "response_types", "the grant type authorization_code and the response type code go together."
        )
    if "refresh_token" in grants and _CODE not in grants:
        raise refused("grant_types", "refresh tokens come with the grant type authorization_code only.")
    if not grants and not answers:
        raise refused("grant_types", "nothing is left that the client could do.")
    return grants, answers


def _known(asked: Collection[str], known: Sequence[Word], *, field: str, strict: bool) -> tuple[Word, ...]:
    if strict and not set(asked) <= set(known):
        raise refused(field, "one of them does not exist here.")
    found = tuple(each for each in known if each in asked)
    if asked and not found:
        raise refused(field, "none of them exists here.")
    return found
