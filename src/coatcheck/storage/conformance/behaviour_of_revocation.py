"""The end of all sessions at once: however a storage does it, none of them is seen again."""
# ruff: noqa: D102, S101 - tests: their names say what holds

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ...flows.ports import Records, Storage
from ...sessions.model import Session
from ..errors import RecordConflictError
from .driving import scenario
from .samples import NOW, a_session, a_token, a_user, digest_of

__all__ = ["EndOfAllBehaviour"]


async def _found(records: Records, session: Session) -> list[object]:
    """Return what all ways to a session lead to."""
    assert session.digest is not None
    listed = await records.list_sessions(session.user_id)
    return [
        await records.find_session(session.id),
        await records.find_session_by_digest(session.digest),
        next((each for each in listed if each.id == session.id), None),
    ]


class EndOfAllBehaviour:
    """Of ``delete_all_sessions``."""

    @scenario
    async def test_all_sessions_end_with_their_refresh_tokens(self, storage: Storage) -> None:
        one, two = a_session("one"), a_session("two", user_id="user-eve")
        await storage.records.add_user(a_user())
        await storage.records.add_user(a_user("eve"))
        for session in (one, two):
            await storage.records.add_session(session)
        await storage.records.add_refresh_token(a_token())
        async with storage.transaction() as records:
            assert await records.delete_all_sessions(NOW + 3) == 2
            assert await _found(records, one) == [None] * 3
        assert await _found(storage.records, one) + await _found(storage.records, two) == [None] * 6
        assert await storage.records.find_refresh_token(digest_of("token one")) is None
        assert await storage.records.find_user("user-ada") == a_user()

    @scenario
    async def test_those_that_had_ended_by_time_or_before_are_not_counted(self, storage: Storage) -> None:
        await storage.records.add_user(a_user())
        await storage.records.add_session(a_session("one"))
        await storage.records.add_session(a_session("old", idle_timeout=1.0))
        await storage.records.add_session(a_session("gone"))
        await storage.records.delete_sessions(["session-gone"])
        async with storage.transaction() as records:
            assert await records.delete_all_sessions(NOW + 3) == 1
            assert await records.delete_all_sessions(NOW + 3) == 0

    @scenario
    async def test_nothing_can_be_done_to_one_that_has_ended(self, storage: Storage) -> None:
        await storage.records.add_user(a_user())
        session = a_session()
        await storage.records.add_session(session)
        async with storage.transaction() as records:
            await records.delete_all_sessions(NOW + 3)
        records = storage.records
        renewed = replace(session, digest=digest_of("new"))
        assert not await records.renew_session(
            session.id, old_digest=session.digest, new_digest=digest_of("new"), session=renewed
        )
        assert not await records.write_session_data(session.id, b"{}", revision=0)
        await records.touch_session(session.id, NOW + 100)
        assert await records.delete_sessions([session.id]) == []
        assert await _found(records, session) == [None] * 3

    @scenario
    async def test_a_session_that_begins_afterwards_is_there(self, storage: Storage) -> None:
        await storage.records.add_user(a_user())
        await storage.records.add_session(a_session("one"))
        async with storage.transaction() as records:
            await records.delete_all_sessions(NOW + 3)
            await records.add_session(a_session("two"))
        await storage.records.add_session(a_session("three"))
        await storage.records.add_refresh_token(a_token(session_id="session-two"))
        assert await _found(storage.records, a_session("two")) == [a_session("two")] * 3
        assert await storage.records.find_refresh_token(digest_of("token one")) is not None
        await storage.records.delete_expired_sessions(NOW + 3, limit=10)
        assert await _found(storage.records, a_session("three")) == [a_session("three")] * 3

    @scenario
    async def test_what_is_left_is_deleted_little_by_little(self, storage: Storage) -> None:
        await storage.records.add_user(a_user())
        for name in ("a", "b", "c"):
            await storage.records.add_session(a_session(name))
        async with storage.transaction() as records:
            await records.delete_all_sessions(NOW + 3)
        await storage.records.add_session(a_session("old", idle_timeout=1.0))
        await storage.records.add_session(a_session("new"))
        while await storage.records.delete_expired_sessions(NOW + 3, limit=2):
            pass
        remaining = [session.id for session in await storage.records.list_sessions("user-ada")]
        assert remaining == ["session-new"]

    @pytest.mark.parametrize("survives", [True, False], ids=["at-the-instant", "before"])
    @scenario
    async def test_those_that_began_since_an_instant_go_on(self, storage: Storage, survives: bool) -> None:  # noqa: FBT001
        session = a_session("later", created_at=NOW if survives else NOW - 0.001)
        await storage.records.add_user(a_user())
        await storage.records.add_session(a_session("one", created_at=NOW - 10))
        await storage.records.add_session(session)
        await storage.records.add_refresh_token(a_token(session_id=session.id))
        async with storage.transaction() as records:
            assert await records.delete_all_sessions(NOW + 3, begun_before=NOW) == 2 - survives
        assert await _found(storage.records, session) == [session if survives else None] * 3
        kept = await storage.records.find_refresh_token(digest_of("token one"))
        assert (kept is not None) == survives

    @scenario
    async def test_a_transaction_that_fails_ends_none(self, storage: Storage) -> None:
        await storage.records.add_user(a_user())
        await storage.records.add_session(a_session())
        with pytest.raises(RecordConflictError):
            await self._end_all_and_fail(storage)
        assert await _found(storage.records, a_session()) == [a_session()] * 3

    async def _end_all_and_fail(self, storage: Storage) -> None:
        async with storage.transaction() as records:
            await records.delete_all_sessions(NOW + 3)
            await records.add_session(a_session("of nobody", user_id="nobody"))
