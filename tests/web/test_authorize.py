"""The authorization endpoint, from the request to the answer, with everything that may come in between."""

import json

import httpx
import pytest

from coatcheck.jose.hazmat import read_unverified
from coatcheck.oauth.model import API, APIScope, Permission
from tests.flows.world import asynchronous
from tests.web.authorizing import (
    CALLBACK,
    SECRET,
    add_app,
    allowed,
    answer_in,
    asked,
    back_of,
    begun,
    decide,
    exchanged,
    fields_of,
    sign_in,
    way_of,
)
from tests.web.sites import EMAIL, ORIGIN, Site, open_site

ORDERS = "https://orders.example"


async def authorize(browser: httpx.AsyncClient, **changes: str | None) -> httpx.Response:
    return await browser.get("/auth/authorize", params=asked(**changes))


async def add_orders(site: Site, user_id: str, *scopes: str) -> None:
    records = site.server.flows.context.storage.records
    api = API(
        audience=ORDERS,
        name="Orders",
        scopes=(APIScope(name="read", description="See your orders"), APIScope(name="buy")),
        created_at=site.clock(),
    )
    await records.add_api(api)
    await records.put_permission(
        Permission(kind="user", holder=user_id, audience=ORDERS, scopes=frozenset(scopes))
    )


@asynchronous
async def test_who_is_signed_out_signs_in_consents_and_is_sent_back_with_a_code() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        way = way_of(await authorize(browser, login_hint=EMAIL))
        assert way.startswith("/auth/sign-in?")
        page = await browser.get(way)
        assert "Photo Album" in page.text
        assert f'value="{EMAIL}"' in page.text
        back = back_of(way)
        assert way_of(await sign_in(browser, then=back)) == back
        consent = await browser.get(back)
        for words in ("Photo Album</bdi> asks for access", "app.example", EMAIL, "Your e-mail address"):
            assert words in consent.text
        answer = answer_in(await decide(browser, back, "allow"))
        assert (answer["state"], answer["iss"]) == ("s t&a=te", ORIGIN)
        tokens = (await exchanged(site, answer["code"])).json()
        assert tokens["scope"].split() == ["openid", "email"]
        assert read_unverified(tokens["id_token"]).claims["nonce"] == "n"


@asynchronous
async def test_the_second_time_nobody_is_asked_anything() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        first = await allowed(browser)
        second = answer_in(await authorize(browser))
        assert first["code"] != second["code"]
        silent = answer_in(await authorize(browser, prompt="none"))
        assert "code" in silent


@asynchronous
async def test_the_same_client_in_the_same_browser_keeps_its_session() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        sids = []
        for _ in range(2):
            tokens = (await exchanged(site, (await allowed(browser))["code"])).json()
            sids.append(read_unverified(tokens["id_token"]).claims["sid"])
        assert sids[0] == sids[1]
        offline = await allowed(browser, scope="openid offline_access")
        tokens = (await exchanged(site, offline["code"])).json()
        assert read_unverified(tokens["id_token"]).claims["sid"] != sids[0]


@asynchronous
async def test_who_says_no_is_sent_back_with_an_error_and_nothing_is_left() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        await sign_in(browser)
        back = await begun(browser)
        answer = answer_in(await decide(browser, back, "deny"))
        assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", "s t&a=te", ORIGIN)
        assert (await browser.get(back)).status_code == 410
        assert answer_in(await authorize(browser, prompt="none"))["error"] == "consent_required"


@asynchronous
async def test_a_request_by_form_from_another_site_finds_who_is_signed_in() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        await allowed(browser)
        headers = {"origin": "https://app.example", "sec-fetch-site": "cross-site"}
        # SameSite=Lax: the browser sends no cookies with it.
        async with site.browser() as without_cookies:
            for prompt in (None, "none"):
                response = await without_cookies.post(
                    "/auth/authorize", data=asked(prompt=prompt), headers=headers
                )
                assert "code" in answer_in(await browser.get(way_of(response)))
            wrong = await without_cookies.post("/auth/authorize", data=asked(scope='"'), headers=headers)
        assert answer_in(wrong)["error"] == "invalid_scope"


@asynchronous
async def test_a_body_that_is_no_form_is_refused() -> None:
    async with open_site() as site, site.program() as program:
        await add_app(site)
        response = await program.post("/auth/authorize", json=asked())
        assert (response.status_code, response.json()["code"]) == (400, "unsafe_authorization_request")


