"""The ledger and the services that may read it: what each method does."""
# ruff: noqa: D102, S101 - tests: their names say what holds

from __future__ import annotations

import math
from contextlib import suppress

import msgspec
import pytest

from ...flows.ports import Storage
from ...revocation.model import KINDS, START, Entry, Position
from ..errors import RecordConflictError, UnstorableTextError
from .driving import scenario
from .samples import NOW, a_draft, a_service, digest_of

__all__ = ["LedgerBehaviour", "ServiceBehaviour"]


async def _numbers(storage: Storage) -> list[int]:
    return [entry.seq for entry in await storage.records.list_entries(after=0, limit=1000)]


class LedgerBehaviour:
    """Of ``LedgerRecords``."""

    @scenario
    async def test_entries_come_back_as_they_were_in_the_order_of_their_numbers(
        self, storage: Storage
    ) -> None:
        drafts = [
            a_draft(str(number), kind=kind, cutoff=None if number % 2 else NOW + number / 8)
            for number, kind in enumerate(KINDS)
        ]
        first = await storage.records.append_entries(drafts[:2])
        second = await storage.records.append_entries(drafts[2:])
        listed = await storage.records.list_entries(after=0, limit=99)
        assert listed == first + second
        assert listed == [
            Entry(seq=entry.seq, **msgspec.structs.asdict(draft))
            for entry, draft in zip(listed, drafts, strict=True)
        ]
        numbers = [entry.seq for entry in listed]
        assert numbers[0] > 0
        assert numbers == sorted(set(numbers))

    @pytest.mark.parametrize("value", ["", "é\x1f'; --", "x" * 10_000], ids=["empty", "odd", "long"])
    @scenario
    async def test_any_text_can_be_a_value(self, storage: Storage, value: str) -> None:
        (entry,) = await storage.records.append_entries([a_draft(value=value, actor=value)])
        assert await storage.records.list_entries(after=0, limit=1) == [entry]
        assert (entry.value, entry.actor) == (value, value)

    @scenario
    async def test_a_text_with_a_nul_is_kept_as_it_is_or_refused(self, storage: Storage) -> None:
        kept = []
        with suppress(UnstorableTextError):
            kept = await storage.records.append_entries([a_draft(value="a\0b")])
        with suppress(UnstorableTextError):
            async with storage.transaction() as records:
                kept += await records.append_entries([a_draft(value="c\0d"), a_draft(value="e")])
        assert await storage.records.list_entries(after=0, limit=9) == kept
        assert await storage.records.find_user("user\0") is None
        assert await storage.records.read_throttles(["a\0", "b"]) == {}

    @scenario
    async def test_an_instant_comes_back_to_the_last_bit(self, storage: Storage) -> None:
        # Whether a token is void may hang on the least difference of two instants.
        instants = [NOW, math.nextafter(NOW, math.inf), NOW + 0.1, 0.0]
        await storage.records.append_entries([a_draft(cutoff=each, until=each, at=each) for each in instants])
        listed = await storage.records.list_entries(after=0, limit=9)
        assert [(each.cutoff, each.until, each.at) for each in listed] == [(each,) * 3 for each in instants]

    @scenario
    async def test_it_is_read_from_behind_a_number_on_and_so_far(self, storage: Storage) -> None:
        entries = await storage.records.append_entries([a_draft(str(number)) for number in range(5)])
        for place, entry in enumerate(entries):
            listed = await storage.records.list_entries(after=entry.seq, limit=2)
            assert listed == entries[place + 1 : place + 3]
        assert await storage.records.list_entries(after=0, limit=0) == []
        assert await storage.records.list_entries(after=entries[-1].seq + 99, limit=9) == []

    @scenario
    async def test_the_head_is_behind_the_newest_entry(self, storage: Storage) -> None:
        assert await storage.records.ledger_head() == START
        assert await storage.records.append_entries([]) == []
        assert await storage.records.ledger_head() == START
        await storage.records.append_entries([a_draft("a"), a_draft("b")])
        *_, newest = await storage.records.list_entries(after=0, limit=9)
        assert await storage.records.ledger_head() == Position(newest.seq, "mark-b")

    @scenario
    async def test_the_mark_of_an_entry_is_found_by_its_number(self, storage: Storage) -> None:
        entries = await storage.records.append_entries([a_draft("a"), a_draft("b")])
        assert [await storage.records.find_mark(entry.seq) for entry in entries] == ["mark-a", "mark-b"]
        assert await storage.records.find_mark(0) is None
        assert await storage.records.find_mark(entries[-1].seq + 1) is None

    @scenario
    async def test_what_has_expired_is_dropped_up_to_the_first_that_has_not(self, storage: Storage) -> None:
        ends = [NOW - 2, NOW, NOW + 0.5, NOW - 1, NOW - 1]
        entries = await storage.records.append_entries(
            [a_draft(str(number), until=until) for number, until in enumerate(ends)]
        )
        assert await storage.records.delete_expired_entries(NOW - 3, limit=9) == 0
        assert await storage.records.delete_expired_entries(NOW, limit=9) == 2
        assert await storage.records.list_entries(after=0, limit=9) == entries[2:]
        assert await storage.records.find_mark(entries[0].seq) is None
        assert await storage.records.delete_expired_entries(NOW, limit=9) == 0

    @scenario
    async def test_it_drops_no_more_than_it_is_told(self, storage: Storage) -> None:
        await storage.records.append_entries([a_draft(str(number)) for number in range(8)])
        late = NOW + 1e6
        dropped = [await storage.records.delete_expired_entries(late, limit=limit) for limit in (0, 3, 3, 3)]
        assert dropped == [0, 3, 3, 1]

    @scenario
    async def test_the_newest_stays_and_no_number_is_ever_used_again(self, storage: Storage) -> None:
        before: list[int] = []
        for number in range(4):
            entries = await storage.records.append_entries([a_draft(str(number)), a_draft(f"{number}b")])
            assert min(entry.seq for entry in entries) > max(before, default=0)
            before += [entry.seq for entry in entries]
            assert await storage.records.delete_expired_entries(NOW + 1e6, limit=99) == (2 if number else 1)
            assert await _numbers(storage) == [entries[-1].seq]
            assert await storage.records.ledger_head() == Position(entries[-1].seq, f"mark-{number}b")
            assert await storage.records.delete_expired_entries(NOW + 1e6, limit=99) == 0

    @scenario
    async def test_an_empty_ledger_has_nothing_to_drop(self, storage: Storage) -> None:
        assert await storage.records.delete_expired_entries(NOW, limit=9) == 0


