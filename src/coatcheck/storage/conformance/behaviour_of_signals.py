"""Streams of security events, and what waits in them: what each method does."""
# ruff: noqa: D102, S101 - tests: their names say what holds

from __future__ import annotations

import contextlib

import pytest
from msgspec.structs import replace

from ...flows.model import Stream
from ...flows.ports import Storage
from ..errors import RecordConflictError
from .driving import scenario
from .samples import NOW, a_service, a_signal, a_stream

__all__ = ["SignalBehaviour", "StreamBehaviour", "UnwantedSubjectBehaviour"]

FULL = {
    "sealed_authorization": b"\0sealed",
    "description": "All of it",
    "reason": "because",
    "verified_at": NOW + 1,
    "due_at": NOW + 2,
    "attempts": 3,
}
EMPTY = {"method": "poll", "endpoint": None, "requested": None, "delivered": ()}


async def have(storage: Storage, *names: str) -> None:
    for name in names:
        assert await storage.records.add_service(a_service(name))
        assert await storage.records.add_stream(a_stream(name))


class StreamBehaviour:
    """Of ``StreamRecords``."""

    @pytest.mark.parametrize(
        "changes", [{}, FULL, EMPTY, {"requested": ()}], ids=["usual", "full", "empty", "none"]
    )
    @scenario
    async def test_a_stream_comes_back_as_it_was(self, storage: Storage, changes: dict[str, object]) -> None:
        stream = a_stream(**changes)
        await storage.records.add_service(a_service())
        assert await storage.records.add_stream(stream)
        assert await storage.records.find_stream("stream-one") == stream
        assert await storage.records.find_stream_of_service("service-one") == stream
        assert await storage.records.find_stream("stream-other") is None
        assert await storage.records.find_stream_of_service("service-other") is None

    @scenario
    async def test_a_service_has_one_stream_and_a_stream_a_service(self, storage: Storage) -> None:
        await have(storage, "one")
        assert not await storage.records.add_stream(a_stream(id="stream-second"))
        assert await storage.records.find_stream_of_service("service-one") == a_stream()
        with pytest.raises(RecordConflictError):
            await storage.records.add_stream(a_stream("nobody"))
        await storage.records.add_service(a_service("other"))
        with pytest.raises(RecordConflictError):
            await storage.records.add_stream(a_stream("other", id="stream-one"))

    @scenario
    async def test_another_record_takes_its_place_but_its_service_stays(self, storage: Storage) -> None:
        await have(storage, "one", "other")
        changed = replace(a_stream(**FULL), status="paused", method="poll", endpoint=None, audience="a")
        assert await storage.records.replace_stream(replace(changed, service_id="service-other"))
        assert await storage.records.find_stream("stream-one") == changed
        assert not await storage.records.replace_stream(a_stream("third"))

    @scenario
    async def test_a_stream_goes_with_its_service_and_takes_along_all_that_is_in_it(
        self, storage: Storage
    ) -> None:
        records = storage.records
        await have(storage, "one", "other")
        for name in ("one", "other"):
            await records.add_signals([a_signal("a", name)])
            await records.add_unwanted_subject(f"stream-{name}", "subject")
        assert await records.delete_service("one")
        assert await records.delete_stream("stream-other")
        assert not await records.delete_stream("stream-other")
        await records.add_service(a_service("one"))
        for name in ("one", "other"):
            assert await records.find_stream(f"stream-{name}") is None
            assert await records.add_stream(a_stream(name))
            assert await records.count_signals(f"stream-{name}", limit=9) == 0
            assert await records.count_unwanted_subjects(f"stream-{name}") == 0

    @scenario
    async def test_all_are_open_that_are_not_disabled(self, storage: Storage) -> None:
        assert await storage.records.list_open_streams() == []
        await have(storage, "one", "other", "third")
        await storage.records.replace_stream(a_stream("one", status="paused"))
        await storage.records.replace_stream(a_stream("other", status="disabled"))
        found = await storage.records.list_open_streams()
        assert {each.id: each.status for each in found} == {"stream-one": "paused", "stream-third": "enabled"}

    @scenario
    async def test_what_is_due_for_longest_is_found_first(self, storage: Storage) -> None:
        async def due(now: float) -> str | None:
            found: Stream | None = await storage.records.find_due_stream(now)
            return None if found is None else found.id

        await have(storage, "b", "a", "c", "d")
        assert await due(NOW + 99) is None
        for name, at in [("a", NOW + 1), ("b", NOW + 1), ("c", NOW)]:
            await storage.records.replace_stream(a_stream(name, due_at=at))
        assert [await due(NOW - 0.5), await due(NOW), await due(NOW + 1)] == [None, "stream-c", "stream-c"]
        await storage.records.replace_stream(a_stream("c", due_at=None))
        assert [await due(NOW), await due(NOW + 1)] == [None, "stream-a"]

    @scenario
    async def test_the_stream_with_the_oldest_event_is_stale_first(self, storage: Storage) -> None:
        async def stale(before: float) -> str | None:
            found = await storage.records.find_stale_stream(before)
            return None if found is None else found.id

        await have(storage, "one", "other")
        assert await stale(NOW + 99) is None
        await storage.records.add_signals([a_signal("a", "one", at=NOW + 1), a_signal("b", "other", at=NOW)])
        assert [await stale(NOW), await stale(NOW + 0.5), await stale(NOW + 9)] == [
            None,
            *["stream-other"] * 2,
        ]
        await storage.records.clear_signals("stream-other")
        assert [await stale(NOW + 0.5), await stale(NOW + 9)] == [None, "stream-one"]


