"""ASVS 5.0, chapter V8: authorization. Who may do what at the site, at its APIs, and to what is somebody's."""

import re
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from coatcheck.accounts.policy import ThrottlePolicy
from coatcheck.flows.provider.administering import ADMINISTRATION
from coatcheck.flows.provider.claims import CLAIMS_OF_SCOPES
from coatcheck.oauth.model import OAuthClient
from coatcheck.web.routes import all_routes
from tests.asvs.provider import (
    MACHINE,
    ORDERS,
    add_api,
    add_confidential_app,
    add_machine,
    ask,
    permit,
    redeemed,
    tokens_of,
    userinfo,
)
from tests.asvs.services import allowed_at, claims_of, service_of, status_at_site
from tests.web.authorizing import (
    CALLBACK,
    add_app,
    allowed,
    answer_in,
    asked,
    begun,
    decide,
    exchanged,
    sign_in,
)
from tests.web.sites import BROWSER, EMAIL, ORIGIN, PASSWORD, SESSION, Site, bearer, open_site

pytestmark = pytest.mark.anyio

DOCS = Path(__file__).parents[2] / "docs"
ROOT = "root@example.com"
EVE = "eve@example.com"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
FOREIGN = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
BODIES: dict[str, dict[str, Any]] = {
    "/admin/revocations": {"kind": "user", "value": EMAIL},
    "/admin/services": {"name": "x", "audience": ORDERS},
    "/admin/services/remove": {"name": "x"},
}


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def admin_paths(site: Site) -> dict[str, set[str]]:
    """Return all paths of administration, with the methods that each has."""
    routes: list[Any] = all_routes(site.server.app.site)
    found = {each.path: allowed_at(each) for each in routes if each.path.startswith("/admin")}
    return {
        path: {"GET", "POST"}.intersection(re.findall(r"\w+", allowed)) for path, allowed in found.items()
    }


async def answers_of_administration(site: Site, client: httpx.AsyncClient) -> set[int]:
    """Return what somebody is answered who asks for everything that administrators may."""
    paths = admin_paths(site)
    assert len(paths) >= 20
    statuses = set()
    for path, methods in paths.items():
        if "GET" in methods:
            statuses.add((await client.get(f"/auth{path}")).status_code)
        if "POST" in methods:
            statuses.add((await client.post(f"/auth{path}", json=BODIES.get(path, {}))).status_code)
    return statuses


# --- what is documented -------------------------------------------------------------------------------------


@pytest.mark.asvs("8.1.1")
async def test_v8_1_1_who_may_call_what_is_documented(site: Site) -> None:
    pages = "".join(page(f"{each}.md") for each in ("apis", "clients", "revocation"))
    assert all(f"`{scope}`" in pages for scope in ADMINISTRATION)
    for path, methods in admin_paths(site).items():
        base, _, last = path.rpartition("/")
        for method in methods:
            # In a row of its own, or at the end of the one for its neighbour.
            row = f"| `{method} {path}`"
            assert row in pages or (f", `/{last}` |" in pages and f"`{method} {base}" in pages), row
    # And whose data: one's own, whatever a client's token says.
    told = " ".join(page("userinfo.md").split())
    assert "are changed by who signed in here, and by nobody for them" in told


@pytest.mark.asvs("8.1.2")
def test_v8_1_2_which_claims_of_a_user_a_client_reads_is_documented() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|$", page("userinfo.md"), re.MULTILINE))
    told = {scope: tuple(re.findall(r"`(\w+)`", rows[scope])) for scope in CLAIMS_OF_SCOPES}
    assert told == CLAIMS_OF_SCOPES
    assert "says nothing of `audiences`" in page("registration.md")


@pytest.mark.asvs("8.1.3")
@pytest.mark.asvs("8.1.4")
def test_v8_1_3_what_else_decides_is_documented_with_what_it_does() -> None:
    limits = page("accounts.md")
    names = [name for name, rate in msgspec.structs.asdict(ThrottlePolicy()).items() if rate is not None]
    assert [name for name in names if f"| `{name}` |" not in limits] == []
    binding = page("sessions.md").partition("## Binding")[2]
    assert all(words in binding for words in ("`user-agent`", "`address`", "a session ends if it shows up"))
    step_up = page("services.md").partition("## Step-up")[2].partition("\n## ")[0]
    assert "max_age" in step_up
    assert "insufficient_user_authentication" in step_up


# --- functions ----------------------------------------------------------------------------------------------


