"""What is between an authorization request and its tokens, grants and consents: what each method does."""
# ruff: noqa: D102, S101 - tests: their names say what holds

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from ...flows.ports import Storage
from ...oauth.model import (
    AuthorizationCode,
    AuthorizationRequest,
    ClaimRequest,
    ClaimsRequest,
    Consent,
    Grant,
    Interaction,
    PushedRequest,
)
from ..errors import RecordConflictError
from .driving import scenario
from .samples import NOW, a_client, a_permission, a_session, a_user, an_api, digest_of

__all__ = [
    "AssertionBehaviour",
    "AuthorizationBehaviour",
    "ConsentBehaviour",
    "GrantBehaviour",
    "OpenCodeBehaviour",
]

_TASKS = 20
_RECOGNISED = 600.0

_REQUEST = AuthorizationRequest(
    client_id="client-one",
    redirect_uri="https://one.example/cb?a=1",
    response_type="code id_token",
    response_mode="form_post",
    scope=("openid", "read"),
    audiences=("https://api.example",),
    state="\u00e4 state",
    nonce="n",
    code_challenge="c" * 43,
    prompt=("login", "consent"),
    max_age=0,
    ui_locales=("pl", "en"),
    claims=ClaimsRequest(
        userinfo={"email": None}, id_token={"acr": ClaimRequest(essential=True, values=("aal1", 2, None))}
    ),
    pushed=True,
)


def _an_interaction(name: str = "one", /, **changes: Any) -> Interaction:
    defaults: dict[str, Any] = {
        "digest": digest_of(f"interaction {name}"),
        "request": _REQUEST,
        "created_at": NOW + 0.25,
        "expires_at": NOW + 60,
    }
    return Interaction(**(defaults | changes))


def _a_pushed_request(name: str = "one", /, **changes: Any) -> PushedRequest:
    defaults: dict[str, Any] = {
        "digest": digest_of(f"pushed {name}"),
        "client_id": "client-one",
        "request": _REQUEST,
        "expires_at": NOW + 60,
    }
    return PushedRequest(**(defaults | changes))


def _a_code(name: str = "one", /, **changes: Any) -> AuthorizationCode:
    defaults: dict[str, Any] = {
        "digest": digest_of(f"code {name}"),
        "client_id": "client-one",
        "user_id": "user-ada",
        "parent_id": "session-one",
        "session_id": "session-child",
        "request": _REQUEST,
        "scope": ("openid",),
        "audiences": ("https://api.example",),
        "offline": True,
        "redirect_uri_given": False,
        "authenticated_at": NOW - 1.5,
        "methods": ("pwd", "otp"),
        "created_at": NOW,
        "expires_at": NOW + 60,
    }
    return AuthorizationCode(**(defaults | changes))


def _a_grant(session: str = "one", /, **changes: Any) -> Grant:
    defaults: dict[str, Any] = {
        "session_id": f"session-{session}",
        "user_id": "user-ada",
        "client_id": "client-one",
        "scope": ("openid", "read"),
        "audiences": ("https://api.example",),
        "claims": _REQUEST.claims,
        "offline": True,
        "created_at": NOW + 0.5,
    }
    return Grant(**(defaults | changes))


def _a_consent(client: str = "one", /, **changes: Any) -> Consent:
    defaults: dict[str, Any] = {
        "user_id": "user-ada",
        "client_id": f"client-{client}",
        "scope": frozenset({"openid", "read"}),
        "audiences": frozenset({"https://api.example"}),
        "claims": frozenset({"email"}),
        "granted_at": NOW + 0.5,
    }
    return Consent(**(defaults | changes))


async def _prepare(storage: Storage) -> None:
    for name in ("ada", "eve"):
        await storage.records.add_user(a_user(name))
    for name in ("one", "two"):
        await storage.records.add_session(a_session(name))
        await storage.records.add_client(a_client(name))