class ServiceBehaviour:
    """Of ``ServiceRecords``."""

    @scenario
    async def test_services_come_back_as_they_were_in_the_order_of_their_names(
        self, storage: Storage
    ) -> None:
        services = [a_service("b", audience=None), a_service("a"), a_service("é"), a_service("B")]
        assert await storage.records.list_services() == []
        for service in services:
            assert await storage.records.add_service(service)
        assert await storage.records.list_services() == sorted(services, key=lambda each: each.name)

    @scenario
    async def test_a_name_belongs_to_one_and_so_do_identifier_and_digest(self, storage: Storage) -> None:
        assert await storage.records.add_service(a_service("a"))
        assert not await storage.records.add_service(a_service("other", name="a"))
        for same in ({"id": "service-a"}, {"digest": digest_of("service a")}):
            with pytest.raises(RecordConflictError):
                await storage.records.add_service(a_service("other", **same))
        assert await storage.records.list_services() == [a_service("a")]

    @scenario
    async def test_a_service_is_found_by_its_digest(self, storage: Storage) -> None:
        for name in ("a", "b"):
            await storage.records.add_service(a_service(name))
        assert await storage.records.find_service_by_digest(digest_of("service b")) == a_service("b")
        for other in (
            b"",
            digest_of("service c"),
            digest_of("service b")[:-1],
            digest_of("service b") + b"\0",
        ):
            assert await storage.records.find_service_by_digest(other) is None

    @scenario
    async def test_a_deleted_service_is_gone_and_its_name_is_free(self, storage: Storage) -> None:
        await storage.records.add_service(a_service("a"))
        assert not await storage.records.delete_service("b")
        assert await storage.records.delete_service("a")
        assert not await storage.records.delete_service("a")
        assert await storage.records.find_service_by_digest(a_service("a").digest) is None
        assert await storage.records.add_service(a_service("new", name="a"))