# --- what the user is asked ----------------------------------------------------------------------------------


@asynchronous
async def test_a_fresh_sign_in_is_asked_for_and_is_as_fresh_as_the_request() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        await allowed(browser)
        for demand in ({"prompt": "login"}, {"max_age": "0"}, {"max_age": "5"}):
            site.clock.now += 10
            way = way_of(await authorize(browser, **demand))
            assert way.startswith("/auth/re-authenticate?")
            page = await browser.get(way)
            assert "Photo Album" in page.text
            assert "form-action 'self' https://app.example;" in page.headers["content-security-policy"]
            # Whoever comes back without having proven anything is sent there again.
            assert way_of(await browser.get(back_of(way))) == way
            wrong = await browser.post(
                "/auth/re-authenticate", data={"password": "wrong", "next": back_of(way)}
            )
            assert "https://app.example;" in wrong.headers["content-security-policy"]
            site.clock.now += 1
            await browser.post(
                "/auth/re-authenticate",
                data={"password": "correct horse battery staple", "next": back_of(way)},
            )
            code = answer_in(await browser.get(back_of(way)))["code"]
            tokens = (await exchanged(site, code)).json()
            assert read_unverified(tokens["id_token"]).claims["auth_time"] == int(site.clock.now)


@asynchronous
async def test_prompt_none_is_answered_without_any_page() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        assert answer_in(await authorize(browser, prompt="none"))["error"] == "login_required"
        await sign_in(browser)
        assert answer_in(await authorize(browser, prompt="none"))["error"] == "consent_required"
        site.clock.now += 10
        too_old = await authorize(browser, prompt="none", max_age="5")
        assert answer_in(too_old)["error"] == "login_required"


@asynchronous
async def test_the_account_can_be_chosen_and_changed() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await site.add_user("bob@example.com")
        await add_app(site)
        await allowed(browser)
        site.clock.now += 1
        back = await begun(browser, prompt="select_account")
        page = await browser.get(back)
        assert f"Go on as {EMAIL}" in page.text
        assert "code" in answer_in(await decide(browser, back, "select"))
        back = await begun(browser, prompt="select_account")
        way = way_of(await decide(browser, back, "other"))
        page = await browser.get(way)
        assert page.status_code == 200
        assert "with another account" in page.text
        assert way_of(await sign_in(browser, then=back, email="bob@example.com")) == back
        consent = await browser.get(back)
        assert "bob@example.com" in consent.text
        assert "code" in answer_in(await decide(browser, back, "allow"))


@asynchronous
async def test_the_account_can_be_changed_on_the_page_that_asks_for_consent() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await site.add_user("bob@example.com")
        await add_app(site)
        await sign_in(browser)
        back = await begun(browser)
        assert way_of(await decide(browser, back, "other")).startswith("/auth/sign-in?")
        await sign_in(browser, then=back, email="bob@example.com")
        assert "bob@example.com" in (await browser.get(back)).text


@asynchronous
async def test_a_new_account_is_made_on_the_way() -> None:
    async with open_site() as site, site.browser() as browser:
        await add_app(site)
        way = way_of(await authorize(browser, prompt="create", login_hint=EMAIL))
        assert way.startswith("/auth/sign-up?")
        page = await browser.get(way)
        assert "Photo Album" in page.text
        await browser.post(
            "/auth/sign-up",
            data={"email": EMAIL, "password": "correct horse battery staple", "next": back_of(way)},
        )
        link = await site.link()
        page = await browser.get(link)
        assert "https://app.example;" in page.headers["content-security-policy"]
        confirmed = await browser.post(
            "/auth/sign-up/confirm", data={"token": await site.token(), "next": back_of(way)}
        )
        assert way_of(confirmed) == back_of(way)
        assert "code" in answer_in(await decide(browser, back_of(way), "allow"))


@asynchronous
async def test_who_is_signed_in_and_asked_for_a_new_account_chooses() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        await sign_in(browser)
        site.clock.now += 1
        back = await begun(browser, prompt="create")
        way = way_of(await decide(browser, back, "create"))
        assert way.startswith("/auth/sign-up?")
        assert (await browser.get(way)).status_code == 200


