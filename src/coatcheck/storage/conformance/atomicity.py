"""The second tier: all of a transaction or nothing, and what is to happen once happens once."""
# ruff: noqa: D102, S101 - tests: their names say what holds

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec
import pytest

from ...flows.ports import Records, Storage
from ...revocation.model import Position
from ..errors import RecordConflictError, StorageError
from .driving import scenario
from .samples import NOW, a_draft, a_key, a_link, a_mail, a_service, a_session, a_token, a_user

__all__ = ["Atomicity"]

CALLERS = 50

USER, SESSION, TOKEN, LINK = a_user(), a_session(), a_token(), a_link()


class _Intended(Exception):  # noqa: N818 - no error, but a reason to stop
    """Raised by a test in the middle of a transaction."""


async def _fill(records: Records) -> None:
    await records.add_user(USER)
    await records.add_session(SESSION)
    await records.add_refresh_token(TOKEN)
    await records.add_link(LINK)
    await records.write_throttles({"key": 1.0})
    await records.add_mail(a_mail())
    await records.add_key(a_key())
    await records.append_entries([a_draft()])
    assert await records.add_service(a_service())


async def _upset(records: Records) -> None:
    """Change a bit of everything."""
    await records.add_user(a_user("eve"))
    assert await records.replace_user(a_user(email="Changed"), expected=USER)
    await records.touch_session(SESSION.id, NOW + 99)
    assert await records.write_session_data(SESSION.id, b"[]", revision=0)
    assert await records.rotate_refresh_token(TOKEN.digest, at=NOW, sealed_successor=b"x")
    assert await records.consume_link(LINK.digest, LINK.purpose) == LINK
    await records.write_throttles({"key": 2.0, "other": 3.0})
    assert await records.claim_mail(NOW, until=NOW + 60)
    await records.add_key(a_key("two"))
    assert await records.retire_key(a_key().kid, verifies_until=NOW)
    await records.append_entries([a_draft("two"), a_draft("three")])
    assert await records.delete_expired_entries(NOW + 1e6, limit=9) == 2
    assert await records.add_service(a_service("two"))
    assert await records.delete_service(a_service().name)
    await records.shorten_sessions([SESSION.id], lifetime=1.0, idle_timeout=1.0)
    assert await records.delete_sessions([SESSION.id]) == [SESSION.id]
    assert await records.delete_user(USER.id)


async def _assert_as_filled(records: Records) -> None:
    assert await records.list_users() == [USER]
    assert await records.list_sessions(USER.id) == [SESSION]
    assert await records.find_refresh_token(TOKEN.digest) == TOKEN
    assert await records.find_link(LINK.digest, LINK.purpose) == LINK
    assert await records.read_throttles(["key", "other"]) == {"key": 1.0}
    assert await records.list_keys() == [a_key()]
    entries = await records.list_entries(after=0, limit=9)
    assert [entry.value for entry in entries] == [a_draft().value]
    assert await records.ledger_head() == Position(entries[0].seq, a_draft().mark)
    assert await records.list_services() == [a_service()]
    assert await records.claim_mail(NOW, until=NOW) == a_mail(attempts=1)


async def _race(storage: Storage, attempt: Callable[[Records, int], Awaitable[object]]) -> list[object]:
    """Let many callers try, half of them in transactions of their own; return what those got that won."""

    async def call(number: int) -> object:
        if number % 2:
            return await attempt(storage.records, number)
        async with storage.transaction() as records:
            await asyncio.sleep(0)
            return await attempt(records, number)

    return [result for result in await asyncio.gather(*map(call, range(CALLERS))) if result]


