"""Sessions and refresh tokens: what each method does."""
# ruff: noqa: D102, S101 - tests: their names say what holds

from __future__ import annotations

import msgspec
import pytest

from ...flows.ports import Storage
from ...identity import Client
from ..errors import RecordConflictError
from .driving import scenario
from .samples import NOW, a_session, a_token, a_user, digest_of

__all__ = ["RefreshTokenBehaviour", "SessionBehaviour"]


class SessionBehaviour:
    """Of ``SessionRecords``."""

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"digest": None, "scope": "", "methods": ()},
            {"binding": b"\0", "data": b"", "methods": ("", "é", 'a"b c')},
            {"data": bytes(range(256)) * 400, "data_revision": 2**53},
            {"client": Client(address="", user_agent="🦊" * 20_000)},
            {"idle_timeout": 0.0, "expires_at": 1e300, "last_seen_at": 0.1 + 0.2, "created_at": -1.0},
        ],
        ids=["usual", "absent", "empty", "big", "long", "numbers"],
    )
    @scenario
    async def test_a_session_comes_back_as_it_was(self, storage: Storage, changes: dict[str, object]) -> None:
        session = a_session(**changes)
        await storage.records.add_user(a_user())
        await storage.records.add_session(session)
        assert await storage.records.find_session(session.id) == session
        assert await storage.records.list_sessions(session.user_id) == [session]
        if session.digest is not None:
            assert await storage.records.find_session_by_digest(session.digest) == session

    @scenario
    async def test_none_is_found_where_none_is(self, storage: Storage) -> None:
        await storage.records.add_user(a_user())
        await storage.records.add_session(a_session(digest=None))
        assert await storage.records.find_session("session-two") is None
        assert await storage.records.find_session_by_digest(b"") is None
        assert await storage.records.list_sessions("user-eve") == []

    @pytest.mark.parametrize(
        "second", [{"id": "session-one"}, {"digest": digest_of("session one")}, {"user_id": "user-nobody"}]
    )
    @scenario
    async def test_a_session_is_new_and_its_user_exists(
        self, storage: Storage, second: dict[str, object]
    ) -> None:
        await storage.records.add_user(a_user())
        await storage.records.add_session(a_session())
        with pytest.raises(RecordConflictError):
            await storage.records.add_session(a_session("two", **second))
        assert await storage.records.list_sessions("user-ada") == [a_session()]

    @scenario
    async def test_several_sessions_may_hold_tokens_only(self, storage: Storage) -> None:
        await storage.records.add_user(a_user())
        for name in "ab":
            await storage.records.add_session(a_session(name, digest=None))
        assert len(await storage.records.list_sessions("user-ada")) == 2

    @scenario
    async def test_the_most_recently_used_is_listed_first(self, storage: Storage) -> None:
        await storage.records.add_user(a_user())
        for name, used_at in [("b", 20.0), ("c", 30.0), ("a", 10.0)]:
            await storage.records.add_session(a_session(name, last_seen_at=NOW + used_at))
        await storage.records.touch_session("session-a", NOW + 25)
        listed = await storage.records.list_sessions("user-ada")
        assert [session.id for session in listed] == ["session-c", "session-a", "session-b"]

    @pytest.mark.parametrize("old, new", [(b"old", b"new"), (b"old", None), (None, b"new"), (b"old", b"old")])
    @scenario
    async def test_a_session_is_renewed_if_its_secret_is_the_expected_one(
        self, storage: Storage, old: bytes | None, new: bytes | None
    ) -> None:
        records = storage.records
        await records.add_user(a_user())
        await records.add_session(a_session(digest=old, data=b"[1]", data_revision=7))
        wanted = a_session(
            "other",
            user_id="user-eve",
            digest=new,
            profile="strict",
            created_at=0.0,
            authenticated_at=NOW + 50,
            methods=("hwk",),
            last_seen_at=NOW + 50,
            idle_timeout=60.0,
            expires_at=NOW + 500,
            client=Client(address="2001:db8::1", user_agent="Other"),
            scope="read",
            binding=b"bound",
            data=b"{}",
            data_revision=0,
        )
        assert not await records.renew_session("session-one", old_digest=b"x", new_digest=new, session=wanted)
        assert not await records.renew_session("session-no", old_digest=old, new_digest=new, session=wanted)
        assert await records.renew_session("session-one", old_digest=old, new_digest=new, session=wanted)
        expected = msgspec.structs.replace(
            wanted, id="session-one", user_id="user-ada", created_at=NOW, data=b"[1]", data_revision=7
        )
        assert await records.find_session("session-one") == expected
        if new is not None:
            assert await records.find_session_by_digest(new) == expected
        if old is not None and old != new:
            assert await records.find_session_by_digest(old) is None

    @scenario
    async def test_a_session_is_not_renewed_to_the_secret_of_another(self, storage: Storage) -> None:
        one, two = a_session(), a_session("two")
        await storage.records.add_user(a_user())
        await storage.records.add_session(one)
        await storage.records.add_session(two)
        with pytest.raises(RecordConflictError):
            await storage.records.renew_session(
                one.id, old_digest=one.digest, new_digest=two.digest, session=one
            )
        assert await storage.records.find_session(one.id) == one

    @scenario
    async def test_a_session_is_touched_forwards_only(self, storage: Storage) -> None:
        await storage.records.add_user(a_user())
        await storage.records.add_session(a_session())
        for at in (NOW + 60, NOW + 30, NOW + 60):
            await storage.records.touch_session("session-one", at)
            assert await storage.records.find_session("session-one") == a_session(last_seen_at=NOW + 60)
        await storage.records.touch_session("session-gone", NOW)
        assert await storage.records.find_session("session-gone") is None

    @scenario
    async def test_data_is_written_over_the_revision_that_was_read(self, storage: Storage) -> None:
        records = storage.records
        await records.add_user(a_user())
        await records.add_session(a_session())
        assert not await records.write_session_data("session-one", b"[0]", revision=1)
        assert not await records.write_session_data("session-two", b"[0]", revision=0)
        assert await records.write_session_data("session-one", b"[1]", revision=0)
        assert not await records.write_session_data("session-one", b"[2]", revision=0)
        assert await records.write_session_data("session-one", b"\0", revision=1)
        assert await records.find_session("session-one") == a_session(data=b"\0", data_revision=2)

    @scenario
    async def test_deleted_sessions_are_told_and_take_their_tokens_along(self, storage: Storage) -> None:
        records = storage.records
        await records.add_user(a_user())
        for name in ("one", "two", "three"):
            await records.add_session(a_session(name))
            await records.add_refresh_token(a_token(name, session_id=f"session-{name}"))
        gone = await records.delete_sessions(["session-two", "session-no", "session-one", "session-two"])
        assert sorted(gone) == ["session-one", "session-two"]
        assert await records.list_sessions("user-ada") == [a_session("three")]
        assert await records.find_refresh_token(a_token("one").digest) is None
        assert await records.find_refresh_token(a_token("three").digest) is not None
        assert await records.delete_sessions([]) == []

    @scenario
    async def test_sessions_that_ended_by_time_are_deleted_a_few_at_a_time(self, storage: Storage) -> None:
        records = storage.records
        await records.add_user(a_user())
        ends: dict[str, dict[str, object]] = {
            "expired": {"expires_at": NOW + 10},
            "idle": {"idle_timeout": 18.0},
            "also-idle": {"idle_timeout": 27.0},
            "alive": {"idle_timeout": 29.0},
        }
        for name, changes in ends.items():
            await records.add_session(a_session(name, **changes))
        await records.add_refresh_token(a_token(session_id="session-expired"))
        assert await records.delete_expired_sessions(NOW + 9, limit=10) == 0
        assert await records.delete_expired_sessions(NOW + 30, limit=2) == 2
        left = {session.id for session in await records.list_sessions("user-ada")}
        assert left == {"session-also-idle", "session-alive"}
        assert await records.find_refresh_token(a_token().digest) is None
        await records.touch_session("session-also-idle", NOW + 10)
        assert await records.delete_expired_sessions(NOW + 30, limit=2) == 0
        assert await records.delete_expired_sessions(NOW + 31, limit=2) == 1

    @scenario
    async def test_sessions_that_may_last_longer_are_listed_page_by_page(self, storage: Storage) -> None:
        await storage.records.add_user(a_user())
        # Of each: until when, counted from the authentication, and after how long without use.
        limits = {
            "a": (100.0, 50.0),
            "b": (100.5, 50.0),
            "c": (100.0, 50.25),
            "d": (101.0, 51.0),
            "e": (1.0, 1.0),
        }
        for name, (lifetime, idle_timeout) in limits.items():
            await storage.records.add_session(
                a_session(
                    name, digest=None, expires_at=NOW + 1 + lifetime, idle_timeout=idle_timeout, data=b"[1]"
                )
            )
        allowed = {"lifetime": 100.0, "idle_timeout": 50.0}
        listed = await storage.records.list_longer_sessions(**allowed, after="", limit=9)
        assert [each.id for each in listed] == ["session-b", "session-c", "session-d"]
        assert listed[0] == await storage.records.find_session("session-b")
        page = await storage.records.list_longer_sessions(**allowed, after="session-b", limit=1)
        assert page == listed[1:2]
        assert await storage.records.list_longer_sessions(**allowed, after="session-d", limit=9) == []
        assert await storage.records.list_longer_sessions(**allowed, after="", limit=0) == []

    @scenario
    async def test_sessions_are_shortened_and_never_lengthened(self, storage: Storage) -> None:
        await storage.records.add_user(a_user())
        long = a_session("long", authenticated_at=NOW, expires_at=NOW + 900.0, idle_timeout=300.0)
        short = a_session("short", authenticated_at=NOW, expires_at=NOW + 5.0, idle_timeout=300.0)
        for session in (long, short):
            await storage.records.add_session(session)
        named = ["session-long", "session-unknown", "session-short"]
        await storage.records.shorten_sessions(named, lifetime=60.0, idle_timeout=400.0)
        await storage.records.shorten_sessions(named[:1], lifetime=99.0, idle_timeout=10.0)
        assert await storage.records.find_session(long.id) == msgspec.structs.replace(
            long, expires_at=NOW + 60.0, idle_timeout=10.0
        )
        assert await storage.records.find_session(short.id) == short
        await storage.records.shorten_sessions([], lifetime=1.0, idle_timeout=1.0)
        assert (
            await storage.records.list_longer_sessions(lifetime=60.0, idle_timeout=300.0, after="", limit=9)
            == []
        )


