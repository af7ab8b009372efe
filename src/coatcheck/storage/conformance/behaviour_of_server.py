"""Mail, keys, and the storage as a whole: what each method does."""
# ruff: noqa: D102, S101 - tests: their names say what holds

from __future__ import annotations

import asyncio

import pytest

from ...flows.ports import Storage
from ..errors import RecordConflictError, StorageError, StorageMisuseError
from .driving import Factory, scenario
from .samples import NOW, a_draft, a_key, a_mail, a_service, a_user

__all__ = ["KeyBehaviour", "MailBehaviour", "StorageBehaviour"]


class MailBehaviour:
    """Of ``MailRecords``."""

    @pytest.mark.parametrize("sealed", [b"", b"\0\xff", b"x" * 100_000], ids=["empty", "binary", "long"])
    @scenario
    async def test_a_message_comes_back_as_it_was_but_counted_and_hidden(
        self, storage: Storage, sealed: bytes
    ) -> None:
        await storage.records.add_mail(a_mail(sealed=sealed, attempts=3))
        assert await storage.records.claim_mail(NOW - 0.5, until=NOW) is None
        claimed = await storage.records.claim_mail(NOW, until=NOW + 60)
        assert claimed == a_mail(sealed=sealed, attempts=4, due_at=NOW + 60)
        assert await storage.records.claim_mail(NOW + 59, until=NOW + 99) is None
        again = await storage.records.claim_mail(NOW + 60, until=NOW + 120)
        assert again == a_mail(sealed=sealed, attempts=5, due_at=NOW + 120)

    @scenario
    async def test_what_is_due_for_longest_is_claimed_first(self, storage: Storage) -> None:
        for name, due_at in [("c", NOW), ("b", NOW - 1), ("a", NOW)]:
            await storage.records.add_mail(a_mail(name, due_at=due_at))
        claimed = [await storage.records.claim_mail(NOW, until=NOW + 60) for _ in range(4)]
        assert [mail and mail.id for mail in claimed] == ["mail-b", "mail-a", "mail-c", None]

    @scenario
    async def test_a_message_is_new_and_can_be_forgotten(self, storage: Storage) -> None:
        await storage.records.add_mail(a_mail())
        with pytest.raises(RecordConflictError):
            await storage.records.add_mail(a_mail(sealed=b"other"))
        await storage.records.delete_mail("mail-other")
        await storage.records.delete_mail("mail-one")
        assert await storage.records.claim_mail(NOW, until=NOW + 60) is None


class KeyBehaviour:
    """Of ``KeyRecords``."""

    @scenario
    async def test_keys_come_back_as_they_were_the_newest_first(self, storage: Storage) -> None:
        keys = [a_key("b", sealed=b"\0"), a_key("c", created_at=NOW + 0.5, use=""), a_key("a", sealed=b"")]
        assert await storage.records.list_keys() == []
        for key in keys:
            await storage.records.add_key(key)
        listed = await storage.records.list_keys()
        assert listed[0] == keys[1]
        assert sorted(listed, key=lambda key: key.kid) == sorted(keys, key=lambda key: key.kid)

    @scenario
    async def test_a_key_is_new(self, storage: Storage) -> None:
        await storage.records.add_key(a_key())
        with pytest.raises(RecordConflictError):
            await storage.records.add_key(a_key(sealed=b"other"))
        assert await storage.records.list_keys() == [a_key()]

    @scenario
    async def test_when_a_key_signs_and_is_trusted_comes_back_as_it_was(self, storage: Storage) -> None:
        keys = [a_key("a", signs_from=NOW + 0.25, verifies_until=NOW + 0.5), a_key("b", signs_from=NOW + 1)]
        for key in keys:
            await storage.records.add_key(key)
        assert await storage.records.list_keys() == keys

    @scenario
    async def test_a_key_is_retired_at_the_sooner_time_however_often_it_is_said(
        self, storage: Storage
    ) -> None:
        for key in (a_key("a"), a_key("b")):
            await storage.records.add_key(key)
        ends = []
        for until in (NOW + 9, NOW + 12, NOW + 3.5, NOW + 9):
            assert await storage.records.retire_key("key-a", verifies_until=until)
            ends.append([key.verifies_until for key in await storage.records.list_keys()])
        assert ends == [[NOW + 9, None], [NOW + 9, None], [NOW + 3.5, None], [NOW + 3.5, None]]
        assert not await storage.records.retire_key("key-c", verifies_until=NOW)

    @scenario
    async def test_retired_keys_are_deleted_when_it_is_time_and_no_others(self, storage: Storage) -> None:
        for name, until in (("a", NOW), ("b", NOW + 1), ("c", None)):
            await storage.records.add_key(a_key(name, verifies_until=until))
        assert await storage.records.delete_retired_keys(NOW - 0.5) == 0
        assert await storage.records.delete_retired_keys(NOW) == 1
        assert [key.kid for key in await storage.records.list_keys()] == ["key-b", "key-c"]
        assert await storage.records.delete_retired_keys(NOW + 1e9) == 1
        assert [key.kid for key in await storage.records.list_keys()] == ["key-c"]


