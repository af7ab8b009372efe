"""Status lists and the places of tokens in them: what each method does."""
# ruff: noqa: D102, S101 - tests: their names say what holds

from __future__ import annotations

import asyncio
import math
from typing import Any, Literal

import pytest
from msgspec.structs import replace

from ...flows.model import Status, StatusList
from ...flows.ports import Storage
from ..errors import RecordConflictError
from .driving import scenario
from .samples import NOW

__all__ = ["StatusBehaviour"]


def _a_list(name: str = "one", /, **changes: Any) -> StatusList:
    defaults: dict[str, Any] = {
        "id": f"list-{name}",
        "size": 8,
        "given": 0,
        "closes_at": NOW + 60,
        "ends_at": NOW,
    }
    return StatusList(**(defaults | changes))


def _a_status(place: int, /, **changes: Any) -> Status:
    defaults: dict[str, Any] = {
        "list_id": "list-one",
        "place": place,
        "jti": f"token-{changes.get('list_id', 'list-one')}-{place}",
        "sid": "session-ada",
        "sub": "user-ada",
        "client_id": "first-party",
        "kid": "key-one",
        "iat": NOW + 0.25,
        "exp": NOW + 300,
    }
    return Status(**(defaults | changes))


async def _listed(
    storage: Storage,
    kind: Literal["client", "key", "everything"],
    value: str = "",
    *,
    before: float = math.inf,
) -> list[tuple[str, int]]:
    listed: list[tuple[str, int]] = []
    after: int | None = 0
    while after is not None:
        places, after = await storage.records.list_places(kind, value, before=before, after=after)
        listed += places
    return sorted(listed)


