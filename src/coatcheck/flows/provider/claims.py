"""What is told of a user: the standard claims (OpenID Connect Core sections 5.1, 5.4 and 5.5)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from ...accounts.model import User
from ...oauth.model import ClaimRequest, Profile
from ...oauth.vocabulary import ADDRESS, EMAIL, PHONE, PROFILE
from ..context import Context

__all__ = ["CLAIMS_OF_SCOPES", "ClaimsOfUsers", "claims_asked_for"]

CLAIMS_OF_SCOPES: Final[dict[str, tuple[str, ...]]] = {
    PROFILE: (
        *("name", "given_name", "family_name", "middle_name", "nickname", "preferred_username"),
        *("profile", "picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at"),
    ),
    EMAIL: ("email", "email_verified"),
    ADDRESS: ("address",),
    PHONE: ("phone_number", "phone_number_verified"),
}
"""Which claims a scope stands for (section 5.4)."""

_ALL: Final = frozenset(name for names in CLAIMS_OF_SCOPES.values() for name in names)
_OF_ACCOUNT: Final = frozenset(CLAIMS_OF_SCOPES[EMAIL])


def claims_asked_for(scope: Iterable[str], asked: Iterable[str]) -> frozenset[str]:
    """Return the names of the claims that scopes and a ``claims`` parameter ask for, of those that there are."""
    of_scopes = {name for each in scope for name in CLAIMS_OF_SCOPES.get(each, ())}
    return frozenset(of_scopes | _ALL.intersection(asked))


class ClaimsOfUsers:
    """Reads what users said of themselves."""

    def __init__(self, context: Context) -> None:
        """Take what all flows share."""
        self._context = context

    async def of(
        self,
        user: User,
        *,
        scope: Collection[str],
        asked: dict[str, ClaimRequest | None] | None = None,
    ) -> dict[str, Any]:
        """Return a user's claims that were granted and that there are.

        Values that a client would like to see are no condition: what is told is what is known (section 5.5.1).

        Args:
            user: Who.
            scope: The scopes that were granted.
            asked: The claims that were granted one by one.
        """
        wanted = claims_asked_for(scope, asked or ())
        profile: Profile | None = None
        if wanted - _OF_ACCOUNT:
            profile = await self._context.storage.records.find_profile(user.id)
        known: dict[str, Any] = {"email": user.email, "email_verified": True}
        if profile is not None:
            known |= {**profile.claims, "updated_at": int(profile.updated_at)}
        return {name: known[name] for name in sorted(wanted) if name in known}
