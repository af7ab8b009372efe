"""Clients, APIs, roles, permissions and initial access tokens: what each method does."""
# ruff: noqa: D102, S101 - tests: their names say what holds

from __future__ import annotations

import asyncio
from typing import Final

import pytest

from ...flows.ports import Storage
from ...oauth.model import APIScope, HolderKind, OAuthClient, Permission
from ..errors import RecordConflictError
from .driving import scenario
from .samples import (
    NOW,
    a_client,
    a_permission,
    a_role,
    a_user,
    an_api,
    an_initial_access_token,
    digest_of,
)

__all__ = [
    "APIBehaviour",
    "ClientBehaviour",
    "InitialAccessTokenBehaviour",
    "PermissionBehaviour",
    "RoleBehaviour",
]


HOLDERS: Final[tuple[tuple[HolderKind, str], ...]] = (("user", "ada"), ("role", "one"), ("client", "one"))


def a_full_client() -> OAuthClient:
    """Return a client of which no field is as it usually is."""
    return a_client(
        "full",
        token_endpoint_auth_method="private_key_jwt",  # noqa: S106 - a name
        token_endpoint_auth_signing_alg="ES256",  # noqa: S106 - a name
        secret_expires_at=NOW + 0.5,
        sealed_secret=b"\0\xff",
        jwks=b'{"keys":[]}',
        jwks_uri="https://full.example/jwks",
        application_type="native",
        post_logout_redirect_uris=("https://full.example/bye",),
        grant_types=("refresh_token", "client_credentials"),
        response_types=(),
        scope=("openid", "read"),
        audiences=(),
        first_party=True,
        subject_type="pairwise",
        sector="full.example",
        sector_identifier_uri="https://full.example/sector",
        id_token_signed_response_alg="HS256",  # noqa: S106 - a name
        userinfo_signed_response_alg="ES256",
        default_max_age=0,
        require_auth_time=True,
        default_acr_values=("0",),
        require_pushed_authorization_requests=True,
        backchannel_logout_uri="https://full.example/back",
        backchannel_logout_session_required=True,
        frontchannel_logout_uri="https://full.example/front",
        frontchannel_logout_session_required=True,
        initiate_login_uri="https://full.example/sign-in",
        client_uri="https://full.example/",
        logo_uri="https://full.example/logo",
        policy_uri="https://full.example/policy",
        tos_uri="https://full.example/terms",
        contacts=("ops@full.example",),
        software_id="full",
        software_version="1",
        registered_by="itself",
        registration_digest=digest_of("registration"),
        address="192.0.2.1",
        disabled_at=NOW,
    )


class ClientBehaviour:
    """Of ``ClientRecords``."""

    @pytest.mark.parametrize("client", [a_client(), a_full_client()], ids=["usual", "full"])
    @scenario
    async def test_a_client_comes_back_as_it_was(self, storage: Storage, client: OAuthClient) -> None:
        assert await storage.records.find_client(client.id) is None
        assert await storage.records.add_client(client)
        assert await storage.records.find_client(client.id) == client
        assert await storage.records.find_client("client-other") is None

    @scenario
    async def test_an_identifier_belongs_to_one_client(self, storage: Storage) -> None:
        assert await storage.records.add_client(a_client())
        assert not await storage.records.add_client(a_client(name="Other"))
        assert not await storage.records.add_client(a_client())
        assert await storage.records.find_client("client-one") == a_client()

    @scenario
    async def test_clients_are_listed_page_by_page_in_the_order_of_their_identifiers(
        self, storage: Storage
    ) -> None:
        for name in ("c", "a", "b"):
            await storage.records.add_client(a_client(name))
        listed = await storage.records.list_clients(after="", limit=2)
        assert [client.id for client in listed] == ["client-a", "client-b"]
        assert await storage.records.list_clients(after="client-b", limit=2) == [a_client("c")]
        assert await storage.records.list_clients(after="client-c", limit=2) == []

    @scenario
    async def test_a_client_is_replaced_if_it_is_there(self, storage: Storage) -> None:
        assert not await storage.records.replace_client(a_client())
        await storage.records.add_client(a_client())
        await storage.records.add_client(a_client("other"))
        assert await storage.records.replace_client(a_client(name="Changed"))
        assert await storage.records.find_client("client-one") == a_client(name="Changed")
        assert await storage.records.find_client("client-other") == a_client("other")

    @scenario
    async def test_a_client_goes_with_its_permissions_and_leaves_those_of_others(
        self, storage: Storage
    ) -> None:
        records = storage.records
        await records.add_api(an_api())
        for name in ("one", "other"):
            await records.add_client(a_client(name))
            await records.put_permission(a_permission("client", name))
        assert await records.delete_client("client-one")
        assert not await records.delete_client("client-one")
        assert await records.list_permissions() == [a_permission("client", "other")]
        await records.add_client(a_client())
        assert await records.find_permission("client", "client-one", "https://one.example") is None