class RefreshTokenBehaviour:
    """Of ``RefreshTokenRecords``."""

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"rotated_at": NOW + 5, "sealed_successor": b"\0sealed\0"},
            {"digest": b"\0", "client": b"", "sealed_successor": b"", "created_at": 0.1},
        ],
        ids=["usual", "rotated", "empty"],
    )
    @scenario
    async def test_a_token_comes_back_as_it_was(self, storage: Storage, changes: dict[str, object]) -> None:
        token = a_token(**changes)
        await storage.records.add_user(a_user())
        await storage.records.add_session(a_session())
        await storage.records.add_refresh_token(token)
        assert await storage.records.find_refresh_token(token.digest) == token
        assert await storage.records.find_refresh_token(b"unknown") is None

    @pytest.mark.parametrize("second", [{"digest": digest_of("token one")}, {"session_id": "session-no"}])
    @scenario
    async def test_a_token_is_new_and_its_session_exists(
        self, storage: Storage, second: dict[str, object]
    ) -> None:
        await storage.records.add_user(a_user())
        await storage.records.add_session(a_session())
        await storage.records.add_refresh_token(a_token())
        with pytest.raises(RecordConflictError):
            await storage.records.add_refresh_token(a_token("two", **second))
        assert await storage.records.find_refresh_token(a_token().digest) == a_token()

    @scenario
    async def test_only_the_tokens_of_a_session_that_were_rotated_before_then_are_forgotten(
        self, storage: Storage
    ) -> None:
        records = storage.records
        await records.add_user(a_user())
        await records.add_session(a_session())
        await records.add_session(a_session("other"))
        rotated_at = {"long ago": NOW - 20, "just now": NOW - 10, "never": None}
        kept = [a_token(name, rotated_at=at) for name, at in rotated_at.items()]
        kept.append(a_token("elsewhere", session_id="session-other", rotated_at=NOW - 20))
        for token in kept:
            await records.add_refresh_token(token)
        await records.forget_refresh_tokens("session-one", rotated_before=NOW - 10)
        await records.forget_refresh_tokens("session-unknown", rotated_before=NOW)
        found = [await records.find_refresh_token(token.digest) for token in kept]
        assert found == [None, *kept[1:]]
        await records.forget_refresh_tokens("session-one")
        found = [await records.find_refresh_token(token.digest) for token in kept]
        assert found == [None, None, None, kept[-1]]

    @scenario
    async def test_a_token_is_rotated_once(self, storage: Storage) -> None:
        records, token = storage.records, a_token()
        await records.add_user(a_user())
        await records.add_session(a_session())
        await records.add_refresh_token(token)
        assert await records.rotate_refresh_token(token.digest, at=NOW + 1, sealed_successor=b"first")
        assert not await records.rotate_refresh_token(token.digest, at=NOW + 2, sealed_successor=b"second")
        assert not await records.rotate_refresh_token(b"unknown", at=NOW, sealed_successor=b"")
        rotated = a_token(rotated_at=NOW + 1, sealed_successor=b"first")
        assert await records.find_refresh_token(token.digest) == rotated
