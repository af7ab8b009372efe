"""Notices to clients that sessions ended, and what is kept of sessions for them: what each method does."""
# ruff: noqa: D102, S101 - tests: their names say what holds

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from ...flows.ports import Storage
from ...oauth.model import LogoutNotice
from ..errors import RecordConflictError
from .driving import scenario
from .samples import NOW, a_client, a_session, a_user

__all__ = ["EndedClientSessionBehaviour", "LogoutBehaviour"]

_TASKS = 20


def _a_notice(name: str = "one", client: str = "one", /, **changes: Any) -> LogoutNotice:
    defaults: dict[str, Any] = {
        "jti": f"notice-{name}",
        "client_id": f"client-{client}",
        "sub": "user-ada",
        "sid": f"session-{name}",
        "queued_at": NOW + 0.25,
        "due_at": NOW + 0.25,
    }
    return LogoutNotice(**(defaults | changes))


async def _clients(storage: Storage) -> None:
    for name in ("one", "two"):
        await storage.records.add_client(a_client(name))


class LogoutBehaviour:
    """Of ``LogoutRecords``."""

    @scenario
    async def test_a_notice_is_claimed_when_it_is_due_and_counted(self, storage: Storage) -> None:
        await _clients(storage)
        records = storage.records
        assert await records.next_logout_at() is None
        assert await records.claim_logout_notice(NOW, until=NOW + 9) is None
        await records.add_logout_notices([_a_notice()])
        assert await records.next_logout_at() == NOW + 0.25
        assert await records.claim_logout_notice(NOW, until=NOW + 9) is None
        claimed = await records.claim_logout_notice(NOW + 1, until=NOW + 9)
        assert claimed == _a_notice(due_at=NOW + 9, attempts=1)
        assert await records.claim_logout_notice(NOW + 8, until=NOW + 19) is None
        assert await records.next_logout_at() == NOW + 9
        again = await records.claim_logout_notice(NOW + 9, until=NOW + 19)
        assert again == _a_notice(due_at=NOW + 19, attempts=2)

    @scenario
    async def test_the_notice_that_is_due_first_is_claimed_first(self, storage: Storage) -> None:
        await _clients(storage)
        notices = [_a_notice("late", due_at=NOW + 2), _a_notice("b"), _a_notice("a", "two")]
        await storage.records.add_logout_notices(notices)
        claimed = [await storage.records.claim_logout_notice(NOW + 3, until=NOW + 99) for _ in range(4)]
        assert [each and each.sid for each in claimed] == ["session-a", "session-b", "session-late", None]

    @scenario
    async def test_clients_that_have_enough_to_do_are_passed_over(self, storage: Storage) -> None:
        await _clients(storage)
        await storage.records.add_logout_notices([_a_notice("a"), _a_notice("b", "two")])
        claim = storage.records.claim_logout_notice
        assert await claim(NOW + 1, until=NOW + 9, but=["client-one", "client-two"]) is None
        found = await claim(NOW + 1, until=NOW + 9, but=["client-one"])
        assert found is not None
        assert found.client_id == "client-two"
        assert await claim(NOW + 1, until=NOW + 9, but={'client-one" or 1', "client-one"}) is None

    @scenario
    async def test_a_claimed_notice_can_be_put_off_by_who_claimed_it_last(self, storage: Storage) -> None:
        await _clients(storage)
        records = storage.records
        await records.add_logout_notices([_a_notice()])
        first = await records.claim_logout_notice(NOW + 1, until=NOW + 9)
        assert first is not None
        assert await records.postpone_logout_notice(first, due_at=NOW + 2)
        second = await records.claim_logout_notice(NOW + 2, until=NOW + 20)
        assert second is not None
        assert not await records.postpone_logout_notice(first, due_at=NOW)
        assert await records.next_logout_at() == NOW + 20
        assert await records.delete_logout_notice(second.jti)
        assert not await records.delete_logout_notice(second.jti)
        assert not await records.postpone_logout_notice(second, due_at=NOW)
        assert await records.next_logout_at() is None

    @scenario
    async def test_stale_notices_are_given_up_the_oldest_first(self, storage: Storage) -> None:
        await _clients(storage)
        notices = [_a_notice(str(age), queued_at=NOW - age, due_at=NOW) for age in range(4)]
        await storage.records.add_logout_notices(notices)
        assert await storage.records.delete_stale_logout_notices(NOW, limit=2) == 2
        assert await storage.records.delete_stale_logout_notices(NOW, limit=2) == 1
        assert await storage.records.delete_stale_logout_notices(NOW, limit=2) == 0
        left = await storage.records.claim_logout_notice(NOW, until=NOW + 9)
        assert left is not None
        assert left.jti == "notice-0"

    @scenario
    async def test_notices_go_with_their_client(self, storage: Storage) -> None:
        await _clients(storage)
        await storage.records.add_logout_notices([_a_notice("a"), _a_notice("b", "two", due_at=NOW + 7)])
        await storage.records.delete_client("client-one")
        assert await storage.records.next_logout_at() == NOW + 7

    @scenario
    async def test_a_notice_outlives_user_and_session(self, storage: Storage) -> None:
        await _clients(storage)
        await storage.records.add_user(a_user())
        await storage.records.add_session(a_session())
        await storage.records.add_logout_notices([_a_notice()])
        await storage.records.delete_user("user-ada")
        assert await storage.records.next_logout_at() == NOW + 0.25

    @scenario
    async def test_a_notice_is_new_and_its_client_exists(self, storage: Storage) -> None:
        await _clients(storage)
        await storage.records.add_logout_notices([_a_notice()])
        for wrong in ([_a_notice()], [_a_notice("two", "none")], [_a_notice("x"), _a_notice("x")]):
            with pytest.raises(RecordConflictError):
                await storage.records.add_logout_notices(wrong)

    @scenario
    async def test_of_many_who_claim_each_has_another_notice(self, storage: Storage) -> None:
        await _clients(storage)
        await storage.records.add_logout_notices([_a_notice(str(number)) for number in range(_TASKS)])
        claim = storage.records.claim_logout_notice
        claimed = await asyncio.gather(*(claim(NOW + 1, until=NOW + 9) for _ in range(_TASKS + 5)))
        named = [each.jti for each in claimed if each is not None]
        assert len(named) == len(set(named)) == _TASKS