class StatusBehaviour:
    """Of ``StatusRecords``."""

    @scenario
    async def test_status_lists_come_back_as_they_were_the_oldest_first(self, storage: Storage) -> None:
        lists = [_a_list("b"), _a_list("a", closes_at=NOW + 60), _a_list("c", closes_at=NOW, size=2**31)]
        assert await storage.records.list_status_lists() == []
        for each in lists:
            await storage.records.add_status_list(each)
        assert await storage.records.list_status_lists() == [lists[2], lists[1], lists[0]]
        assert await storage.records.find_status_list("list-c") == lists[2]
        assert await storage.records.find_status_list("list-d") is None
        with pytest.raises(RecordConflictError):
            await storage.records.add_status_list(_a_list("a", size=16))

    @scenario
    async def test_places_are_counted_until_half_is_taken(self, storage: Storage) -> None:
        assert await storage.records.take_place(NOW, ends_at=NOW) is None
        await storage.records.add_status_list(_a_list())
        for given, ends_at in ((1, NOW + 9), (2, NOW + 3), (3, NOW + 9.5)):
            taken = await storage.records.take_place(NOW, ends_at=ends_at)
            assert taken == _a_list(given=given, ends_at=NOW + 9 if given < 3 else NOW + 9.5)
            assert await storage.records.find_status_list("list-one") == taken
        assert await storage.records.take_place(NOW, ends_at=NOW) is not None
        assert await storage.records.take_place(NOW, ends_at=NOW) is None

    @scenario
    async def test_a_status_list_is_closed_by_time_and_the_newest_takes_tokens(
        self, storage: Storage
    ) -> None:
        for name, closes_at in (("old", NOW), ("new", NOW + 90), ("middle", NOW + 60)):
            await storage.records.add_status_list(_a_list(name, closes_at=closes_at))

        async def taken(now: float) -> str | None:
            found = await storage.records.take_place(now, ends_at=NOW)
            return None if found is None else found.id

        assert [await taken(NOW) for _ in range(4)] == ["list-new"] * 4
        assert await taken(NOW + 59.5) == "list-middle"
        assert await taken(NOW + 60) is None
        assert await taken(NOW - 1) == "list-middle"

    @scenario
    async def test_a_number_of_a_status_list_is_told_once(self, storage: Storage) -> None:
        await storage.records.add_status_list(_a_list(size=400))
        taken = await asyncio.gather(*(storage.records.take_place(NOW, ends_at=NOW) for _ in range(220)))
        assert sorted(each.given for each in taken if each is not None) == list(range(1, 201))
        assert taken.count(None) == 20

    @scenario
    async def test_places_are_listed_by_client_key_and_time(self, storage: Storage) -> None:
        assert await _listed(storage, "everything") == []
        for each in (
            _a_status(7, stillborn=True),
            _a_status(0, iat=NOW),
            _a_status(3, client_id="other", kid="key-two"),
            _a_status(5, list_id="list-other"),
        ):
            await storage.records.add_status(each)
        ours, other = [("list-one", place) for place in (0, 3, 7)], ("list-other", 5)
        assert await _listed(storage, "everything") == [*ours, other]
        assert await _listed(storage, "everything", before=NOW + 0.25) == ours[:1]
        assert await _listed(storage, "client", "first-party") == [ours[0], ours[2], other]
        assert await _listed(storage, "client", "first-party", before=NOW) == []
        assert await _listed(storage, "key", "key-two") == [ours[1]]
        assert await _listed(storage, "key", "other") == []
        assert await storage.records.list_stillborn("list-one") == [7]
        assert await storage.records.list_stillborn("list-other") == []

    @scenario
    async def test_many_places_come_in_pieces(self, storage: Storage) -> None:
        async with storage.transaction() as records:
            for place in range(3_000):
                await records.add_status(_a_status(place, exp=NOW + (place >= 100)))
        await storage.records.delete_expired_statuses(NOW, limit=3_000)
        assert await _listed(storage, "everything") == [("list-one", place) for place in range(100, 3_000)]

    @scenario
    async def test_a_place_belongs_to_one_token(self, storage: Storage) -> None:
        await storage.records.add_status(_a_status(1))
        for again in (_a_status(1, jti="another"), replace(_a_status(2), jti=_a_status(1).jti)):
            with pytest.raises(RecordConflictError):
                await storage.records.add_status(again)
        await storage.records.add_status(_a_status(1, list_id="list-other"))
        assert await storage.records.find_places("session", "session-ada", before=NOW) == []
        assert await storage.records.find_places("token", "another", before=math.inf) == []

    @scenario
    async def test_places_are_found_by_name_and_time_of_issue(self, storage: Storage) -> None:
        for each in (
            _a_status(1),
            _a_status(2, iat=NOW + 9),
            _a_status(3, sid="session-eve", sub="user-eve"),
            _a_status(4, list_id="list-other", sid="session-new"),
        ):
            await storage.records.add_status(each)
        find = storage.records.find_places
        assert sorted(await find("session", "session-ada", before=math.inf)) == [
            ("list-one", 1),
            ("list-one", 2),
        ]
        assert await find("session", "session-ada", before=NOW + 9) == [("list-one", 1)]
        assert await find("session", "session-ada", before=NOW + 0.25) == []
        assert sorted(await find("user", "user-ada", before=NOW + 1)) == [("list-one", 1), ("list-other", 4)]
        assert await find("token", "token-list-one-3", before=math.inf) == [("list-one", 3)]
        for kind, value in (("token", "session-ada"), ("session", "user-ada"), ("user", "")):
            assert await find(kind, value, before=math.inf) == []  # type: ignore[arg-type] # one of them

    @scenario
    async def test_expired_statuses_are_deleted_the_oldest_first(self, storage: Storage) -> None:
        for place, exp in ((5, NOW), (1, NOW + 1), (3, NOW - 1), (2, NOW)):
            await storage.records.add_status(_a_status(place, exp=exp))
        assert await storage.records.delete_expired_statuses(NOW, limit=2) == 1
        left = await storage.records.find_places("session", "session-ada", before=math.inf)
        assert sorted(left) == [("list-one", 1), ("list-one", 2), ("list-one", 3)]
        assert await storage.records.delete_expired_statuses(NOW, limit=9) == 2
        assert await storage.records.delete_expired_statuses(NOW, limit=9) == 0
        assert await storage.records.delete_expired_statuses(NOW + 1, limit=9) == 1

    @scenario
    async def test_a_status_list_is_deleted_when_it_is_of_no_use(self, storage: Storage) -> None:
        for each in (
            _a_list("open"),
            _a_list("full", given=4),
            _a_list("full-and-alive", given=4, ends_at=NOW + 1),
            _a_list("closed", closes_at=NOW),
            _a_list("closed-and-alive", closes_at=NOW, ends_at=NOW + 1),
        ):
            await storage.records.add_status_list(each)
        assert await storage.records.delete_ended_status_lists(NOW) == 2
        left = [each.id for each in await storage.records.list_status_lists()]
        assert left == ["list-closed-and-alive", "list-full-and-alive", "list-open"]
        assert await storage.records.delete_ended_status_lists(NOW) == 0