class SignalBehaviour:
    """Of ``SignalRecords``."""

    @scenario
    async def test_events_come_back_as_they_were_in_their_order(self, storage: Storage) -> None:
        await have(storage, "one", "other")
        events = [
            a_signal("c", at=NOW + 5),
            a_signal("a", claims=b"\0\xff", is_last_word=True),
            a_signal("b", claims=b""),
        ]
        await storage.records.add_signals([])
        await storage.records.add_signals(events[:2])
        await storage.records.add_signals([a_signal("a", "other"), events[2]])
        assert await storage.records.list_signals("stream-one", limit=9) == events
        assert await storage.records.list_signals("stream-one", limit=2) == events[:2]
        assert await storage.records.list_signals("stream-other", limit=9) == [a_signal("a", "other")]
        counts = [await storage.records.count_signals("stream-one", limit=limit) for limit in (9, 3, 2, 0)]
        assert counts == [3, 3, 2, 0]

    @scenario
    async def test_an_event_is_new_in_its_stream_and_there_is_that_stream(self, storage: Storage) -> None:
        await have(storage, "one")
        await storage.records.add_signals([a_signal("a")])
        with pytest.raises(RecordConflictError):
            await storage.records.add_signals([a_signal("a")])
        with pytest.raises(RecordConflictError):
            await storage.records.add_signals([a_signal("b", "nowhere")])
        assert await storage.records.count_signals("stream-one", limit=9) == 1

    @scenario
    async def test_only_what_is_named_is_deleted_and_only_there(self, storage: Storage) -> None:
        records = storage.records
        await have(storage, "one", "other")
        for stream in ("one", "other"):
            await records.add_signals([a_signal(name, stream) for name in "abc"])
        assert await records.delete_signals("stream-one", ["event-a", "event-x", "event-c", "event-a"]) == 2
        assert await records.delete_signals("stream-one", []) == 0
        assert await records.list_signals("stream-one", limit=9) == [a_signal("b")]
        assert await records.count_signals("stream-other", limit=9) == 3
        assert await records.clear_signals("stream-other") == 3
        assert await records.clear_signals("stream-other") == 0
        assert await records.count_signals("stream-one", limit=9) == 1

    @scenario
    async def test_what_comes_after_a_deletion_still_comes_after_what_was_there(
        self, storage: Storage
    ) -> None:
        await have(storage, "one")
        await storage.records.add_signals([a_signal("z"), a_signal("y"), a_signal("x")])
        await storage.records.delete_signals("stream-one", ["event-x"])
        await storage.records.add_signals([a_signal("b")])
        await storage.records.delete_signals("stream-one", ["event-z"])
        await storage.records.add_signals([a_signal("a")])
        waiting = await storage.records.list_signals("stream-one", limit=9)
        assert [each.jti for each in waiting] == ["event-y", "event-b", "event-a"]

    @scenario
    async def test_what_is_rolled_back_waits_nowhere(self, storage: Storage) -> None:
        await have(storage, "one")
        with contextlib.suppress(InterruptedError):
            async with storage.transaction() as records:
                await records.add_signals([a_signal()])
                raise InterruptedError
        assert await storage.records.count_signals("stream-one", limit=9) == 0


class UnwantedSubjectBehaviour:
    """Of ``UnwantedSubjectRecords``."""

    @scenario
    async def test_subjects_are_left_out_of_their_stream_until_they_are_not(self, storage: Storage) -> None:
        records = storage.records
        await have(storage, "one", "other")
        for subject in ("a", "b", "a"):
            await records.add_unwanted_subject("stream-one", subject)
        assert await records.count_unwanted_subjects("stream-one") == 2
        assert await records.is_unwanted("stream-one", ["x", "b"])
        assert not await records.is_unwanted("stream-one", ["x", "A"])
        assert not await records.is_unwanted("stream-one", [])
        assert not await records.is_unwanted("stream-other", ["a", "b"])
        await records.delete_unwanted_subject("stream-one", "b")
        await records.delete_unwanted_subject("stream-one", "x")
        assert not await records.is_unwanted("stream-one", ["b"])
        assert await records.count_unwanted_subjects("stream-one") == 1

    @scenario
    async def test_there_is_the_stream_that_leaves_a_subject_out(self, storage: Storage) -> None:
        with pytest.raises(RecordConflictError):
            await storage.records.add_unwanted_subject("stream-nowhere", "a")