class AuthorizationBehaviour:
    """Of ``AuthorizationRecords``."""

    @pytest.mark.parametrize(
        "by", ["interaction", "pushed request", "code", "grant", "consent", "permission"]
    )
    @scenario
    async def test_a_client_is_used_by_whatever_anybody_does_with_it(self, storage: Storage, by: str) -> None:
        await _prepare(storage)
        records = storage.records
        await records.add_client(a_client("unused"))
        assert not await records.is_client_used("client-one")
        match by:
            case "interaction":
                await records.add_interaction(_an_interaction())
            case "pushed request":
                await records.add_pushed_request(_a_pushed_request())
            case "code":
                await records.add_code(_a_code())
            case "grant":
                await records.put_grant(_a_grant())
            case "consent":
                await records.put_consent(_a_consent())
            case _:
                await records.add_api(an_api())
                await records.put_permission(a_permission("client", "one"))
        assert await records.is_client_used("client-one")
        assert not await records.is_client_used("client-unused")
        assert not await records.is_client_used("nobody")

    @scenario
    async def test_an_interaction_comes_back_as_it_was_until_it_is_answered(self, storage: Storage) -> None:
        await _prepare(storage)
        interaction = _an_interaction()
        assert await storage.records.find_interaction(interaction.digest) is None
        await storage.records.add_interaction(interaction)
        assert await storage.records.find_interaction(interaction.digest) == interaction
        later = replace(interaction, selected="s", consented="s", scope=("openid",))
        assert await storage.records.replace_interaction(later)
        assert await storage.records.find_interaction(interaction.digest) == later
        assert await storage.records.delete_interaction(interaction.digest)
        assert not await storage.records.delete_interaction(interaction.digest)
        assert not await storage.records.replace_interaction(later)
        assert await storage.records.find_interaction(interaction.digest) is None

    @scenario
    async def test_an_interaction_is_answered_by_one_of_many_tasks(self, storage: Storage) -> None:
        await _prepare(storage)
        await storage.records.add_interaction(_an_interaction())
        digest = _an_interaction().digest

        async def answer() -> bool:
            async with storage.transaction() as records:
                return await records.delete_interaction(digest)

        assert sum(await asyncio.gather(*(answer() for _ in range(_TASKS)))) == 1

    @scenario
    async def test_a_pushed_request_is_used_by_one_of_many_tasks(self, storage: Storage) -> None:
        await _prepare(storage)
        pushed = _a_pushed_request(expires_at=NOW - 1)
        await storage.records.add_pushed_request(pushed)
        assert await storage.records.find_pushed_request(pushed.digest) == pushed
        used = await asyncio.gather(
            *(storage.records.consume_pushed_request(pushed.digest) for _ in range(_TASKS))
        )
        assert sorted(each is None for each in used) == [False] + [True] * (_TASKS - 1)
        assert pushed in used
        assert await storage.records.find_pushed_request(pushed.digest) is None

    @scenario
    async def test_a_code_is_consumed_by_one_of_many_tasks_and_is_known_afterwards(
        self, storage: Storage
    ) -> None:
        await _prepare(storage)
        code = _a_code()
        assert await storage.records.consume_code(code.digest, at=NOW) is None
        await storage.records.add_code(code)
        results = await asyncio.gather(
            *(storage.records.consume_code(code.digest, at=NOW + number) for number in range(_TASKS))
        )
        found = [each for each in results if each is not None]
        assert len(found) == _TASKS
        assert sum(is_first for _, is_first in found) == 1
        (at,) = {each.consumed_at for each, _ in found}
        assert {each.session_id for each, _ in found} == {code.session_id}
        assert await storage.records.consume_code(code.digest, at=NOW + 99) == (
            replace(code, consumed_at=at),
            False,
        )
        # Whose it is can be seen at any time, and by that nothing is used up.
        assert await storage.records.find_code(code.digest) == code
        assert await storage.records.find_code(digest_of("no code")) is None

    @scenario
    async def test_what_is_new_is_new_and_belongs_to_a_client(self, storage: Storage) -> None:
        await _prepare(storage)
        await storage.records.add_interaction(_an_interaction())
        with pytest.raises(RecordConflictError):
            await storage.records.add_interaction(_an_interaction())
        await storage.records.add_pushed_request(_a_pushed_request())
        with pytest.raises(RecordConflictError):
            await storage.records.add_pushed_request(_a_pushed_request())
        await storage.records.add_code(_a_code())
        with pytest.raises(RecordConflictError):
            await storage.records.add_code(_a_code())
        strange = replace(_REQUEST, client_id="client-none")
        with pytest.raises(RecordConflictError):
            await storage.records.add_interaction(_an_interaction("two", request=strange))
        with pytest.raises(RecordConflictError):
            await storage.records.add_pushed_request(_a_pushed_request("two", client_id="client-none"))
        with pytest.raises(RecordConflictError):
            await storage.records.add_code(_a_code("two", client_id="client-none"))
        with pytest.raises(RecordConflictError):
            await storage.records.add_code(_a_code("two", user_id="user-none"))

    @scenario
    async def test_what_has_expired_is_deleted_little_by_little_and_codes_later(
        self, storage: Storage
    ) -> None:
        await _prepare(storage)
        for number in range(3):
            await storage.records.add_interaction(_an_interaction(str(number), expires_at=NOW + number))
            await storage.records.add_pushed_request(_a_pushed_request(str(number), expires_at=NOW + number))
            await storage.records.add_code(_a_code(str(number), expires_at=NOW + number))
        delete = storage.records.delete_expired_authorizations
        assert await delete(NOW - 1, limit=9) == 0
        assert await delete(NOW + 1, limit=1) == 2
        assert await delete(NOW + 1, limit=9) == 2
        assert await storage.records.find_interaction(digest_of("interaction 2")) is not None
        assert await delete(NOW + 2 + _RECOGNISED, limit=9) == 5
        assert await storage.records.consume_code(digest_of("code 2"), at=NOW) is None

    @scenario
    async def test_all_of_it_goes_with_its_client_and_codes_with_their_user(self, storage: Storage) -> None:
        await _prepare(storage)
        await storage.records.add_code(_a_code("of ada", client_id="client-two"))
        await storage.records.delete_user("user-ada")
        assert await storage.records.consume_code(digest_of("code of ada"), at=NOW) is None
        await storage.records.add_interaction(_an_interaction())
        await storage.records.add_pushed_request(_a_pushed_request())
        await storage.records.add_code(_a_code(user_id="user-eve"))
        await storage.records.delete_client("client-one")
        assert await storage.records.find_interaction(_an_interaction().digest) is None
        assert await storage.records.find_pushed_request(_a_pushed_request().digest) is None
        assert await storage.records.consume_code(_a_code().digest, at=NOW) is None


