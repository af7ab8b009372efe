"""What users said of themselves: what each method does."""
# ruff: noqa: D102, S101 - tests: their names say what holds

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from ...flows.ports import Storage
from ...oauth.model import Profile
from ..errors import RecordConflictError
from .driving import scenario
from .samples import NOW, a_key, a_user

__all__ = ["ProfileBehaviour"]


def _a_profile(**changes: Any) -> Profile:
    defaults: dict[str, Any] = {
        "user_id": "user-ada",
        "claims": {"name": "Ada Łovelace", "address": {"country": "GB"}, "phone_number_verified": False},
        "updated_at": NOW + 0.25,
    }
    return Profile(**(defaults | changes))


class ProfileBehaviour:
    """Profiles, and the algorithm of a key."""

    @scenario
    async def test_a_profile_is_found_as_it_was_put(self, storage: Storage) -> None:
        await storage.records.add_user(a_user("ada"))
        assert await storage.records.find_profile("user-ada") is None
        await storage.records.put_profile(_a_profile())
        assert await storage.records.find_profile("user-ada") == _a_profile()

    @scenario
    async def test_the_profile_that_is_put_last_counts(self, storage: Storage) -> None:
        await storage.records.add_user(a_user("ada"))
        await storage.records.put_profile(_a_profile())
        later = _a_profile(claims={"nickname": "Ada"}, updated_at=NOW + 1)
        await storage.records.put_profile(later)
        assert await storage.records.find_profile("user-ada") == later

    @scenario
    async def test_a_profile_without_claims_is_none(self, storage: Storage) -> None:
        await storage.records.add_user(a_user("ada"))
        await storage.records.put_profile(_a_profile(claims={}))
        assert await storage.records.find_profile("user-ada") is None
        await storage.records.put_profile(_a_profile())
        await storage.records.put_profile(_a_profile(claims={}))
        assert await storage.records.find_profile("user-ada") is None

    @scenario
    async def test_a_profile_goes_with_its_user(self, storage: Storage) -> None:
        await storage.records.add_user(a_user("ada"))
        await storage.records.add_user(a_user("eve"))
        await storage.records.put_profile(_a_profile())
        await storage.records.put_profile(_a_profile(user_id="user-eve"))
        await storage.records.delete_user("user-ada")
        assert await storage.records.find_profile("user-ada") is None
        assert await storage.records.find_profile("user-eve") is not None

    @scenario
    async def test_a_profile_of_nobody_is_refused(self, storage: Storage) -> None:
        with pytest.raises(RecordConflictError):
            await storage.records.put_profile(_a_profile())

    @scenario
    async def test_a_key_keeps_its_algorithm(self, storage: Storage) -> None:
        one, other = a_key("one"), replace(a_key("two"), algorithm="RS256", created_at=NOW + 1)
        await storage.records.add_key(one)
        await storage.records.add_key(other)
        assert await storage.records.list_keys() == [other, one]