@asynchronous
async def test_a_hinted_user_is_the_one_who_is_answered() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await site.add_user("bob@example.com")
        await add_app(site)
        tokens = (await exchanged(site, (await allowed(browser))["code"])).json()
        site.clock.now += 7200  # whom it names does not expire with it
        hint = {"id_token_hint": tokens["id_token"]}
        assert "code" in answer_in(await authorize(browser, prompt="none", **hint))
        await sign_in(browser, email="bob@example.com")
        assert answer_in(await authorize(browser, prompt="none", **hint))["error"] == "login_required"
        site.clock.now += 1
        way = way_of(await authorize(browser, **hint))
        assert way.startswith("/auth/sign-in?")
        assert "other=1" in way
        await sign_in(browser, then=back_of(way), email="bob@example.com")
        assert answer_in(await browser.get(back_of(way)))["error"] == "login_required"
        way = way_of(await authorize(browser, **hint))
        await sign_in(browser, then=back_of(way))
        assert "code" in answer_in(await browser.get(back_of(way)))


@asynchronous
async def test_a_hint_for_a_client_with_names_of_its_own_is_understood() -> None:
    async with open_site() as site, site.browser() as browser:
        user = await site.add_user()
        await add_app(site, subject_type="pairwise", sector="app.example")
        tokens = (await exchanged(site, (await allowed(browser))["code"])).json()
        assert read_unverified(tokens["id_token"]).claims["sub"] != user.id
        answer = answer_in(await authorize(browser, prompt="none", id_token_hint=tokens["id_token"]))
        assert "code" in answer


@asynchronous
async def test_a_strength_that_nobody_has_is_refused_at_once() -> None:
    async with open_site() as site, site.browser() as browser:
        await add_app(site)
        claims = json.dumps({"id_token": {"acr": {"essential": True, "values": ["aal3"]}}})
        answer = answer_in(await authorize(browser, claims=claims))
        assert answer["error"] == "unmet_authentication_requirements"


# --- consent -------------------------------------------------------------------------------------------------


@asynchronous
async def test_the_page_says_what_is_asked_at_which_api_and_for_how_long() -> None:
    async with open_site() as site, site.browser() as browser:
        user = await site.add_user()
        await add_orders(site, user.id, "read")
        await add_app(site, registered_by="itself", policy_uri="https://app.example/policy")
        await sign_in(browser)
        claims = json.dumps({"userinfo": {"phone_number": None, "family_name#en": None}})
        back = await begun(browser, scope="openid read buy offline_access profile", claims=claims)
        page = (await browser.get(back)).text
        for words in (
            *("Orders", "See your orders", "Not verified", "Until you take it back", "Your profile"),
            *("phone number", "family name", "https://app.example/policy"),
        ):
            assert words in page
        assert "buy" not in dict(fields_of(await browser.get(back)))["scope"].split()
        code = answer_in(await decide(browser, back, "allow"))["code"]
        granted = (await exchanged(site, code)).json()["scope"].split()
        assert "read" in granted
        assert "buy" not in granted


@asynchronous
async def test_the_apps_of_the_house_are_not_asked_about() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site, first_party=True)
        await sign_in(browser)
        assert "code" in answer_in(await authorize(browser))


@asynchronous
async def test_more_than_was_allowed_before_is_asked_for_again() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        await allowed(browser)
        assert "code" in answer_in(await authorize(browser, scope="openid"))
        assert "code" in await allowed(browser, scope="openid profile")
        # What was allowed earlier is still allowed.
        assert "code" in answer_in(await authorize(browser, scope="openid profile email"))


@asynchronous
async def test_a_loopback_app_is_asked_about_each_time() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site, application_type="native", redirect_uris=("http://127.0.0.1/cb",))
        await sign_in(browser)
        for port in (4000, 4001):
            uri = f"http://127.0.0.1:{port}/cb"
            back = await begun(browser, redirect_uri=uri)
            page = await browser.get(back)
            assert "a program on this device" in page.text
            assert f"form-action 'self' http://127.0.0.1:{port};" in page.headers["content-security-policy"]
            response = await decide(browser, back, "allow")
            assert response.headers["location"].startswith(f"{uri}?code=")


@pytest.mark.parametrize(
    "uri, target", [("http://[::1]:4000/cb", "http:"), ("com.example.app:/cb", "com.example.app:")]
)
def test_where_browsers_have_no_words_for_an_address_its_scheme_is_allowed(uri: str, target: str) -> None:
    @asynchronous
    async def check() -> None:
        async with open_site() as site, site.browser() as browser:
            await add_app(site, application_type="native", redirect_uris=(uri,))
            page = await browser.get(way_of(await authorize(browser, redirect_uri=uri)))
            assert f"form-action 'self' {target};" in page.headers["content-security-policy"]

    check()