class OpenCodeBehaviour:
    """Of ``delete_open_codes``."""

    @scenario
    async def test_only_codes_of_that_user_and_client_that_were_not_consumed_go(
        self, storage: Storage
    ) -> None:
        await _prepare(storage)
        codes = [
            _a_code("open"),
            _a_code("used"),
            _a_code("other's", user_id="user-eve"),
            _a_code("elsewhere", client_id="client-two"),
        ]
        for each in codes:
            await storage.records.add_code(each)
        await storage.records.consume_code(codes[1].digest, at=NOW)
        assert await storage.records.delete_open_codes(user_id="user-ada", client_id="client-one") == 1
        found = [await storage.records.consume_code(each.digest, at=NOW) for each in codes]
        assert [None if each is None else each[1] for each in found] == [None, False, True, True]


class AssertionBehaviour:
    """Of ``AssertionRecords``."""

    @scenario
    async def test_an_assertion_is_used_by_one_of_many_tasks(self, storage: Storage) -> None:
        digest = digest_of("assertion")
        used = await asyncio.gather(
            *(storage.records.consume_assertion(digest, until=NOW + number) for number in range(_TASKS))
        )
        assert sum(used) == 1
        assert await storage.records.consume_assertion(digest_of("another"), until=NOW)

    @scenario
    async def test_assertions_are_forgotten_when_they_have_expired(self, storage: Storage) -> None:
        for number in range(3):
            await storage.records.consume_assertion(digest_of(str(number)), until=NOW + number)
        assert await storage.records.delete_expired_assertions(NOW + 1, limit=1) == 1
        assert await storage.records.delete_expired_assertions(NOW + 1, limit=9) == 1
        assert await storage.records.consume_assertion(digest_of("1"), until=NOW + 9)
        assert not await storage.records.consume_assertion(digest_of("2"), until=NOW + 9)


