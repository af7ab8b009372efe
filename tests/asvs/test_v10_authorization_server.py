"""ASVS 5.0, chapter V10, section 4: the authorization server."""

from typing import Any

import httpx
import pytest

from coatcheck._core import json
from coatcheck._core.secrets import new_token
from coatcheck.jose import Key, jwt
from coatcheck.jose.hazmat import NO_EXPIRY
from coatcheck.oauth.vocabulary import JWT_BEARER_ASSERTION
from coatcheck.sessions.policy import RefreshPolicy
from tests.asvs.provider import (
    MACHINE,
    ORDERS,
    add_api,
    add_confidential_app,
    add_machine,
    ask,
    let_in,
    metadata_of,
    permit,
    redeemed,
    userinfo,
)
from tests.asvs.services import claims_of, service_of, status_at_site
from tests.web.authorizing import (
    CALLBACK,
    SECRET,
    add_app,
    allowed,
    answer_in,
    asked,
    begun,
    exchanged,
    sign_in,
)
from tests.web.sites import ORIGIN, Site, open_site

pytestmark = pytest.mark.anyio

DAY = 24 * 3600.0


async def refresh(site: Site, token: str, **more: str) -> httpx.Response:
    return await ask(site, "token", grant_type="refresh_token", refresh_token=token, **more)


async def authorize(browser: httpx.AsyncClient, **changes: str | None) -> httpx.Response:
    return await browser.get("/auth/authorize", params=asked(**changes))


@pytest.mark.asvs("10.4.1")
@pytest.mark.asvs("3.7.2")
async def test_v10_4_1_answers_go_to_registered_addresses_letter_by_letter(site: Site) -> None:
    await add_app(site, first_party=True)
    await add_app(site, id="other", redirect_uris=("https://other.example/cb",))
    hostile = (
        *(f"{CALLBACK}{end}" for end in ("/", "?x=1", "#x", "/../evil", "%2f", ".evil.example", " ")),
        *(
            "https://APP.example/cb",
            "http://app.example/cb",
            "https://app.example:443/cb",
            "//app.example/cb",
        ),
        *("https://app.example@evil.example/cb", "https://app.example\\@evil.example/cb"),
        *("https://other.example/cb", "https://*.example/cb", "javascript:alert(1)", "https://app.example"),
    )
    async with site.browser() as browser:
        await sign_in(browser)
        for uri in hostile:
            response = await authorize(browser, redirect_uri=uri)
            assert (response.status_code, response.headers.get("location")) == (400, None), uri
        assert "code" in answer_in(await authorize(browser))


@pytest.mark.asvs("10.4.2")
async def test_v10_4_2_a_replayed_code_ends_what_it_gave(site: Site) -> None:
    await add_app(site)
    async with site.browser() as browser:
        code = (await allowed(browser))["code"]
        tokens = (await exchanged(site, code)).json()
        assert (await userinfo(site, tokens["access_token"])).status_code == 200
        again = await exchanged(site, code)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
        assert (await userinfo(site, tokens["access_token"])).status_code == 401
        assert await service_of(site).reason(tokens["access_token"]) == "revoked-session"
        refused = await refresh(site, tokens["refresh_token"], client_id="app")
        assert refused.json()["error"] == "invalid_grant"
        # The user, whose code was stolen, is still signed in.
        assert (await browser.get("/auth/session")).status_code == 200


@pytest.mark.asvs("10.4.3")
async def test_v10_4_3_a_code_is_good_for_a_minute(site: Site) -> None:
    await add_app(site)
    async with site.browser() as browser:
        late, in_time = (await allowed(browser))["code"], (await allowed(browser))["code"]
    site.clock.now += 59
    assert (await exchanged(site, in_time)).status_code == 200
    site.clock.now += 1
    assert (await exchanged(site, late)).json()["error"] == "invalid_grant"


