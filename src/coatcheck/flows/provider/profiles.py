"""What users say of themselves: checked claim by claim, kept, and told to clients by userinfo and ID tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ...accounts.errors import UnknownUserError
from ...oauth.model import Profile
from ..context import Context
from .errors import InvalidProfileError
from .profile_claims import (
    checked_address,
    checked_birthdate,
    checked_locale,
    checked_phone_number,
    checked_text,
    checked_url,
    checked_zone,
)

__all__ = ["PROFILE_CLAIMS", "Profiles"]

_CHECKS: Final[dict[str, Callable[[str, object], Any]]] = {
    "name": checked_text,
    "given_name": checked_text,
    "family_name": checked_text,
    "middle_name": checked_text,
    "nickname": checked_text,
    "preferred_username": checked_text,
    "profile": checked_url,
    "picture": checked_url,
    "website": checked_url,
    "gender": checked_text,
    "birthdate": checked_birthdate,
    "zoneinfo": checked_zone,
    "locale": checked_locale,
    "phone_number": checked_phone_number,
    "address": checked_address,
}

PROFILE_CLAIMS: Final = tuple(_CHECKS)
"""What users can say of themselves (OpenID Connect Core section 5.1): all but what the account itself knows."""

_VERIFIED: Final = "phone_number_verified"


class Profiles:
    """Keeps profiles. Nothing in them is proven: a client that needs proof of a name asks for it elsewhere."""

    def __init__(self, context: Context) -> None:
        """Take what all flows share."""
        self._context = context

    async def get(self, user_id: str) -> dict[str, Any]:
        """Return what is known of a user, by the names of the claims."""
        profile = await self._context.storage.records.find_profile(user_id)
        return {} if profile is None else dict(profile.claims)

    async def change(
        self, user_id: str, changes: Mapping[str, object], *, phone_verified: bool | None = None
    ) -> dict[str, Any]:
        """Change claims of a user, and return all.

        A telephone number that changes is not verified any more.

        Args:
            user_id: Who.
            changes: Values by the names of the claims; ``None`` or empty text takes a claim away.
            phone_verified: Whether the number is known to be theirs. That only an administrator can say; ``None`` to
                leave it.

        Raises:
            InvalidProfileError: If there is no such claim, or the value cannot be one. Nothing was changed.
            UnknownUserError: If there is no such user.
        """
        checked = {name: _checked(name, value) for name, value in changes.items()}
        async with self._context.storage.transaction(user_id) as records:
            if await records.find_user(user_id) is None:
                raise UnknownUserError("There is no such user.")
            found = await records.find_profile(user_id)
            before = {} if found is None else found.claims
            claims = {name: value for name, value in {**before, **checked}.items() if value is not None}
            if claims.get("phone_number") != before.get("phone_number"):
                claims.pop(_VERIFIED, None)
            if "phone_number" in claims:
                claims.setdefault(_VERIFIED, False)
                if phone_verified is not None:
                    claims[_VERIFIED] = phone_verified
            if claims != before:
                profile = Profile(user_id=user_id, claims=claims, updated_at=self._context.clock())
                await records.put_profile(profile)
        return claims


def _checked(name: str, value: object) -> Any:
    check = _CHECKS.get(name)
    if check is None:
        raise InvalidProfileError("There is no such claim to be set.", field="claim")
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return check(name, value)
