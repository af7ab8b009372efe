"""Users, links and limits: what each method does."""
# ruff: noqa: D102, S101 - tests: their names say what holds

from __future__ import annotations

import msgspec
import pytest

from ...accounts.model import LinkPurpose
from ...flows.ports import Storage
from ..errors import RecordConflictError
from .driving import scenario
from .samples import NOW, a_link, a_session, a_token, a_user

__all__ = ["LinkBehaviour", "ThrottleBehaviour", "UserBehaviour"]

UNICODE = "Zoë ✓ 𝔘𝔫𝔦 \u202e ' \" ; --"  # noqa: RUF001 - not only letters of the keyboard


class UserBehaviour:
    """Of ``UserRecords``."""

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"password_hash": None, "scopes": frozenset(), "disabled_at": NOW},
            {"email": UNICODE, "email_key": UNICODE, "scopes": frozenset({UNICODE, ""})},
            {"id": "", "email": "", "email_key": "", "password_hash": ""},
            {"created_at": 0.1 + 0.2, "password_changed_at": 1e300, "disabled_at": -5e-324},
        ],
        ids=["usual", "absent", "unicode", "empty", "numbers"],
    )
    @scenario
    async def test_a_user_comes_back_as_it_was(self, storage: Storage, changes: dict[str, object]) -> None:
        user = a_user(**changes)
        assert await storage.records.add_user(user)
        assert await storage.records.find_user(user.id) == user
        assert await storage.records.find_user_by_email(user.email_key) == user

    @scenario
    async def test_nobody_is_found_where_nobody_is(self, storage: Storage) -> None:
        await storage.records.add_user(a_user())
        assert await storage.records.find_user("ada@example.com") is None
        assert await storage.records.find_user_by_email("user-ada") is None
        assert await storage.records.find_user_by_email("ADA@example.com") is None

    @scenario
    async def test_an_address_belongs_to_one_user(self, storage: Storage) -> None:
        first, second = a_user(), a_user("eve", email_key="ada@example.com")
        assert await storage.records.add_user(first)
        assert not await storage.records.add_user(second)
        assert await storage.records.list_users() == [first]

    @scenario
    async def test_an_identifier_is_given_once(self, storage: Storage) -> None:
        await storage.records.add_user(a_user())
        with pytest.raises(RecordConflictError):
            await storage.records.add_user(a_user("eve", id="user-ada"))
        assert await storage.records.list_users() == [a_user()]

    @pytest.mark.parametrize(
        "difference",
        [
            {"email": "ADA@example.com"},
            {"email_key": "other@example.com"},
            {"password_hash": None},
            {"password_hash": "$other"},
            {"scopes": frozenset({"read"})},
            {"created_at": NOW + 1},
            {"password_changed_at": NOW + 1},
            {"disabled_at": NOW},
        ],
        ids=lambda difference: next(iter(difference)),
    )
    @scenario
    async def test_a_user_is_replaced_only_if_it_is_as_expected(
        self, storage: Storage, difference: dict[str, object]
    ) -> None:
        user, changed = a_user(), a_user(**difference)
        await storage.records.add_user(user)
        assert not await storage.records.replace_user(a_user(email="New"), expected=changed)
        assert await storage.records.find_user(user.id) == user
        assert await storage.records.replace_user(changed, expected=user)
        assert await storage.records.find_user(user.id) == changed
        assert not await storage.records.replace_user(a_user(email="New"), expected=user)
        assert await storage.records.find_user(user.id) == changed

    @scenario
    async def test_a_replacement_does_not_take_the_address_of_another(self, storage: Storage) -> None:
        ada, eve = a_user(), a_user("eve")
        await storage.records.add_user(ada)
        await storage.records.add_user(eve)
        thief = msgspec.structs.replace(eve, email_key=ada.email_key)
        assert not await storage.records.replace_user(thief, expected=eve)
        assert await storage.records.list_users() == [ada, eve]

    @scenario
    async def test_nobody_is_replaced_where_nobody_is(self, storage: Storage) -> None:
        assert not await storage.records.replace_user(a_user(), expected=a_user())
        assert await storage.records.list_users() == []

    @scenario
    async def test_a_deleted_user_takes_all_along(self, storage: Storage) -> None:
        records = storage.records
        await records.add_user(a_user())
        await records.add_user(a_user("eve"))
        await records.add_session(a_session())
        await records.add_session(a_session("eve", user_id="user-eve"))
        await records.add_refresh_token(a_token())
        await records.add_link(a_link(user_id="user-ada"))
        await records.add_link(a_link("free"))
        assert await records.delete_user("user-ada")
        assert await records.list_users() == [a_user("eve")]
        assert await records.list_sessions("user-ada") == []
        assert await records.find_session("session-one") is None
        assert await records.find_session_by_digest(a_session().digest or b"") is None
        assert await records.find_refresh_token(a_token().digest) is None
        assert await records.find_link(a_link().digest, LinkPurpose.SIGN_UP) is None
        assert await records.find_link(a_link("free").digest, LinkPurpose.SIGN_UP) == a_link("free")
        assert await records.find_session("session-eve") == a_session("eve", user_id="user-eve")
        assert not await records.delete_user("user-ada")

    @scenario
    async def test_users_are_listed_page_by_page_in_the_order_of_their_addresses(
        self, storage: Storage
    ) -> None:
        keys = ["Z", "a", "ab", "a\u0301", "b", "é", "\uffff", "\U0001f600"]
        for key in reversed(keys):
            await storage.records.add_user(a_user(key, id=f"user-{key}", email_key=key))
        listed: list[str] = []
        while page := await storage.records.list_users(after=listed[-1] if listed else "", limit=3):
            assert len(page) <= 3
            listed += [user.email_key for user in page]
        assert listed == keys