class GrantBehaviour:
    """Of ``GrantRecords``."""

    @scenario
    async def test_a_grant_is_found_as_it_was_put_last(self, storage: Storage) -> None:
        await _prepare(storage)
        assert await storage.records.find_grant("session-one") is None
        await storage.records.put_grant(_a_grant())
        assert await storage.records.find_grant("session-one") == _a_grant()
        later = _a_grant(scope=("openid",), offline=False, created_at=NOW + 9)
        await storage.records.put_grant(later)
        assert await storage.records.find_grant("session-one") == later

    @scenario
    async def test_grants_are_listed_the_newest_first_and_by_client(self, storage: Storage) -> None:
        await _prepare(storage)
        for session in (a_session("three"), a_session("four", user_id="user-eve")):
            await storage.records.add_session(session)
        first = _a_grant("two", created_at=NOW)
        last = _a_grant("one", client_id="client-two", created_at=NOW + 2)
        equal = _a_grant("three", created_at=NOW)
        for grant in (first, last, equal, _a_grant("four", user_id="user-eve")):
            await storage.records.put_grant(grant)
        assert await storage.records.list_grants(user_id="user-ada") == [last, equal, first]
        assert await storage.records.list_grants(user_id="user-ada", client_id="client-one") == [equal, first]
        assert await storage.records.list_grants(user_id="user-none") == []
        listed = await storage.records.list_client_sessions("client-one", limit=9)
        assert listed == ["session-four", "session-three", "session-two"]
        assert await storage.records.list_client_sessions("client-one", limit=2) == listed[:2]

    @scenario
    async def test_a_grant_goes_with_its_session_client_and_user(self, storage: Storage) -> None:
        await _prepare(storage)
        await storage.records.put_grant(_a_grant("one"))
        await storage.records.put_grant(_a_grant("two", client_id="client-two"))
        await storage.records.delete_sessions(["session-one"])
        assert await storage.records.find_grant("session-one") is None
        await storage.records.delete_client("client-two")
        assert await storage.records.list_grants(user_id="user-ada") == []
        await storage.records.put_grant(_a_grant("two"))
        await storage.records.delete_user("user-ada")
        assert await storage.records.find_grant("session-two") is None

    @scenario
    async def test_no_grant_is_left_when_all_sessions_end(self, storage: Storage) -> None:
        await _prepare(storage)
        await storage.records.put_grant(_a_grant())
        await storage.records.delete_all_sessions(NOW)
        assert await storage.records.find_grant("session-one") is None
        assert await storage.records.list_grants(user_id="user-ada") == []
        assert await storage.records.list_client_sessions("client-one", limit=9) == []

    @scenario
    async def test_a_grant_belongs_to_a_session_a_user_and_a_client(self, storage: Storage) -> None:
        await _prepare(storage)
        for wrong in (
            _a_grant("none"),
            _a_grant(user_id="user-none"),
            _a_grant(client_id="client-none"),
        ):
            with pytest.raises(RecordConflictError):
                await storage.records.put_grant(wrong)


class ConsentBehaviour:
    """Of ``ConsentRecords``."""

    @scenario
    async def test_a_consent_is_found_as_it_was_put_last_until_it_is_deleted(self, storage: Storage) -> None:
        await _prepare(storage)
        assert await storage.records.find_consent("user-ada", "client-one") is None
        await storage.records.put_consent(_a_consent())
        assert await storage.records.find_consent("user-ada", "client-one") == _a_consent()
        later = _a_consent(scope=frozenset({"openid"}), audiences=frozenset(), claims=frozenset())
        await storage.records.put_consent(later)
        assert await storage.records.find_consent("user-ada", "client-one") == later
        assert await storage.records.delete_consent("user-ada", "client-one")
        assert not await storage.records.delete_consent("user-ada", "client-one")
        assert await storage.records.find_consent("user-ada", "client-one") is None

    @scenario
    async def test_what_all_users_allowed_a_client_is_forgotten_together(self, storage: Storage) -> None:
        await _prepare(storage)
        await storage.records.put_consent(_a_consent("one"))
        await storage.records.put_consent(_a_consent("one", user_id="user-eve"))
        await storage.records.put_consent(_a_consent("two"))
        assert await storage.records.delete_consents("client-one") == 2
        assert await storage.records.delete_consents("client-one") == 0
        assert await storage.records.list_consents("user-eve") == []
        assert await storage.records.list_consents("user-ada") == [_a_consent("two")]

    @scenario
    async def test_consents_are_listed_the_newest_first(self, storage: Storage) -> None:
        await _prepare(storage)
        await storage.records.put_consent(_a_consent("one", granted_at=NOW))
        await storage.records.put_consent(_a_consent("two", granted_at=NOW + 1))
        await storage.records.put_consent(_a_consent("one", user_id="user-eve"))
        listed = await storage.records.list_consents("user-ada")
        assert [each.client_id for each in listed] == ["client-two", "client-one"]

    @scenario
    async def test_a_consent_goes_with_its_user_and_its_client(self, storage: Storage) -> None:
        await _prepare(storage)
        await storage.records.put_consent(_a_consent("one"))
        await storage.records.put_consent(_a_consent("two"))
        await storage.records.put_consent(_a_consent("two", user_id="user-eve"))
        await storage.records.delete_client("client-one")
        assert [each.client_id for each in await storage.records.list_consents("user-ada")] == ["client-two"]
        await storage.records.delete_user("user-ada")
        assert await storage.records.list_consents("user-ada") == []
        assert await storage.records.find_consent("user-eve", "client-two") is not None

    @scenario
    async def test_a_consent_belongs_to_a_user_and_a_client(self, storage: Storage) -> None:
        await _prepare(storage)
        for wrong in (_a_consent(user_id="user-none"), _a_consent("none")):
            with pytest.raises(RecordConflictError):
                await storage.records.put_consent(wrong)