# --- how it is answered --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["query", "fragment", "form_post"])
def test_the_answer_comes_as_was_asked(mode: str) -> None:
    @asynchronous
    async def check() -> None:
        async with open_site() as site, site.browser() as browser:
            await site.add_user()
            await add_app(site, first_party=True)
            await sign_in(browser)
            good = await authorize(browser, response_mode=mode)
            bad = await authorize(browser, response_mode=mode, scope='"')
            for response, name in ((good, "code"), (bad, "error")):
                assert {"state", "iss", name} <= answer_in(response).keys()
                if mode == "form_post":
                    assert (
                        "form-action 'self' https://app.example;"
                        in response.headers["content-security-policy"]
                    )
                    assert "form_post" in response.text
                    assert response.headers["cache-control"] == "no-store"
                else:
                    assert f"{CALLBACK}{'?' if mode == 'query' else '#'}" in response.headers["location"]

    check()


@asynchronous
async def test_an_id_token_beside_a_code_vouches_for_it() -> None:
    async with open_site(hybrid=True) as site, site.browser() as browser:
        await site.add_user()
        await add_app(site, first_party=True)
        await sign_in(browser)
        response = await authorize(browser, response_type="code id_token")
        assert "#" in response.headers["location"]
        answer = answer_in(response)
        claims = read_unverified(answer["id_token"]).claims
        assert {"c_hash", "nonce", "auth_time", "sid"} <= claims.keys()
        assert "email" not in claims
        tokens = (await exchanged(site, answer["code"])).json()
        assert read_unverified(tokens["id_token"]).claims["sid"] == claims["sid"]


@asynchronous
async def test_an_id_token_alone_says_all_and_has_a_session() -> None:
    async with open_site(hybrid=True) as site, site.browser() as browser:
        user = await site.add_user()
        await add_app(site, first_party=True)
        await sign_in(browser)
        response = await authorize(
            browser,
            response_type="id_token",
            response_mode="form_post",
            code_challenge=None,
            code_challenge_method=None,
        )
        answer = answer_in(response)
        assert "code" not in answer
        claims = read_unverified(answer["id_token"]).claims
        assert (claims["email"], claims["nonce"]) == (EMAIL, "n")
        records = site.server.flows.context.storage.records
        assert claims["sid"] in [session.id for session in await records.list_sessions(user.id)]


@asynchronous
async def test_hybrid_is_off_unless_it_is_switched_on() -> None:
    async with open_site() as site, site.browser() as browser:
        await add_app(site)
        answer = answer_in(await authorize(browser, response_type="code id_token"))
        assert answer["error"] == "unsupported_response_type"


# --- state ---------------------------------------------------------------------------------------------------


@asynchronous
async def test_two_tabs_do_not_mix() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        await sign_in(browser)
        one = await begun(browser, state="one")
        two = await begun(browser, state="two", scope="openid")
        assert answer_in(await decide(browser, two, "allow"))["state"] == "two"
        assert answer_in(await decide(browser, one, "allow"))["state"] == "one"


@asynchronous
async def test_a_handle_that_is_used_unknown_or_expired_leads_to_a_page_that_helps() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        await sign_in(browser)
        back = await begun(browser)
        expired = await begun(browser)
        await decide(browser, back, "allow")
        site.clock.now += 3600
        for path in (back, expired, "/auth/continue/unknown", "/auth/continue/%00%ff"):
            page = await browser.get(path)
            assert page.status_code == 410
            assert "This sign-in is over" in page.text
            assert "start again" in page.text
            for decision in ("allow", "deny", "select"):
                posted = await browser.post(path, data={"decision": decision, "session_id": "s"})
                assert posted.status_code == 410
        # The page to sign in does without.
        page = await browser.get("/auth/re-authenticate", params={"next": expired})
        assert page.status_code == 200


