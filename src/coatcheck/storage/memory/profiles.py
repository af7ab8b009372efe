"""What users said of themselves, in memory."""

from __future__ import annotations

from ...oauth.model import Profile
from .state import MemoryTable, State, require

__all__ = ["ProfileTable"]


class ProfileTable(MemoryTable):
    """Satisfies ``oauth.ports.ProfileRecords``."""

    async def put_profile(self, profile: Profile) -> None:
        """Set a user's profile; without any claims, delete it."""

        def put(state: State) -> None:
            require(profile.user_id in state.users, "profiles.user_id")
            if profile.claims:
                state.profiles[profile.user_id] = profile
            else:
                state.profiles.pop(profile.user_id, None)

        await self._source.write(put)

    async def find_profile(self, user_id: str) -> Profile | None:
        """Return a user's profile."""
        return self._state.profiles.get(user_id)