class EndedClientSessionBehaviour:
    """Of what is kept of clients' sessions that ended all at once, so that the clients can be told."""

    @scenario
    async def test_only_sessions_of_clients_that_ended_all_at_once_are_kept(self, storage: Storage) -> None:
        records = storage.records
        await records.add_user(a_user())
        await records.add_session(a_session("browser"))
        child = a_session("child", digest=None, client_id="client-one", parent_id="session-browser")
        gone = a_session("gone", digest=None, client_id="client-one")
        for each in (child, gone):
            await records.add_session(each)
        await records.delete_sessions([gone.id])
        assert await records.list_ended_client_sessions(limit=9) == []
        await records.forget_ended_client_sessions([child.id])
        assert await records.find_session(child.id) == child
        async with storage.transaction() as transaction:
            await transaction.delete_all_sessions(NOW)
        assert await records.list_ended_client_sessions(limit=9) == [child]
        assert await records.find_session(child.id) is None
        await records.forget_ended_client_sessions([child.id])
        assert await records.list_ended_client_sessions(limit=9) == []

    @scenario
    async def test_those_that_go_on_are_not_kept_as_ended(self, storage: Storage) -> None:
        records = storage.records
        await records.add_user(a_user())
        old = a_session("old", digest=None, client_id="client-one")
        new = replace(old, id="session-new", created_at=NOW + 5)
        for each in (old, new):
            await records.add_session(each)
        async with storage.transaction() as transaction:
            await transaction.delete_all_sessions(NOW + 6, begun_before=NOW + 5)
        assert await records.list_ended_client_sessions(limit=9) == [old]
        assert await records.find_session(new.id) == new

    @scenario
    async def test_no_more_are_listed_than_asked_for(self, storage: Storage) -> None:
        await storage.records.add_user(a_user())
        for number in range(3):
            await storage.records.add_session(a_session(str(number), digest=None, client_id="client-one"))
        async with storage.transaction() as transaction:
            await transaction.delete_all_sessions(NOW)
        assert len(await storage.records.list_ended_client_sessions(limit=2)) == 2