@pytest.mark.asvs("10.4.4")
async def test_v10_4_4_a_client_uses_the_grants_that_it_was_given_and_no_others(site: Site) -> None:
    await add_confidential_app(site)
    await add_machine(site)
    by_password = {"grant_type": "password", "username": "ann@example.com", "password": "x"}
    for client in ("app", "machine"):
        refused = await ask(site, "token", secret_of=client, **by_password)
        assert refused.json()["error"] == "unsupported_grant_type"
    assert (await ask(site, "token", secret_of="app", **MACHINE)).json()["error"] == "unauthorized_client"
    wrong = await redeemed(site, "x", client_id="machine")
    assert wrong.json()["error"] == "unauthorized_client"
    async with site.browser() as browser:
        response = await authorize(browser, client_id="machine")
        assert (response.status_code, "location" in response.headers) == (400, False)
    document = await metadata_of(site)
    assert {"password", "implicit"}.isdisjoint(document["grant_types_supported"])


@pytest.mark.asvs("10.4.5")
async def test_v10_4_5_a_refresh_token_that_comes_twice_ends_all_that_came_of_it(site: Site) -> None:
    stolen = await site.tokens()
    newer = (await refresh(site, stolen["refresh_token"])).json()
    service = service_of(site)
    assert await service.accepts(newer["access_token"])
    site.clock.now += 60
    assert (await refresh(site, stolen["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await refresh(site, newer["refresh_token"])).json()["error"] == "invalid_grant"
    assert await status_at_site(site, newer["access_token"]) == 401
    assert await service.reason(newer["access_token"]) == "revoked-session"


@pytest.mark.asvs("10.4.5")
async def test_v10_4_5_a_stolen_refresh_token_of_a_public_client_ends_its_family(site: Site) -> None:
    await add_app(site)
    await add_app(site, id="other")
    stolen = (await let_in(site))["refresh_token"]
    for thief in ({"client_id": "other"}, {}):
        assert (await refresh(site, stolen, **thief)).json()["error"] == "invalid_grant"
    newer = (await refresh(site, stolen, client_id="app")).json()
    assert newer["refresh_token"] != stolen
    site.clock.now += 60
    for token in (stolen, newer["refresh_token"]):
        assert (await refresh(site, token, client_id="app")).json()["error"] == "invalid_grant"
    assert (await userinfo(site, newer["access_token"])).status_code == 401


@pytest.mark.asvs("10.4.6")
@pytest.mark.asvs("10.2.1")
async def test_v10_4_6_a_public_client_gets_no_code_without_a_challenge_by_s256(site: Site) -> None:
    await add_app(site, first_party=True)
    async with site.browser() as browser:
        await sign_in(browser)
        for downgrade in (
            {"code_challenge": None, "code_challenge_method": None},
            {"code_challenge_method": "plain"},
            {"code_challenge_method": None},
            {"code_challenge": "short"},
        ):
            assert answer_in(await authorize(browser, **downgrade))["error"] == "invalid_request"
        code = answer_in(await authorize(browser))["code"]
        for verifier in ("", "x" * 43):
            refused = await exchanged(site, code, code_verifier=verifier)
            assert refused.json()["error"] == "invalid_grant"
        assert (await exchanged(site, code)).status_code == 200


@pytest.mark.asvs("10.4.6")
@pytest.mark.parametrize("pkce", ["usual", "all"])
async def test_v10_4_6_a_confidential_openid_client_goes_without_if_the_site_lets_it(pkce: str) -> None:
    without: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}
    async with open_site(pkce=pkce) as site, site.browser() as browser:
        await site.add_user(scopes="read")
        await add_confidential_app(site, first_party=True)
        await sign_in(browser)
        # OAuth without OpenID Connect has nothing else that protects its codes.
        assert answer_in(await authorize(browser, scope="read", **without))["error"] == "invalid_request"
        answer = answer_in(await authorize(browser, **without))
        if pkce == "all":
            assert answer["error"] == "invalid_request"
            return
        # With a verifier for a code that was asked for without a challenge, somebody has taken the challenge away.
        downgraded = await redeemed(site, answer["code"], client_id="app")
        assert downgraded.json()["error"] == "invalid_grant"
        plain = await redeemed(site, answer["code"], client_id="app", code_verifier=None)
        assert plain.status_code == 200


@pytest.mark.asvs("10.4.7")
async def test_v10_4_7_a_client_that_registers_itself_is_checked_and_its_users_are_warned() -> None:
    async with open_site(registration="open") as site, site.browser() as browser, site.program() as program:
        await site.add_user()
        for hostile in (
            {"redirect_uris": ["javascript:alert(1)"]},
            {"redirect_uris": ["http://evil.example/cb"]},
            {"redirect_uris": [CALLBACK], "client_name": "P\u0430ypal"},
            {"redirect_uris": [CALLBACK], "grant_types": ["password"]},
            {"redirect_uris": [CALLBACK], "id_token_signed_response_alg": "none"},
        ):
            assert (await program.post("/auth/register", json=hostile)).status_code == 400
        document = {
            "redirect_uris": [CALLBACK],
            "client_name": "Your Bank",
            "token_endpoint_auth_method": "none",
            "id_token_signed_response_alg": "ES256",
            "first_party": True,
        }
        client_id = (await program.post("/auth/register", json=document)).json()["client_id"]
        await sign_in(browser)
        page = (await browser.get(await begun(browser, client_id=client_id))).text
    for words in ("Your Bank", "app.example", "Not verified", "nobody here has looked at it"):
        assert words in page


@pytest.mark.asvs("10.4.8")
async def test_v10_4_8_refreshing_ends_however_often_it_is_done(site: Site) -> None:
    token, began = (await site.tokens())["refresh_token"], site.clock.now
    while site.clock.now < began + RefreshPolicy().lifetime.total_seconds() - DAY:
        site.clock.now += DAY
        token = (await refresh(site, token)).json()["refresh_token"]
    site.clock.now = began + RefreshPolicy().lifetime.total_seconds()
    assert (await refresh(site, token)).status_code == 400


@pytest.mark.asvs("10.4.8")
@pytest.mark.parametrize("scope", ["openid", "openid offline_access"], ids=["online", "offline"])
async def test_v10_4_8_what_a_client_refreshes_ends_too(scope: str) -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        code = (await allowed(browser, scope=scope))["code"]
        token, began = (await exchanged(site, code)).json()["refresh_token"], site.clock.now
        lifetime, answer = RefreshPolicy().lifetime.total_seconds(), None
        while site.clock.now < began + lifetime:
            site.clock.now += DAY
            answer = await refresh(site, token, client_id="app")
            if answer.status_code != 200:
                break
            token = answer.json()["refresh_token"]
        assert answer is not None
        assert answer.json()["error"] == "invalid_grant"


@pytest.mark.asvs("10.4.9")
async def test_v10_4_9_people_end_a_programs_tokens_on_the_page_of_their_devices(site: Site) -> None:
    tokens = await site.tokens()
    service = service_of(site)
    assert await service.accepts(tokens["access_token"])
    async with site.signed_in_browser() as browser:
        assert claims_of(tokens["access_token"])["sid"] in (await browser.get("/auth/devices")).text
        await browser.post("/auth/devices/end", data={"session_id": claims_of(tokens["access_token"])["sid"]})
    assert await status_at_site(site, tokens["access_token"]) == 401
    assert await service.reason(tokens["access_token"]) == "revoked-session"
    assert (await refresh(site, tokens["refresh_token"])).status_code == 400
    assert service.verifier.audience == (ORIGIN,)


@pytest.mark.asvs("10.4.10")
@pytest.mark.parametrize("path", ["token", "par", "revoke", "introspect"])
async def test_v10_4_10_a_confidential_client_is_nobody_without_its_secret(site: Site, path: str) -> None:
    await add_confidential_app(site)
    fields = asked() | {"grant_type": "authorization_code", "code": "x", "token": "x"}
    del fields["client_id"]
    async with site.program() as program:
        for auth, more in (
            (None, {"client_id": "app"}),  # as if it were public
            (None, {"client_id": "app", "client_secret": "wrong"}),
            (("app", "wrong"), {}),
            (("app", ""), {}),
            (("unknown", SECRET), {}),
        ):
            given = httpx.Auth() if auth is None else httpx.BasicAuth(*auth)
            refused = await program.post(f"/auth/{path}", data=fields | more, auth=given)
            assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
        known = await program.post(f"/auth/{path}", data=fields, auth=("app", SECRET))
        assert known.status_code != 401


@pytest.mark.asvs("10.4.11")
async def test_v10_4_11_a_client_gets_no_scope_beyond_those_it_is_registered_for(site: Site) -> None:
    await add_api(site, everybody="orders:read orders:write")
    await add_app(site, scope=("openid", "orders:read"), audiences=(ORDERS,))
    tokens = await let_in(site, scope="openid email orders:read orders:write", resource=ORDERS)
    assert set(tokens["scope"].split()) == {"openid", "orders:read"}
    # Nor by refreshing.
    refused = await refresh(site, tokens["refresh_token"], client_id="app", scope="orders:write")
    assert refused.json()["error"] == "invalid_scope"
    async with site.browser() as browser:
        other = answer_in(await authorize(browser, scope="orders:read", resource=ORIGIN))
    assert other["error"] == "invalid_target"


@pytest.mark.asvs("10.4.11")
async def test_v10_4_11_a_machine_may_nothing_until_it_is_permitted(site: Site) -> None:
    await add_api(site, "orders:write", everybody="orders:read")
    await add_machine(site)
    for scope in ("orders:read", "orders:write", "coatcheck:admin"):
        refused = await ask(site, "token", secret_of="machine", **MACHINE, scope=scope)
        assert refused.json()["error"] == "invalid_scope"
    await permit(site, "client", "machine", "orders:write")
    given = (await ask(site, "token", secret_of="machine", **MACHINE, resource=ORDERS)).json()
    assert given["scope"] == claims_of(given["access_token"])["scope"] == "orders:write"


@pytest.mark.asvs("10.4.12")
@pytest.mark.asvs("10.4.13")
async def test_v10_4_12_who_pushes_requests_has_them_answered_as_pushed_and_in_no_other_way(
    site: Site,
) -> None:
    """A request that is put together, or changed, in the browser: to have the answer where it can be read."""
    await add_confidential_app(site, first_party=True, require_pushed_authorization_requests=True)
    async with site.browser() as browser:
        await sign_in(browser)
        assert answer_in(await authorize(browser))["error"] == "invalid_request"
        pushed = {
            name: value for name, value in asked(response_mode="form_post").items() if name != "client_id"
        }
        uri = (await ask(site, "par", secret_of="app", **pushed)).json()["request_uri"]
        changed = {"response_mode": "query", "scope": "openid email phone", "state": "of the thief"}
        query = {"client_id": "app", "request_uri": uri} | changed
        response = await browser.get("/auth/authorize", params=query)
    assert response.status_code == 200
    assert answer_in(response)["state"] == asked()["state"]


def an_assertion(site: Site, key: Key, **claims: Any) -> str:
    usual = {
        "iss": "machine",
        "sub": "machine",
        "aud": ORIGIN,
        "exp": int(site.clock()) + 60,
        "jti": new_token(),
    }
    signer = jwt.Signer(key, issuer=None, typ="JWT", lifetime=NO_EXPIRY, clock=site.clock)
    return signer.sign(usual | claims)


@pytest.mark.asvs("10.4.16")
@pytest.mark.asvs("9.1.3")
async def test_v10_4_16_a_client_with_a_key_is_known_by_that_key_alone(site: Site) -> None:
    key, thief = Key.generate("ES256"), Key.generate("ES256")
    jwks = json.encode({"keys": [key.public().to_jwk()]})
    await add_machine(site, token_endpoint_auth_method="private_key_jwt", jwks=jwks)

    async def status(assertion: str) -> int:
        fields = MACHINE | {"client_assertion": assertion, "client_assertion_type": JWT_BEARER_ASSERTION}
        return (await ask(site, "token", **fields)).status_code

    good = an_assertion(site, key)
    assert [await status(good), await status(good)] == [200, 401]  # replayed
    for forged in (
        an_assertion(site, thief),
        an_assertion(site, key, aud="https://another.example"),
        an_assertion(site, key, aud=[ORIGIN, "https://another.example"]),
        an_assertion(site, key, sub="another"),
        an_assertion(site, key, exp=int(site.clock()) + 86_400),
    ):
        assert await status(forged) == 401
    # It has the digest of a secret, too, and no use of it.
    assert (await ask(site, "token", secret_of="machine", **MACHINE)).status_code == 401
    assert (await ask(site, "token", client_id="machine", **MACHINE)).status_code == 401