class APIBehaviour:
    """Of ``APIRecords``."""

    @scenario
    async def test_an_api_comes_back_as_it_was(self, storage: Storage) -> None:
        full = an_api(
            "full",
            scopes=(APIScope(name="b", for_everybody=True), APIScope(name="a", description="Ä")),
            token_lifetime=300,
            algorithm="HS256",
            sealed_secret=b"\0\xff",
        )
        for api in (an_api(scopes=()), full):
            assert await storage.records.add_api(api)
            assert not await storage.records.add_api(an_api(api.name.lower(), name="Other"))
            assert await storage.records.find_api(api.audience) == api
        assert await storage.records.find_api("https://one.example/") is None
        assert [api.audience for api in await storage.records.list_apis()] == [
            "https://full.example",
            "https://one.example",
        ]

    @scenario
    async def test_an_api_is_replaced_if_it_is_there(self, storage: Storage) -> None:
        assert not await storage.records.replace_api(an_api())
        await storage.records.add_api(an_api())
        assert await storage.records.replace_api(an_api(name="Changed"))
        assert await storage.records.list_apis() == [an_api(name="Changed")]

    @scenario
    async def test_an_api_goes_with_the_permissions_on_it(self, storage: Storage) -> None:
        records = storage.records
        await records.add_user(a_user())
        for name in ("one", "other"):
            await records.add_api(an_api(name))
            await records.put_permission(a_permission("user", "ada", name))
        assert await records.delete_api("https://one.example")
        assert not await records.delete_api("https://one.example")
        assert await records.list_permissions() == [a_permission("user", "ada", "other")]
        assert await records.user_scopes("user-ada", "https://one.example") == frozenset()


class RoleBehaviour:
    """Of ``RoleRecords``."""

    @scenario
    async def test_roles_come_back_as_they_were_in_the_order_of_their_names(self, storage: Storage) -> None:
        roles = [a_role("b", description="Ünlimited"), a_role("a", created_at=NOW + 0.5)]
        for role in roles:
            assert await storage.records.add_role(role)
        assert not await storage.records.add_role(a_role("a", description="other"))
        assert await storage.records.list_roles() == [roles[1], roles[0]]

    @scenario
    async def test_a_user_has_a_role_once(self, storage: Storage) -> None:
        records = storage.records
        for name in ("ada", "eve"):
            await records.add_user(a_user(name))
        for name in ("b", "a"):
            await records.add_role(a_role(name))
        assert await records.add_member("role-a", "user-eve")
        assert await records.add_member("role-a", "user-ada")
        assert await records.add_member("role-b", "user-ada")
        assert not await records.add_member("role-b", "user-ada")
        assert await records.list_members("role-a") == ["user-ada", "user-eve"]
        assert await records.list_roles_of("user-ada") == ["role-a", "role-b"]
        assert await records.remove_member("role-a", "user-ada")
        assert not await records.remove_member("role-a", "user-ada")
        assert await records.list_members("role-a") == ["user-eve"]
        assert await records.list_roles_of("user-ada") == ["role-b"]

    @scenario
    async def test_who_has_a_role_exists_and_so_does_the_role(self, storage: Storage) -> None:
        await storage.records.add_user(a_user())
        await storage.records.add_role(a_role())
        for role, user_id in (("role-other", "user-ada"), ("role-one", "user-eve")):
            with pytest.raises(RecordConflictError):
                await storage.records.add_member(role, user_id)

    @scenario
    async def test_a_role_goes_with_its_permissions_and_memberships(self, storage: Storage) -> None:
        records = storage.records
        await records.add_user(a_user())
        await records.add_api(an_api())
        for name in ("one", "other"):
            await records.add_role(a_role(name))
            await records.add_member(f"role-{name}", "user-ada")
            await records.put_permission(a_permission("role", name, "one", name))
        assert await records.delete_role("role-one")
        assert not await records.delete_role("role-one")
        assert await records.list_roles_of("user-ada") == ["role-other"]
        assert await records.user_scopes("user-ada", "https://one.example") == {"other"}
        assert await records.list_permissions() == [a_permission("role", "other", "one", "other")]

    @scenario
    async def test_a_user_goes_with_their_memberships_and_permissions(self, storage: Storage) -> None:
        records = storage.records
        await records.add_api(an_api())
        await records.add_role(a_role())
        for name in ("ada", "eve"):
            await records.add_user(a_user(name))
            await records.add_member("role-one", f"user-{name}")
            await records.put_permission(a_permission("user", name))
        await records.delete_user("user-ada")
        assert await records.list_members("role-one") == ["user-eve"]
        assert await records.list_permissions() == [a_permission("user", "eve")]