@pytest.mark.asvs("8.2.1")
@pytest.mark.asvs("8.3.1")
async def test_v8_2_1_nobody_administers_without_the_scope_however_they_come(site: Site) -> None:
    """Forced browsing: all functions of administration are asked for directly, past every page."""
    await site.add_user(EVE, scopes="coatcheck coatcheck:administrator admin read")
    await add_machine(site)
    machine = (await ask(site, "token", secret_of="machine", **MACHINE)).json()["access_token"]
    async with site.program() as program:
        assert await answers_of_administration(site, program) == {401}
        for token in ((await site.tokens(EVE))["access_token"], machine):
            program.headers.update(bearer(token))
            assert await answers_of_administration(site, program) <= {401, 403}
    async with site.signed_in_browser(EVE) as browser:
        assert await answers_of_administration(site, browser) == {403}


@pytest.mark.asvs("8.2.1")
async def test_v8_2_1_an_app_of_an_administrator_may_only_what_was_granted_to_it(site: Site) -> None:
    """The confused deputy: a client with the token of somebody who may everything."""
    await site.add_user(ROOT, scopes="coatcheck:admin read")
    await add_app(site)
    async with site.browser() as browser, site.program() as program:
        await sign_in(browser, email=ROOT)
        program.headers.update(bearer((await tokens_of(site, browser, scope="openid read"))["access_token"]))
        assert await answers_of_administration(site, program) == {403}
        for path, body in {
            "account/password": {"current_password": PASSWORD, "new_password": "something else entirely"},
            "account/email": {"new_email": EVE},
            "account/delete": {"confirm": "yes"},
            "account/profile": {"name": "Eve"},
            "devices/end-all": {},
            "applications/remove": {"client_id": "app"},
        }.items():
            assert (await program.post(f"/auth/{path}", json=body)).status_code == 403, path
        assert (await browser.get("/auth/session")).status_code == 200


@pytest.mark.asvs("8.2.1")
async def test_v8_2_1_who_manages_apis_or_clients_does_not_thereby_administer_the_site(site: Site) -> None:
    await site.add_user(EVE, scopes="coatcheck:apis coatcheck:clients")
    async with site.signed_in_browser(EVE) as browser:
        given = {"kind": "user", "holder": EVE, "api": ORIGIN, "scopes": ["coatcheck:admin"]}
        refused = await browser.post("/auth/admin/permissions/grant", json=given)
        assert (refused.status_code, refused.json()["scope"]) == (403, "coatcheck:admin")
        assert (await browser.get("/auth/admin/revocations")).status_code == 403


# --- objects ------------------------------------------------------------------------------------------------


@pytest.mark.asvs("8.2.2")
async def test_v8_2_2_nobody_ends_the_session_of_somebody_else_by_its_name(site: Site) -> None:
    await site.add_user(EVE)
    token = (await site.tokens())["access_token"]
    async with site.signed_in_browser(EVE) as browser:
        assert claims_of(token)["sid"] not in (await browser.get("/auth/devices")).text
        await browser.post("/auth/devices/end", data={"session_id": claims_of(token)["sid"]})
        await browser.post("/auth/devices/end-all")
    assert await status_at_site(site, token) == 200


@pytest.mark.asvs("8.2.2")
async def test_v8_2_2_a_client_gets_nothing_out_of_what_is_another_clients(site: Site) -> None:
    """Codes, refresh tokens, access tokens and pushed requests in the hands of a client that they are not for."""
    await add_app(site)
    await add_confidential_app(site, id="other")
    async with site.browser() as browser:
        code = (await allowed(browser))["code"]
        tokens = await tokens_of(site, browser)
        of_another = {name: value for name, value in asked().items() if name != "client_id"}
        uri = (await ask(site, "par", secret_of="other", **of_another)).json()["request_uri"]
        query = {"client_id": "app", "request_uri": uri}
        assert (await browser.get("/auth/authorize", params=query)).status_code == 400
    refused = await redeemed(site, code, client_id="other")
    assert refused.json()["error"] == "invalid_grant"
    for token in (tokens["refresh_token"], tokens["access_token"]):
        assert (await ask(site, "revoke", secret_of="other", token=token)).status_code == 200
    assert (await userinfo(site, tokens["access_token"])).status_code == 200
    given = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert (await ask(site, "token", secret_of="other", **given)).json()["error"] == "invalid_grant"
    assert (await ask(site, "token", client_id="app", **given)).status_code == 200


@pytest.mark.asvs("8.2.2")
async def test_v8_2_2_a_client_that_registered_itself_manages_itself_alone() -> None:
    document = {"redirect_uris": [CALLBACK], "id_token_signed_response_alg": "ES256"}
    async with open_site(registration="open") as site, site.program() as program:
        mine, other = [(await program.post("/auth/register", json=document)).json() for _ in range(2)]
        headers = bearer(mine["registration_access_token"])
        of_another = document | {"client_id": other["client_id"]}
        for method, sent in (("GET", None), ("PUT", of_another), ("DELETE", None)):
            uri = other["registration_client_uri"]
            refused = await program.request(method, uri, headers=headers, json=sent)
            assert refused.status_code == 401
        own = bearer(other["registration_access_token"])
        assert (await program.get(other["registration_client_uri"], headers=own)).status_code == 200