@asynchronous
async def test_what_becomes_of_the_client_meanwhile_counts() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        client = await add_app(site)
        records = site.server.flows.context.storage.records
        await sign_in(browser)
        from msgspec.structs import replace

        for changed in (
            replace(client, redirect_uris=("https://app.example/other",)),
            replace(client, disabled_at=1.0),
        ):
            await records.replace_client(client)
            back = await begun(browser)
            await records.replace_client(changed)
            for response in (await browser.get(back), await browser.post(back, data={"decision": "deny"})):
                assert response.status_code == 400
                assert "location" not in response.headers
        assert (await authorize(browser)).status_code == 400
        await records.delete_client("app")
        assert (await browser.get(back)).status_code == 410


@asynchronous
async def test_a_sign_in_that_ended_meanwhile_is_asked_for_again() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        await sign_in(browser)
        back = await begun(browser)
        await browser.get(back)
        await browser.post("/auth/sign-out")
        response = await browser.post(back, data={"decision": "allow", "session_id": "s", "scope": "openid"})
        assert way_of(response).startswith("/auth/sign-in?")


# --- pushed requests -----------------------------------------------------------------------------------------


async def push(site: Site, *, secret: str | None = None, **changes: str | None) -> httpx.Response:
    async with site.program() as program:
        auth = None if secret is None else httpx.BasicAuth("app", secret)
        return await program.post("/auth/par", data=asked(**changes), auth=auth or httpx.Auth())


@asynchronous
async def test_a_pushed_request_is_answered_as_it_was_pushed() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(
            site,
            token_endpoint_auth_method="client_secret_basic",
            require_pushed_authorization_requests=True,
            first_party=True,
        )
        await sign_in(browser)
        assert answer_in(await authorize(browser))["error"] == "invalid_request"
        pushed = await push(site, secret=SECRET)
        assert pushed.status_code == 201
        assert pushed.headers["cache-control"] == "no-store"
        said = pushed.json()
        assert said["expires_in"] == 90
        assert said["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
        # What stands beside the reference was not pushed.
        query = {"client_id": "app", "request_uri": said["request_uri"], "state": "evil", "scope": "evil"}
        assert answer_in(await browser.get("/auth/authorize", params=query))["state"] == "s t&a=te"
        again = await browser.get("/auth/authorize", params=query)
        assert again.status_code == 400
        assert "used already" in again.text


@asynchronous
async def test_a_pushed_request_expires_and_is_its_clients_alone() -> None:
    async with open_site() as site, site.browser() as browser:
        await add_app(site)
        await add_app(site, id="other", redirect_uris=(CALLBACK,))
        uri = (await push(site)).json()["request_uri"]
        stolen = {"client_id": "other", "request_uri": uri}
        assert (await browser.get("/auth/authorize", params=stolen)).status_code == 400
        own = {"client_id": "app", "request_uri": uri}
        assert way_of(await browser.get("/auth/authorize", params=own)).startswith("/auth/sign-in")
        late = (await push(site)).json()["request_uri"]
        site.clock.now += 90
        own = {"client_id": "app", "request_uri": late}
        assert (await browser.get("/auth/authorize", params=own)).status_code == 400


@pytest.mark.parametrize(
    "changes, status, error",
    [
        ({"scope": '"'}, 400, "invalid_scope"),
        ({"redirect_uri": "https://evil.example/cb"}, 400, "invalid_request"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, 400, "invalid_request"),
        ({"request": "e30.e30."}, 400, "request_not_supported"),
        ({"code_challenge": None, "code_challenge_method": None}, 400, "invalid_request"),
        ({"client_id": "unknown"}, 401, "invalid_client"),
        ({"client_id": None}, 401, "invalid_client"),
        ({"id_token_hint": "x"}, 400, "invalid_request"),
        ({"resource": "https://unknown.example"}, 400, "invalid_target"),
    ],
    ids=["scope", "redirect-uri", "request-uri", "request", "pkce", "unknown", "nobody", "hint", "resource"],
)
def test_all_checks_are_made_when_a_request_is_pushed(
    changes: dict[str, str | None], status: int, error: str
) -> None:
    @asynchronous
    async def check() -> None:
        async with open_site() as site:
            await add_app(site)
            response = await push(site, **changes)
            assert (response.status_code, response.json()["error"]) == (status, error)
            assert response.headers["access-control-allow-origin"] == "*"

    check()


@asynchronous
async def test_a_confidential_client_shows_who_it_is_to_push() -> None:
    async with open_site() as site:
        await add_app(site, token_endpoint_auth_method="client_secret_basic")
        for secret in (None, "wrong"):
            response = await push(site, secret=secret)
            assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