class PermissionBehaviour:
    """Of ``PermissionRecords``."""

    @scenario
    async def test_a_permission_is_set_replaced_and_by_nothing_deleted(self, storage: Storage) -> None:
        records = storage.records
        await _lay(storage)
        for kind, holder in HOLDERS:
            assert await records.find_permission(kind, f"{kind}-{holder}", "https://one.example") is None
            for scopes in (("read",), ("write", "read"), ("a:b/c?d=e",)):
                permission = a_permission(kind, holder, "one", *scopes)
                await records.put_permission(permission)
                found = await records.find_permission(kind, f"{kind}-{holder}", "https://one.example")
                assert found == permission
            assert await records.find_permission(kind, f"{kind}-{holder}", "https://other.example") is None
        assert len(await records.list_permissions()) == 3
        for kind, holder in HOLDERS:
            nothing = Permission(
                kind=kind, holder=f"{kind}-{holder}", audience="https://one.example", scopes=frozenset()
            )
            await records.put_permission(nothing)
            await records.put_permission(nothing)
        assert await records.list_permissions() == []

    @scenario
    async def test_the_same_name_of_another_kind_is_somebody_else(self, storage: Storage) -> None:
        records = storage.records
        await _lay(storage)
        await records.add_client(a_client("same", id="user-ada"))
        await records.add_role(a_role(name="user-ada"))
        await records.put_permission(
            Permission(
                kind="client",
                holder="user-ada",
                audience="https://one.example",
                scopes=frozenset({"write"}),
            )
        )
        assert await records.user_scopes("user-ada", "https://one.example") == frozenset()
        assert await records.find_permission("user", "user-ada", "https://one.example") is None
        assert await records.find_permission("role", "user-ada", "https://one.example") is None

    @scenario
    async def test_holder_and_api_exist(self, storage: Storage) -> None:
        await _lay(storage)
        for permission in (
            a_permission("user", "eve"),
            a_permission("role", "other"),
            a_permission("client", "other"),
            a_permission("user", "ada", "third"),
        ):
            with pytest.raises(RecordConflictError):
                await storage.records.put_permission(permission)

    @scenario
    async def test_only_those_that_are_named_are_listed_in_order(self, storage: Storage) -> None:
        records = storage.records
        await _lay(storage)
        of_user, of_role = a_permission("user", "ada", "one"), a_permission("role", "one", "one")
        of_client, elsewhere = a_permission("client", "one", "one"), a_permission("user", "ada", "other")
        for permission in (elsewhere, of_user, of_role, of_client):
            await records.put_permission(permission)
        assert await records.list_permissions() == [of_client, of_role, of_user, elsewhere]
        listed = records.list_permissions
        assert await listed(kind="user") == [of_user, elsewhere]
        assert await listed(audience="https://one.example") == [of_client, of_role, of_user]
        assert await listed(kind="role", audience="https://other.example") == []
        assert await listed(kind="role", holder="role-one") == [of_role]
        assert await listed(kind="client", holder="client-one") == [of_client]
        assert await listed(kind="user", holder="user-ada", audience="https://one.example") == [of_user]
        assert await listed(holder="user-ada") == [of_user, elsewhere]

    @scenario
    async def test_a_user_may_what_they_and_their_roles_may_and_no_more(self, storage: Storage) -> None:
        records = storage.records
        await _lay(storage)
        await records.add_user(a_user("eve"))
        await records.add_role(a_role("other"))
        await records.add_role(a_role("not-theirs"))
        for name in ("one", "other"):
            await records.add_member(f"role-{name}", "user-ada")
        for permission in (
            a_permission("user", "ada", "one", "a", "b"),
            a_permission("role", "one", "one", "b", "c"),
            a_permission("role", "other", "one", "d"),
            a_permission("role", "not-theirs", "one", "e"),
            a_permission("role", "one", "other", "f"),
            a_permission("client", "one", "one", "g"),
        ):
            await records.put_permission(permission)
        assert await records.user_scopes("user-ada", "https://one.example") == {"a", "b", "c", "d"}
        assert await records.user_scopes("user-ada", "https://other.example") == {"f"}
        assert await records.user_scopes("user-eve", "https://one.example") == frozenset()