# --- fields -------------------------------------------------------------------------------------------------


@pytest.mark.asvs("8.2.3")
async def test_v8_2_3_a_client_reads_the_claims_of_its_scopes_and_no_others(site: Site) -> None:
    await add_app(site)
    async with site.signed_in_browser() as browser:
        form = {"name": "Ann", "phone_number": "+44 20 7946 0000"}
        assert (await browser.post("/auth/account/profile", data=form)).status_code == 303
        seen = {}
        for scope in ("openid", "openid email", "openid profile", "openid phone"):
            token = (await tokens_of(site, browser, scope=scope))["access_token"]
            seen[scope] = set((await userinfo(site, token)).json()) - {"sub", "updated_at"}
    assert seen == {
        "openid": set(),
        "openid email": {"email", "email_verified"},
        "openid profile": {"name"},
        "openid phone": {"phone_number", "phone_number_verified"},
    }


@pytest.mark.asvs("8.2.3")
async def test_v8_2_3_users_change_of_their_accounts_what_is_theirs_to_change(site: Site) -> None:
    """Mass assignment: members that no form has, sent to it all the same."""
    more = {
        "scopes": "coatcheck:admin",
        "scope": "coatcheck:admin",
        "email": EVE,
        "phone_number_verified": True,
    }
    more |= {"id": "x", "disabled_at": None, "email_verified": True, "role": "clerk"}
    async with site.signed_in_browser() as browser:
        await browser.post("/auth/account/profile", json={"name": "Ann"} | more)
    user = await site.server.flows.administration.find_user(EMAIL)
    assert (user.scopes, user.email) == (frozenset(), EMAIL)
    profile = await site.server.flows.provider.profiles.get(user.id)
    assert set(profile) <= {"name"}


@pytest.mark.asvs("8.2.3")
async def test_v8_2_3_a_client_that_registers_itself_says_nothing_that_is_the_operators_to_say() -> None:
    """Mass assignment of metadata: to belong to the house, to have another's name, or a digest of one's own making."""
    hostile = {
        "redirect_uris": [CALLBACK],
        "id_token_signed_response_alg": "ES256",
        "first_party": True,
        "audiences": [ORIGIN],
        "registered_by": "administrator",
        "client_id": "chosen",
        "id": "chosen",
        "secret_digest": "00",
    }
    async with open_site(registration="open") as site, site.program() as program:
        answer = (await program.post("/auth/register", json=hostile)).json()
        uri, headers = answer["registration_client_uri"], bearer(answer["registration_access_token"])
        again = hostile | {"client_id": answer["client_id"], "client_secret": answer["client_secret"]}
        assert (await program.put(uri, json=again, headers=headers)).status_code == 200
        client: OAuthClient | None = await site.server.storage.records.find_client(answer["client_id"])
        assert client is not None
        assert (client.first_party, client.audiences, client.registered_by) == (False, None, "itself")
        assert await site.server.storage.records.find_client("chosen") is None


# --- circumstances ------------------------------------------------------------------------------------------


@pytest.mark.asvs("8.2.4")
async def test_v8_2_4_a_session_that_shows_up_elsewhere_ends() -> None:
    async with open_site(session_binding="user-agent") as site:
        await site.add_user()
        async with site.signed_in_browser() as browser:
            stolen = browser.cookies[SESSION]
            assert (await browser.get("/auth/session")).status_code == 200
        elsewhere = BROWSER | {"user-agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0.0.0"}
        async with site.client(elsewhere, cookies={SESSION: stolen}) as thief:
            assert (await thief.get("/auth/session", headers={"accept": "*/*"})).status_code == 401


@pytest.mark.asvs("8.2.4")
async def test_v8_2_4_guessing_from_one_network_is_slowed_there(site: Site) -> None:
    statuses = set()
    async with site.program() as program:
        for _ in range(40):
            wrong = {"email": EMAIL, "password": "wrong and long"}
            statuses.add((await program.post("/auth/sign-in", json=wrong)).status_code)
            if 429 in statuses:
                break
    assert 429 in statuses