class Atomicity:
    """Of transactions, and of the methods that compare and set."""

    @pytest.mark.parametrize("reason", [_Intended, asyncio.CancelledError, GeneratorExit])
    @scenario
    async def test_nothing_is_left_of_a_transaction_that_raises(
        self, storage: Storage, reason: type[BaseException]
    ) -> None:
        async def transact() -> None:
            async with storage.transaction() as records:
                await _upset(records)
                raise reason

        await _fill(storage.records)
        with pytest.raises(reason):
            await transact()
        await _assert_as_filled(storage.records)

    @scenario
    async def test_nothing_is_left_of_a_transaction_whose_task_is_cancelled(self, storage: Storage) -> None:
        await _fill(storage.records)
        waiting = asyncio.Event()

        async def transact() -> None:
            async with storage.transaction() as records:
                await _upset(records)
                waiting.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(transact())
        await waiting.wait()
        assert task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await _assert_as_filled(storage.records)

    @scenario
    async def test_a_task_that_is_cancelled_while_it_waits_lets_the_next_one_in(
        self, storage: Storage
    ) -> None:
        async def write(name: str) -> None:
            await storage.records.add_user(a_user(name))

        async with storage.transaction() as records:
            tasks = [asyncio.create_task(write(name)) for name in ("a", "b", "c")]
            await asyncio.sleep(0)
            tasks[1].cancel()
            await records.add_user(a_user())
        assert [type(each) for each in await asyncio.gather(*tasks, return_exceptions=True)] == [
            type(None),
            asyncio.CancelledError,
            type(None),
        ]
        assert [user.id for user in await storage.records.list_users()] == ["user-a", "user-ada", "user-c"]

    @scenario
    async def test_a_change_that_is_not_made_leaves_the_rest_of_its_transaction(
        self, storage: Storage
    ) -> None:
        await storage.records.add_user(USER)
        async with storage.transaction() as records:
            await records.add_session(SESSION)
            assert not await records.add_user(a_user("eve", email_key=USER.email_key))
            await records.add_refresh_token(TOKEN)
        assert await storage.records.list_sessions(USER.id) == [SESSION]
        assert await storage.records.find_refresh_token(TOKEN.digest) == TOKEN

    @scenario
    async def test_of_a_transaction_with_a_conflict_all_the_rest_is_kept_or_nothing(
        self, storage: Storage
    ) -> None:
        await storage.records.add_user(USER)
        was_committed = False
        with suppress(StorageError):
            async with storage.transaction() as records:
                await records.add_session(SESSION)
                with pytest.raises(RecordConflictError):
                    await records.add_session(SESSION)
            was_committed = True
        assert await storage.records.list_sessions(USER.id) == ([SESSION] if was_committed else [])
        assert await storage.records.add_user(a_user("eve"))

    @scenario
    async def test_a_transaction_sees_its_own_changes_and_nobody_else_does(self, storage: Storage) -> None:
        async with storage.transaction() as records:
            await _fill(records)
            assert await records.find_user(USER.id) == USER
            assert await records.find_session_by_digest(SESSION.digest or b"") == SESSION
            assert await storage.records.find_user(USER.id) is None
            assert await storage.records.list_sessions(USER.id) == []
            assert await storage.records.list_keys() == []
        await _assert_as_filled(storage.records)

    @scenario
    async def test_transactions_are_serial_even_if_they_wait(self, storage: Storage) -> None:
        await storage.records.write_throttles({"count": 0.0})

        async def count() -> None:
            async with storage.transaction() as records:
                times = await records.read_throttles(["count"])
                await asyncio.sleep(0)
                await records.write_throttles({"count": times["count"] + 1})

        await asyncio.gather(*(count() for _ in range(CALLERS)))
        assert await storage.records.read_throttles(["count"]) == {"count": CALLERS}

    @scenario
    async def test_one_of_many_consumes_a_link(self, storage: Storage) -> None:
        await _fill(storage.records)
        assert await _race(storage, lambda records, _: records.consume_link(LINK.digest, LINK.purpose)) == [
            LINK
        ]

    @scenario
    async def test_one_of_many_rotates_a_token(self, storage: Storage) -> None:
        await _fill(storage.records)
        won = await _race(
            storage,
            lambda records, number: records.rotate_refresh_token(
                TOKEN.digest, at=NOW + number, sealed_successor=b"%d" % number
            ),
        )
        assert won == [True]
        token = await storage.records.find_refresh_token(TOKEN.digest)
        assert token is not None
        assert token.sealed_successor == b"%d" % round((token.rotated_at or 0) - NOW)

    @scenario
    async def test_one_of_many_replaces_a_user(self, storage: Storage) -> None:
        await _fill(storage.records)
        won = await _race(
            storage, lambda records, number: records.replace_user(a_user(email=str(number)), expected=USER)
        )
        assert won == [True]

    @scenario
    async def test_one_of_many_takes_an_address(self, storage: Storage) -> None:
        won = await _race(
            storage,
            lambda records, number: records.add_user(a_user(str(number), email_key="same@example.com")),
        )
        assert won == [True]
        assert len(await storage.records.list_users()) == 1

    @scenario
    async def test_one_of_many_writes_a_session_s_data(self, storage: Storage) -> None:
        await _fill(storage.records)
        won = await _race(
            storage,
            lambda records, number: records.write_session_data(SESSION.id, b"%d" % number, revision=0),
        )
        assert won == [True]

    @scenario
    async def test_one_of_many_renews_a_session(self, storage: Storage) -> None:
        await _fill(storage.records)
        won = await _race(
            storage,
            lambda records, number: records.renew_session(
                SESSION.id,
                old_digest=SESSION.digest,
                new_digest=b"%d" % number,
                session=msgspec.structs.replace(SESSION, digest=b"%d" % number),
            ),
        )
        assert won == [True]

    @scenario
    async def test_one_of_many_adds_a_service_of_a_name(self, storage: Storage) -> None:
        won = await _race(
            storage, lambda records, number: records.add_service(a_service(str(number), name="same"))
        )
        assert won == [True]

    @scenario
    async def test_what_is_committed_after_a_rolled_back_entry_is_found_behind_what_was_before(
        self, storage: Storage
    ) -> None:
        async def transact() -> None:
            async with storage.transaction() as records:
                await records.append_entries([a_draft("never")])
                raise _Intended

        (first,) = await storage.records.append_entries([a_draft("first")])
        with pytest.raises(_Intended):
            await transact()
        assert await storage.records.ledger_head() == Position(first.seq, first.mark)
        second = await storage.records.append_entries([a_draft("second")])
        assert await storage.records.list_entries(after=first.seq, limit=9) == second
        assert second[0].seq > first.seq

    @scenario
    async def test_one_of_many_claims_a_message(self, storage: Storage) -> None:
        await _fill(storage.records)
        won = await _race(storage, lambda records, _: records.claim_mail(NOW, until=NOW + 60))
        assert won == [a_mail(attempts=1, due_at=NOW + 60)]

    @scenario
    async def test_each_session_is_told_as_deleted_once(self, storage: Storage) -> None:
        await storage.records.add_user(USER)
        names = [f"session-{number}" for number in range(5)]
        for number in range(5):
            await storage.records.add_session(a_session(str(number)))
        won = await _race(storage, lambda records, _: records.delete_sessions(names))
        assert won == [names]