class StorageBehaviour:
    """Of ``Storage``."""

    @scenario
    async def test_the_version_changes_with_what_is_committed_and_not_with_reads(
        self, storage: Storage
    ) -> None:
        await storage.records.add_user(a_user())
        await asyncio.sleep(0.1)  # it may have to get to know the others first
        seen = {storage.version()}
        await storage.records.append_entries([a_draft()])
        seen.add(storage.version())
        async with storage.transaction() as records:
            await records.add_key(a_key())
        seen.add(storage.version())
        await storage.records.add_service(a_service())
        seen.add(storage.version())
        assert len(seen) == 4
        await asyncio.sleep(0.1)
        seen.add(storage.version())
        for _ in range(3):
            await storage.records.find_user("user-ada")
            await storage.records.list_sessions("user-ada")
            assert storage.version() in seen
        assert storage.version() == storage.version()

    def test_it_serves_one_event_loop_after_another(self, new_storage: Factory) -> None:
        storage = new_storage()  # before there is any loop

        async def crowd(number: int) -> None:
            async def one() -> None:
                async with storage.transaction() as records:
                    await asyncio.sleep(0)
                    await records.write_throttles({f"loop {number}": 1.0})

            await asyncio.gather(*(one() for _ in range(5)))  # several wait: the lock meets its loop
            assert await storage.records.read_throttles([f"loop {number}"])

        for number in range(3):
            asyncio.run(crowd(number))
        asyncio.run(storage.close())

    @scenario
    async def test_a_transaction_in_a_transaction_is_refused_and_does_not_hang(
        self, storage: Storage
    ) -> None:
        async with storage.transaction() as records:
            await records.add_user(a_user())
            with pytest.raises(StorageMisuseError):
                await storage.transaction().__aenter__()
            with pytest.raises(StorageMisuseError):
                await storage.records.add_user(a_user("eve"))
        assert await storage.records.list_users() == [a_user()]

    @scenario
    async def test_the_records_of_a_transaction_end_with_it(self, storage: Storage) -> None:
        async with storage.transaction() as records:
            await records.add_user(a_user())
        with pytest.raises(StorageMisuseError):
            await records.find_user("user-ada")
        with pytest.raises(StorageMisuseError):
            await records.delete_user("user-ada")
        assert await storage.records.find_user("user-ada") == a_user()

    def test_a_closed_storage_refuses_and_can_be_closed_again(self, new_storage: Factory) -> None:
        async def body() -> None:
            storage = new_storage()
            await storage.close()
            with pytest.raises(StorageError):
                await storage.records.find_user("user-ada")
            with pytest.raises(StorageError):
                await storage.records.add_user(a_user())
            with pytest.raises(StorageError):
                await storage.transaction().__aenter__()
            with pytest.raises(StorageError):
                storage.version()
            await storage.close()

        asyncio.run(body())