@pytest.mark.asvs("8.4.2")
@pytest.mark.asvs("8.2.4")
async def test_v8_4_2_to_administer_takes_more_than_a_session_of_an_administrator(site: Site) -> None:
    """Several layers: who it is, what they may, where the request comes from, and how lately they proved it."""
    await site.add_user(ROOT, scopes="coatcheck:admin")
    body = {"audience": ORDERS, "scopes": [{"name": "orders:read"}]}
    async with site.signed_in_browser(ROOT) as browser:
        forged = await browser.post("/auth/admin/apis", json=body, headers=FOREIGN)
        assert (forged.status_code, forged.json()["code"]) == (403, "cross_site_request")
        site.clock.now += 3600
        stale = await browser.post("/auth/admin/apis", json=body)
        assert (stale.status_code, stale.json()["code"]) == (401, "insufficient_user_authentication")
        assert (await browser.post("/auth/re-authenticate", data={"password": PASSWORD})).status_code == 303
        assert (await browser.post("/auth/admin/apis", json=body)).status_code == 201
        # Not for a moment longer than they may.
        await site.server.flows.administration.set_scopes(ROOT, frozenset())
        assert (await browser.get("/auth/admin/apis")).status_code in {401, 403}


# --- enforcement --------------------------------------------------------------------------------------------


@pytest.mark.asvs("8.3.1")
async def test_v8_3_1_what_a_page_sends_back_grants_nothing_that_the_server_has_not_found(site: Site) -> None:
    """A consent whose hidden fields were changed: more scopes, and somebody else's session."""
    await add_api(site, "orders:write", everybody="orders:read")
    await add_app(site)
    async with site.browser() as browser:
        await sign_in(browser)
        asked_for = {"scope": "openid orders:read orders:write", "resource": ORDERS}
        back = await begun(browser, **asked_for)
        wider = "openid email orders:read orders:write coatcheck:admin"
        code = answer_in(await decide(browser, back, "allow", scope=wider))["code"]
        granted = (await exchanged(site, code)).json()["scope"].split()
        assert set(granted) == {"openid", "orders:read"}
        back = await begun(browser, scope="openid phone")
        again = await decide(browser, back, "allow", session_id="of-somebody-else")
        assert "asks for access" in again.text


@pytest.mark.asvs("8.3.2")
async def test_v8_3_2_what_is_taken_away_is_gone_from_tokens_that_are_out(site: Site) -> None:
    """By a role, and by a permission of one's own: a service that verifies by itself refuses with the next word."""
    roles, permissions = site.server.flows.provider.roles, site.server.flows.provider.permissions
    await add_api(site, "orders:read", "orders:write")
    await add_app(site)
    await roles.add("clerk")
    await permit(site, "role", "clerk", "orders:write")
    await roles.give("clerk", EMAIL, actor="administrator")
    await permit(site, "user", EMAIL, "orders:read")
    service = service_of(site, audience=ORDERS)
    async with site.browser() as browser:
        scope = "orders:read orders:write"
        token = (await tokens_of(site, browser, scope=scope, resource=ORDERS))["access_token"]
        assert (await service.principal(token)).scopes == set(scope.split())
        site.clock.now += 1
        await roles.take("clerk", EMAIL, actor="administrator")
        assert await service.reason(token) == "revoked-user"
        site.clock.now += 1
        token = (await tokens_of(site, browser, scope=scope, resource=ORDERS))["access_token"]
        assert (await service.principal(token)).scopes == {"orders:read"}
        site.clock.now += 1
        await permissions.withdraw("user", EMAIL, ORDERS, actor="administrator")
        assert await service.reason(token) == "revoked-user"


@pytest.mark.asvs("8.3.3")
async def test_v8_3_3_a_client_with_permissions_of_its_own_does_not_lend_them_to_users(site: Site) -> None:
    """The confused deputy: what a machine may by itself, and what a user may who asks through it, never add up."""
    await add_api(site, "orders:admin", everybody="orders:read")
    grants = ("authorization_code", "client_credentials", JWT_BEARER)
    await add_confidential_app(site, grant_types=grants, first_party=True)
    await permit(site, "client", "app", "orders:admin")
    user = await site.server.flows.administration.find_user(EMAIL)
    async with site.browser() as browser:
        await sign_in(browser)
        code = (await allowed(browser, scope="orders:read orders:admin", resource=ORDERS))["code"]
    mine = (await redeemed(site, code, client_id="app")).json()
    assert claims_of(mine["access_token"])["sub"] == user.id
    assert mine["scope"] == "orders:read"
    own = (await ask(site, "token", secret_of="app", **MACHINE, resource=ORDERS)).json()
    assert (claims_of(own["access_token"])["sub"], own["scope"]) == ("app", "orders:admin")
    # Nor is there any way to ask for a token about a user without that user: see RFC 7523 section 2.1.
    bearer_grant = {"grant_type": JWT_BEARER, "assertion": mine["access_token"]}
    refused = await ask(site, "token", secret_of="app", **bearer_grant)
    assert refused.json()["error"] == "invalid_grant"
