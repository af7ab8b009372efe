"""Clients, APIs, roles and permissions over the web: by a user with a token, by a browser, and by a machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from coatcheck.oauth.model import API
from coatcheck.oauth.registration import ClientMetadata, read_metadata
from tests.web.sites import EMAIL, Site, bearer

pytestmark = pytest.mark.anyio

ADMIN = "root@example.com"
BASE = "/auth/admin"
API_URI = "https://api.example"
WEB = {
    "client_name": "My App",
    "redirect_uris": ["https://app.example/callback"],
    "id_token_signed_response_alg": "ES256",
}
ROUTES: dict[str, dict[str, Any] | None] = {
    "clients": None,
    "apis": None,
    "roles": None,
    "permissions": None,
    "clients ": {"metadata": WEB},
    "clients/change": {"client_id": "x", "metadata": {}},
    "clients/secret": {"client_id": "x"},
    "clients/key": {"client_id": "x"},
    "clients/disable": {"client_id": "x"},
    "clients/enable": {"client_id": "x"},
    "clients/remove": {"client_id": "x"},
    "apis ": {"audience": API_URI},
    "apis/change": {"audience": API_URI},
    "apis/secret": {"audience": API_URI},
    "apis/remove": {"audience": API_URI},
    "roles ": {"name": "clerk"},
    "roles/remove": {"name": "clerk"},
    "roles/give": {"role": "clerk", "user": EMAIL},
    "roles/take": {"role": "clerk", "user": EMAIL},
    "permissions/grant": {"kind": "user", "holder": EMAIL, "api": API_URI, "scopes": ["a"]},
    "permissions/withdraw": {"kind": "user", "holder": EMAIL, "api": API_URI},
}
"""Every route: what is sent to it, or ``None`` where it is asked."""


async def ask(client: httpx.AsyncClient, route: str) -> httpx.Response:
    body, path = ROUTES[route], f"{BASE}/{route.strip()}"
    return await client.get(path) if body is None else await client.post(path, json=body)


def needed(route: str) -> str:
    return "coatcheck:clients" if route.startswith("clients") else "coatcheck:apis"


@pytest.fixture
async def program(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with a_program(site, "coatcheck:admin") as program:
        yield program


@asynccontextmanager
async def a_program(site: Site, scopes: str) -> AsyncIterator[httpx.AsyncClient]:
    """Give a program with the token of a user who has these scopes."""
    await site.add_user(ADMIN, scopes=scopes)
    async with with_token(site, (await site.tokens(ADMIN))["access_token"]) as program:
        yield program


def with_token(site: Site, token: str) -> httpx.AsyncClient:
    program = site.program()
    program.headers.update(bearer(token))
    return program


async def a_machine(site: Site, *scopes: str) -> tuple[str, str]:
    """Register a machine that may administer; return its identifier and a token of its own."""
    provider, context = site.server.flows.provider, site.server.flows.context
    metadata = ClientMetadata(client_name="Robot", grant_types=("client_credentials",), response_types=())
    client, _ = await provider.clients.add(metadata, actor="administrator")
    own = context.access_tokens.audience
    if scopes:
        await provider.permissions.grant("client", client.id, own, scopes=scopes, actor="administrator")
    await context.ledger.catch_up()
    site.clock.now += 1
    return client.id, await machine_token(site, client.id, scopes, api=await provider.apis.get(own))


async def machine_token(site: Site, client_id: str, scopes: tuple[str, ...], *, api: API) -> str:
    issued = await site.server.flows.provider.issuer.access_token(
        api=api,
        subject=client_id,
        client_id=client_id,
        scope=scopes,
        session=None,
        ends_at=None,
        with_issuer=False,
        at=site.clock(),
    )
    return issued.token


# --- what can be done ---------------------------------------------------------------------------------------


async def test_a_client_is_registered_changed_switched_and_removed(program: httpx.AsyncClient) -> None:
    added = await program.post(f"{BASE}/clients", json={"metadata": WEB | {"first_party": True}})
    assert (added.status_code, added.headers["cache-control"]) == (201, "no-store")
    told = added.json()
    assert told["client_secret"].startswith("ccs_")
    assert (told["client_name"], told["first_party"], told["disabled"]) == ("My App", True, False)
    named = {"client_id": told["client_id"]}
    changed = await program.post(
        f"{BASE}/clients/change", json=named | {"metadata": {"client_name": "Other", "first_party": None}}
    )
    assert (changed.json()["client_name"], changed.json()["first_party"]) == ("Other", False)
    assert "client_secret" not in changed.json()
    renewed = (await program.post(f"{BASE}/clients/secret", json=named)).json()
    assert renewed["client_secret"] != told["client_secret"]
    assert (await program.post(f"{BASE}/clients/disable", json=named)).json() == {"ended_sessions": 0}
    shown = (await program.get(f"{BASE}/clients", params=named)).json()
    assert (shown["disabled"], "client_secret" in shown) == (True, False)
    assert (await program.post(f"{BASE}/clients/enable", json=named)).status_code == 204
    listed = (await program.get(f"{BASE}/clients")).json()
    assert ([each["client_id"] for each in listed["clients"]], listed["after"]) == ([told["client_id"]], None)
    assert (await program.post(f"{BASE}/clients/remove", json=named)).json() == {"ended_sessions": 0}
    assert (await program.get(f"{BASE}/clients", params=named)).json()["code"] == "unknown_client"


async def test_a_client_is_given_a_key(program: httpx.AsyncClient) -> None:
    metadata = {
        "client_name": "Robot",
        "grant_types": ["client_credentials"],
        "response_types": [],
        "token_endpoint_auth_method": "private_key_jwt",
    }
    named = {
        "client_id": (await program.post(f"{BASE}/clients", json={"metadata": metadata})).json()["client_id"]
    }
    told = (await program.post(f"{BASE}/clients/key", json=named | {"algorithm": "Ed25519"})).json()
    assert "d" in told["key"]
    assert [each["kid"] for each in told["jwks"]["keys"]] == [told["key"]["kid"]]
    assert "d" not in told["jwks"]["keys"][0]


async def test_an_api_is_registered_changed_and_removed(program: httpx.AsyncClient) -> None:
    scopes = [{"name": "read", "description": "Read", "for_everybody": True}]
    added = await program.post(
        f"{BASE}/apis",
        json={"audience": API_URI, "scopes": scopes, "algorithm": "HS256", "token_lifetime": 60},
    )
    assert added.status_code == 201
    assert added.json()["secret"].startswith("cca_")
    assert (added.json()["scopes"], added.json()["token_lifetime"]) == (scopes, 60)
    named = {"audience": API_URI}
    again = await program.post(f"{BASE}/apis/secret", json=named)
    assert again.json()["secret"] != added.json()["secret"]
    changed = await program.post(f"{BASE}/apis/change", json=named | {"name": "Shop"})
    assert (changed.json()["name"], changed.json()["token_lifetime"]) == ("Shop", 60)
    changed = await program.post(f"{BASE}/apis/change", json=named | {"token_lifetime": None})
    assert changed.json()["token_lifetime"] is None
    changed = await program.post(f"{BASE}/apis/change", json=named | {"token_lifetime": 120})
    assert changed.json()["token_lifetime"] == 120
    assert (await program.get(f"{BASE}/apis", params=named)).json()["audience"] == API_URI
    listed = (await program.get(f"{BASE}/apis")).json()["apis"]
    assert [each["audience"] for each in listed][1:] == [API_URI]
    assert "secret" not in listed[1]
    assert (await program.post(f"{BASE}/apis/remove", json=named)).status_code == 204


async def test_roles_and_permissions_are_given_and_taken(site: Site, program: httpx.AsyncClient) -> None:
    user = await site.add_user()
    await program.post(f"{BASE}/apis", json={"audience": API_URI, "scopes": [{"name": "read"}]})
    assert (await program.post(f"{BASE}/roles", json={"name": "clerk"})).status_code == 201
    membership = {"role": "clerk", "user": EMAIL}
    assert (await program.post(f"{BASE}/roles/give", json=membership)).json() == {"changed": True}
    assert (await program.get(f"{BASE}/roles")).json() == {"roles": [{"name": "clerk", "description": ""}]}
    members = (await program.get(f"{BASE}/roles", params={"role": "clerk"})).json()["members"]
    assert members == [{"id": user.id, "email": EMAIL}]
    assert (await program.get(f"{BASE}/roles", params={"user": EMAIL})).json()["roles"] == ["clerk"]
    given = {"kind": "role", "holder": "clerk", "api": API_URI, "scopes": ["read"]}
    assert (await program.post(f"{BASE}/permissions/grant", json=given)).json() == given
    listed = await program.get(f"{BASE}/permissions", params={"kind": "role", "holder": "clerk"})
    assert listed.json() == {"permissions": [given]}
    taken = await program.post(f"{BASE}/permissions/withdraw", json=given | {"scopes": None})
    assert taken.json()["scopes"] == []
    assert (await program.post(f"{BASE}/roles/take", json=membership)).json() == {"changed": True}
    assert (await program.post(f"{BASE}/roles/remove", json={"name": "clerk"})).status_code == 204


@pytest.mark.parametrize(
    "path, body, status, code",
    [
        ("clients", {"metadata": {}}, 400, "invalid_redirect_uri"),
        ("clients", {"metadata": WEB | {"client_name": "P\u0430ypal"}}, 400, "invalid_client_metadata"),
        ("clients", {"metadata": WEB | {"client_name": 7}}, 400, "invalid_client_metadata"),
        ("clients", {"metadata": []}, 400, "malformed_request"),
        ("clients", {}, 400, "malformed_request"),
        ("clients/key", {"client_id": "x" * 60_000}, 404, "unknown_client"),
        ("clients/secret", {"client_id": 7}, 400, "malformed_request"),
        ("apis", {"audience": "orders"}, 422, "invalid_api"),
        ("apis", {"audience": API_URI, "token_lifetime": 10**18}, 422, "invalid_api"),
        ("apis", {"audience": API_URI, "token_lifetime": -1}, 422, "invalid_api"),
        ("apis", {"audience": API_URI, "scopes": [{"name": "a b"}]}, 422, "invalid_api"),
        ("apis", {"audience": "https://testserver"}, 409, "api_taken"),
        ("apis/remove", {"audience": API_URI}, 404, "unknown_api"),
        ("roles", {"name": "a b"}, 422, "invalid_role"),
        ("roles/remove", {"name": "a b"}, 404, "unknown_role"),
        ("roles/give", {"role": "x", "user": EMAIL}, 404, "unknown_role"),
        (
            "permissions/grant",
            {"kind": "nobody", "holder": "x", "api": API_URI, "scopes": []},
            400,
            "malformed_request",
        ),
        (
            "permissions/grant",
            {"kind": "user", "holder": "x", "api": API_URI, "scopes": []},
            404,
            "unknown_api",
        ),
    ],
    ids=range(18),
)
async def test_what_cannot_be_done_is_told(
    program: httpx.AsyncClient, *, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    refused = await program.post(f"{BASE}/{path}", json=body)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert len(refused.text) < 500


# --- who may do it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ROUTES)
async def test_nobody_administers_without_being_known(site: Site, route: str) -> None:
    async with site.program() as program:
        assert (await ask(program, route)).status_code == 401


@pytest.mark.parametrize("route", ROUTES)
async def test_attack_another_scope_of_administration_is_not_this_one(site: Site, route: str) -> None:
    other = ({"coatcheck:clients", "coatcheck:apis"} - {needed(route)}).pop()
    async with a_program(site, f"{other} read") as program:
        refused = await ask(program, route)
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert refused.json()["scope"] == needed(route)


@pytest.mark.parametrize("route", ROUTES)
async def test_who_has_the_scope_administers_a_user_or_a_machine(site: Site, route: str) -> None:
    async with a_program(site, needed(route)) as program:
        assert (await ask(program, route)).status_code not in {401, 403}
    _, token = await a_machine(site, needed(route))
    async with with_token(site, token) as program:
        assert (await ask(program, route)).status_code not in {401, 403}


async def test_a_machine_stands_in_the_ledger_by_its_name(site: Site) -> None:
    client_id, token = await a_machine(site, "coatcheck:clients")
    async with with_token(site, token) as program:
        added = (await program.post(f"{BASE}/clients", json={"metadata": WEB})).json()
        await program.post(f"{BASE}/clients/remove", json={"client_id": added["client_id"]})
    entry = (await site.server.flows.revoking.history())[0]
    assert (entry.kind, entry.value, entry.actor) == ("client", added["client_id"], f"client:{client_id}")


async def test_attack_a_machine_whose_permission_was_withdrawn_administers_no_more(site: Site) -> None:
    client_id, token = await a_machine(site, "coatcheck:clients")
    own = site.server.flows.context.access_tokens.audience
    permissions = site.server.flows.provider.permissions
    site.clock.now += 1
    await permissions.withdraw("client", client_id, own, actor="administrator")
    async with with_token(site, token) as program:
        assert (await program.get(f"{BASE}/clients")).json()["code"] == "invalid_token"
        # Even where the ledger had nothing to say: what it may is looked up.
        site.clock.now += 1
        api = await site.server.flows.provider.apis.get(own)
        program.headers.update(bearer(await machine_token(site, client_id, ("coatcheck:clients",), api=api)))
        assert (await program.get(f"{BASE}/clients")).json()["code"] == "insufficient_scope"


async def test_attack_a_machine_that_is_switched_off_or_removed_administers_no_more(site: Site) -> None:
    own = await site.server.flows.provider.apis.get(site.server.flows.context.access_tokens.audience)
    clients = site.server.flows.provider.clients
    for end in (clients.disable, clients.remove):
        client_id, token = await a_machine(site, "coatcheck:clients")
        await end(client_id, actor="administrator")
        site.clock.now += 1
        later = await machine_token(site, client_id, ("coatcheck:clients",), api=own)
        for each in (token, later):
            async with with_token(site, each) as program:
                refused = await program.get(f"{BASE}/clients")
                assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")


async def test_attack_a_machines_token_for_another_api_does_not_administer(site: Site) -> None:
    provider = site.server.flows.provider
    client_id, _ = await a_machine(site, "coatcheck:clients")
    other, _ = await provider.apis.add(API_URI)
    shared, _ = await provider.apis.add("https://shared.example", algorithm="HS256")
    for api in (other, shared):
        token = await machine_token(site, client_id, ("coatcheck:clients",), api=api)
        async with with_token(site, token) as program:
            assert (await program.get(f"{BASE}/clients")).status_code == 401


async def test_attack_who_manages_apis_cannot_make_an_administrator(site: Site) -> None:
    await site.add_user()
    own = site.server.flows.context.access_tokens.audience
    async with a_program(site, "coatcheck:apis") as program:
        for api in (own, f"{own}/"):
            given = {"kind": "user", "holder": ADMIN, "api": api, "scopes": ["coatcheck:admin"]}
            for path in ("grant", "withdraw"):
                refused = await program.post(f"{BASE}/permissions/{path}", json=given)
                assert (refused.status_code, refused.json()["scope"]) == (403, "coatcheck:admin")
            changed = {"audience": api, "name": "Clock", "scopes": [{"name": "coatcheck:admin"}]}
            refused = await program.post(f"{BASE}/apis/change", json=changed)
            assert (refused.status_code, refused.json()["scope"]) == (403, "coatcheck:admin")
    found = await site.server.flows.administration.find_user(ADMIN)
    assert found.scopes == {"coatcheck:apis"}


async def test_attack_who_manages_clients_cannot_become_a_machine_that_may_more(site: Site) -> None:
    powerful, _ = await a_machine(site, "coatcheck:admin")
    equal, _ = await a_machine(site, "coatcheck:clients")
    async with a_program(site, "coatcheck:clients") as program:
        for route in [each for each in ROUTES if each.startswith("clients/")]:
            body = (ROUTES[route] or {}) | {"client_id": powerful}
            refused = await program.post(f"{BASE}/{route}", json=body)
            assert (refused.status_code, refused.json()["scope"]) == (403, "coatcheck:admin"), route
        assert (await program.post(f"{BASE}/clients/secret", json={"client_id": equal})).status_code == 200


async def test_attack_who_manages_clients_cannot_make_one_that_nobody_is_asked_about(site: Site) -> None:
    """An administrator who follows a link would be enough for it to administer."""
    clients = site.server.flows.provider.clients
    own, _ = await clients.add(read_metadata(WEB | {"first_party": True}), actor="administrator")
    other, _ = await clients.add(read_metadata(WEB), actor="administrator")
    elsewhere = {"redirect_uris": ["https://evil.example/callback"]}
    async with a_program(site, "coatcheck:clients") as program:
        for path, body in (
            ("clients", {"metadata": WEB | {"first_party": True}}),
            ("clients/change", {"client_id": other.id, "metadata": {"first_party": True}}),
            ("clients/change", {"client_id": own.id, "metadata": elsewhere}),
            ("clients/secret", {"client_id": own.id}),
        ):
            refused = await program.post(f"{BASE}/{path}", json=body)
            assert (refused.status_code, refused.json()["scope"]) == (403, "coatcheck:admin"), path
        body = {"client_id": other.id, "metadata": elsewhere}
        assert (await program.post(f"{BASE}/clients/change", json=body)).status_code == 200


async def test_attack_a_page_elsewhere_registers_no_client_with_somebodys_cookie(site: Site) -> None:
    await site.add_user(scopes="coatcheck:admin")
    async with site.signed_in_browser() as browser:
        body = {"metadata": WEB}
        for headers in (
            {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
            {"sec-fetch-site": "same-site", "origin": "https://other.testserver"},
        ):
            forged = await browser.post(f"{BASE}/clients", json=body, headers=headers)
            assert (forged.status_code, forged.json()["code"]) == (403, "cross_site_request")
        assert (await browser.post(f"{BASE}/clients", json=body)).status_code == 201
        # And not after hours at an open screen, either.
        site.clock.now += 3600
        stale = await browser.post(f"{BASE}/clients", json=body)
        assert (stale.status_code, stale.json()["code"]) == (401, "insufficient_user_authentication")
        assert (await browser.get(f"{BASE}/clients")).status_code == 200