async def _lay(storage: Storage) -> None:
    await storage.records.add_user(a_user())
    await storage.records.add_role(a_role())
    await storage.records.add_client(a_client())
    for name in ("one", "other"):
        await storage.records.add_api(an_api(name))


class InitialAccessTokenBehaviour:
    """Of ``InitialAccessTokenRecords``."""

    @scenario
    async def test_tokens_come_back_as_they_were_the_newest_first(self, storage: Storage) -> None:
        older = an_initial_access_token("older", expires_at=NOW + 0.5, uses_left=3)
        newer = an_initial_access_token("newer", created_at=NOW + 1)
        for token in (older, newer):
            await storage.records.add_initial_access_token(token)
        assert await storage.records.list_initial_access_tokens() == [newer, older]
        assert await storage.records.delete_initial_access_token("initial-newer")
        assert not await storage.records.delete_initial_access_token("initial-newer")
        assert await storage.records.list_initial_access_tokens() == [older]

    @scenario
    async def test_a_token_is_new(self, storage: Storage) -> None:
        await storage.records.add_initial_access_token(an_initial_access_token())
        for changes in ({"id": "initial-other"}, {"digest": digest_of("other")}):
            with pytest.raises(RecordConflictError):
                await storage.records.add_initial_access_token(an_initial_access_token(**changes))

    @scenario
    async def test_a_token_is_good_until_it_expires_and_as_often_as_it_says(self, storage: Storage) -> None:
        records = storage.records
        token = an_initial_access_token(expires_at=NOW + 10, uses_left=2)
        await records.add_initial_access_token(token)
        assert await records.use_initial_access_token(token.digest, at=NOW + 10) is None
        assert await records.use_initial_access_token(token.digest, at=NOW + 9.5) == token
        again = await records.use_initial_access_token(token.digest, at=NOW)
        assert again is not None
        assert again.uses_left == 1
        assert await records.use_initial_access_token(token.digest, at=NOW) is None
        assert await records.use_initial_access_token(digest_of("other"), at=NOW) is None
        (left,) = await records.list_initial_access_tokens()
        assert left.uses_left == 0

    @scenario
    async def test_a_token_without_limits_is_good_for_ever(self, storage: Storage) -> None:
        token = an_initial_access_token()
        await storage.records.add_initial_access_token(token)
        for _ in range(3):
            assert await storage.records.use_initial_access_token(token.digest, at=NOW + 1e9) == token

    @scenario
    async def test_of_several_callers_one_gets_the_last_use(self, storage: Storage) -> None:
        token = an_initial_access_token(uses_left=1)
        await storage.records.add_initial_access_token(token)
        uses = (storage.records.use_initial_access_token(token.digest, at=NOW) for _ in range(8))
        assert sorted(found is None for found in await asyncio.gather(*uses)) == [False, *[True] * 7]