class LinkBehaviour:
    """Of ``LinkRecords``."""

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"user_id": "user-ada", "password_hash": "$hash", "binding": bytes(32)},
            {"digest": b"\0\xff\0", "binding": b"", "email": UNICODE, "email_key": UNICODE},
            {"created_at": 0.1, "expires_at": 1e17 + 3},
            *({"purpose": purpose} for purpose in LinkPurpose),
        ],
    )
    @scenario
    async def test_a_link_comes_back_as_it_was_and_once(
        self, storage: Storage, changes: dict[str, object]
    ) -> None:
        records, link = storage.records, a_link(**changes)
        await records.add_user(a_user())
        await records.add_link(link)
        assert await records.find_link(link.digest, link.purpose) == link
        assert await records.find_link(link.digest, link.purpose) == link
        consumed = await records.consume_link(link.digest, link.purpose)
        assert consumed == link
        assert isinstance(consumed.purpose, LinkPurpose)
        assert await records.consume_link(link.digest, link.purpose) is None
        assert await records.find_link(link.digest, link.purpose) is None

    @scenario
    async def test_a_link_for_one_thing_is_no_use_for_another(self, storage: Storage) -> None:
        link = a_link()
        await storage.records.add_link(link)
        assert await storage.records.find_link(link.digest, LinkPurpose.RESET_PASSWORD) is None
        assert await storage.records.consume_link(link.digest, LinkPurpose.RESET_PASSWORD) is None
        assert await storage.records.find_link(link.digest, LinkPurpose.SIGN_UP) == link

    @scenario
    async def test_a_link_is_new_and_its_user_exists(self, storage: Storage) -> None:
        await storage.records.add_link(a_link())
        with pytest.raises(RecordConflictError):
            await storage.records.add_link(a_link(email="Other@example.com"))
        with pytest.raises(RecordConflictError):
            await storage.records.add_link(a_link("two", user_id="user-nobody"))
        assert await storage.records.find_link(a_link().digest, LinkPurpose.SIGN_UP) == a_link()

    @pytest.mark.parametrize(
        "whose, left",
        [
            ({}, {"a", "b", "c"}),
            ({"user_id": "user-ada"}, {"b", "c"}),
            ({"email_key": "b@example.com"}, {"a", "c"}),
            ({"user_id": "user-ada", "email_key": "b@example.com"}, {"c"}),
            ({"user_id": "nobody", "email_key": ""}, {"a", "b", "c"}),
        ],
    )
    @scenario
    async def test_the_links_of_a_user_or_to_an_address_are_deleted(
        self, storage: Storage, whose: dict[str, str], left: set[str]
    ) -> None:
        await storage.records.add_user(a_user())
        links = {
            "a": a_link("a", user_id="user-ada"),
            "b": a_link("b", email_key="b@example.com"),
            "c": a_link("c"),
        }
        for link in links.values():
            await storage.records.add_link(link)
        await storage.records.delete_links(**whose)
        found = [
            name for name, link in links.items() if await storage.records.find_link(link.digest, link.purpose)
        ]
        assert set(found) == left

    @scenario
    async def test_expired_links_are_deleted_a_few_at_a_time(self, storage: Storage) -> None:
        for number in range(5):
            await storage.records.add_link(a_link(str(number), expires_at=NOW + number))
        assert await storage.records.delete_expired_links(NOW - 1, limit=10) == 0
        assert await storage.records.delete_expired_links(NOW + 3, limit=3) == 3
        assert await storage.records.find_link(a_link("3").digest, LinkPurpose.SIGN_UP) is not None
        assert await storage.records.delete_expired_links(NOW + 3, limit=3) == 1
        assert await storage.records.find_link(a_link("4").digest, LinkPurpose.SIGN_UP) is not None


class ThrottleBehaviour:
    """Of ``ThrottleRecords``."""

    @scenario
    async def test_times_are_read_as_they_were_written(self, storage: Storage) -> None:
        times = {"": 0.0, UNICODE: 0.1 + 0.2, "k" * 10_000: 1e300, "negative": -1.5}
        await storage.records.write_throttles(times)
        assert await storage.records.read_throttles([*times, "unknown"]) == times
        assert await storage.records.read_throttles(["negative"]) == {"negative": -1.5}
        assert await storage.records.read_throttles([]) == {}

    @scenario
    async def test_a_time_replaces_the_one_before_it(self, storage: Storage) -> None:
        await storage.records.write_throttles({"a": 1.0, "b": 2.0})
        await storage.records.write_throttles({"b": 1.0, "c": 3.0})
        await storage.records.write_throttles({})
        assert await storage.records.read_throttles(["a", "b", "c"]) == {"a": 1.0, "b": 1.0, "c": 3.0}

    @scenario
    async def test_keys_are_forgotten(self, storage: Storage) -> None:
        await storage.records.write_throttles({"a": 1.0, "b": 2.0, "c": 3.0})
        await storage.records.delete_throttles(["a", "c", "unknown", "a"])
        await storage.records.delete_throttles([])
        assert await storage.records.read_throttles(["a", "b", "c"]) == {"b": 2.0}

    @scenario
    async def test_passed_times_are_deleted_a_few_at_a_time(self, storage: Storage) -> None:
        await storage.records.write_throttles({str(number): NOW + number for number in range(5)})
        assert await storage.records.delete_expired_throttles(NOW + 3, limit=3) == 3
        assert set(await storage.records.read_throttles([*"01234"])) == {"3", "4"}
        assert await storage.records.delete_expired_throttles(NOW + 3, limit=3) == 1
        assert await storage.records.delete_expired_throttles(NOW + 3, limit=3) == 0
