"""Attacks on the authorization endpoint and on consent, each by its name (RFC 9700 section 4, OAuth 2.1 section 7)."""

import asyncio
from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coatcheck.oauth.model import OAuthClient
from tests.flows.world import asynchronous
from tests.oauth.test_redirect_tricks import HOSTILE
from tests.web.authorizing import (
    CALLBACK,
    CHALLENGE,
    add_app,
    allowed,
    answer_in,
    asked,
    begun,
    decide,
    exchanged,
    fields_of,
    sign_in,
)
from tests.web.sites import EMAIL, ORIGIN, PASSWORD, Site, bearer, open_site

CROSS_SITE = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}


def is_a_page_that_leads_nowhere(response: httpx.Response) -> bool:
    return response.status_code == 400 and "location" not in response.headers


@asynchronous
async def test_mix_up_every_answer_names_its_issuer() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        answers = [await allowed(browser)]
        for changes in ({"scope": '"'}, {"prompt": "none", "max_age": "0"}, {"response_type": "token"}):
            site.clock.now += 1
            response = await browser.get("/auth/authorize", params=asked(**changes))
            answers.append(answer_in(response))
        assert {answer["iss"] for answer in answers} == {ORIGIN}


@asynchronous
async def test_code_injection_a_code_is_worth_nothing_without_what_began_it() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        for changes in ({"code_verifier": "x" * 43}, {"code_verifier": ""}, {"redirect_uri": CALLBACK + "2"}):
            code = (await allowed(browser))["code"]
            response = await exchanged(site, code, **changes)
            assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


@asynchronous
async def test_pkce_downgrade_a_request_without_a_challenge_gets_no_code() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site, first_party=True)
        await sign_in(browser)
        for changes in (
            {"code_challenge": None, "code_challenge_method": None},
            {"code_challenge_method": "plain"},
            {"code_challenge_method": None},
        ):
            response = await browser.get("/auth/authorize", params=asked(**changes))
            assert answer_in(response)["error"] == "invalid_request"


@asynchronous
async def test_open_redirection_no_hostile_uri_is_ever_followed() -> None:
    async with open_site() as site, site.browser() as browser:
        await add_app(site)
        for uri in HOSTILE:
            for more in (
                {},
                {"response_type": "token"},
                {"prompt": "none"},
                {"request": "x"},
                {"state": "x" * 5000},
            ):
                response = await browser.get("/auth/authorize", params=asked(redirect_uri=uri, **more))
                assert is_a_page_that_leads_nowhere(response), uri
                assert "evil" not in response.text


@asynchronous
async def test_open_redirection_an_unknown_client_leads_to_a_page() -> None:
    async with open_site() as site, site.browser() as browser:
        await add_app(site)
        await add_app(site, id="off", disabled_at=1.0)
        for client_id in (
            "unknown",
            None,
            "off",
            "app\x00",
            "https://evil.example/client",
            "x" * 20_000,
            "\u0430pp",
        ):
            response = await browser.get("/auth/authorize", params=asked(client_id=client_id))
            assert is_a_page_that_leads_nowhere(response)
            assert "This app cannot sign you in" in response.text
        twice = urlencode([*asked().items(), ("client_id", "app")])
        assert is_a_page_that_leads_nowhere(await browser.get(f"/auth/authorize?{twice}"))


@asynchronous
async def test_a_repeated_parameter_is_refused_where_it_can_be_told() -> None:
    async with open_site() as site, site.browser() as browser:
        await add_app(site)
        for name in ("state", "nonce", "scope", "response_type", "response_mode", "request_uri", "whatever"):
            query = urlencode([*asked(**{name: "code"}).items(), (name, "code")])
            answer = answer_in(await browser.get(f"/auth/authorize?{query}"))
            assert answer["error"] == "invalid_request"
            assert ("state" in answer) == (name != "state")
        twice = urlencode(
            [("client_id", "app"), *[("request_uri", "urn:ietf:params:oauth:request_uri:x")] * 2]
        )
        assert is_a_page_that_leads_nowhere(await browser.get(f"/auth/authorize?{twice}"))


@pytest.mark.parametrize(
    "query",
    [
        "client_id=%",
        "client_id=%zz",
        "client_id=%ff",
        "&".join(f"a{number}=1" for number in range(65)),
        "state=" + "x" * 32_768,
        "&&&=&=1&",
        "",
    ],
    ids=["percent", "no-digits", "no-utf-8", "many", "large", "empty-pairs", "nothing"],
)
def test_malformed_and_oversized_requests_lead_to_a_page(query: str) -> None:
    @asynchronous
    async def check() -> None:
        async with open_site() as site, site.browser() as browser:
            assert is_a_page_that_leads_nowhere(await browser.get(f"/auth/authorize?{query}"))
            form = {"content-type": "application/x-www-form-urlencoded"}
            assert is_a_page_that_leads_nowhere(
                await browser.post("/auth/authorize", content=query, headers=form)
            )

    check()


@asynchronous
async def test_csrf_on_consent_a_form_from_elsewhere_is_refused() -> None:
    async with open_site() as site, site.browser() as browser:
        user = await site.add_user()
        await add_app(site)
        await sign_in(browser)
        back = await begun(browser)
        fields = dict(fields_of(await browser.get(back)))
        for decision in ("allow", "deny", "select", "other"):
            response = await browser.post(back, data={**fields, "decision": decision}, headers=CROSS_SITE)
            assert response.status_code == 403
        records = site.server.flows.context.storage.records
        assert await records.list_consents(user.id) == []
        assert (await browser.get(back)).status_code == 200


@asynchronous
async def test_csrf_on_consent_with_tokens_in_the_forms() -> None:
    async with open_site(csrf="token") as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        page = await browser.get("/auth/sign-in")
        token = dict(fields_of(page))["csrf_token"]
        credentials = {"email": EMAIL, "password": PASSWORD, "csrf_token": token}
        assert (await browser.post("/auth/sign-in", data=credentials)).status_code == 303
        back = await begun(browser)
        fields = dict(fields_of(await browser.get(back)))
        without = {name: value for name, value in fields.items() if name != "csrf_token"}
        assert (await browser.post(back, data={**without, "decision": "allow"})).status_code == 403
        assert "code" in answer_in(await decide(browser, back, "allow"))


@asynchronous
async def test_consent_is_given_by_the_one_who_saw_the_question() -> None:
    async with open_site() as site, site.browser() as browser, site.browser() as other:
        await site.add_user()
        await site.add_user("eve@example.com")
        await add_app(site)
        await sign_in(browser)
        await sign_in(other, email="eve@example.com")
        back = await begun(browser)
        fields = dict(fields_of(await browser.get(back)))
        # Another's browser, with what the first one saw: the question comes again, for whoever it is now.
        response = await other.post(back, data={**fields, "decision": "allow"})
        assert response.status_code == 200
        assert "eve@example.com" in response.text
        # The first browser, with another account signed in meanwhile.
        await sign_in(browser, email="eve@example.com")
        response = await browser.post(back, data={**fields, "decision": "allow"})
        assert response.status_code == 200
        assert "eve@example.com" in response.text
        response = await browser.post(back, data={"decision": "allow"})
        assert response.status_code == 200


@asynchronous
async def test_consent_counts_for_what_was_shown() -> None:
    async with open_site() as site, site.browser() as browser:
        user = await site.add_user(scopes="read")
        await add_app(site)
        await sign_in(browser)
        back = await begun(browser, scope="openid read write")
        fields = dict(fields_of(await browser.get(back)))
        assert fields["scope"] == "openid read"
        # The user gets another permission while the page is open: nobody has allowed that.
        from msgspec.structs import replace

        records = site.server.flows.context.storage.records
        current = await records.find_user(user.id)
        assert current is not None
        await records.replace_user(replace(current, scopes=frozenset({"read", "write"})), expected=current)
        response = await browser.post(back, data={**fields, "decision": "allow"})
        assert response.status_code == 200
        assert dict(fields_of(response))["scope"] == "openid read write"
        # Nor does a form make more of it than was asked for.
        wider = {**fields, "scope": "openid read write admin profile", "decision": "allow"}
        code = answer_in(await browser.post(back, data=wider))["code"]
        assert set((await exchanged(site, code)).json()["scope"].split()) == {"openid", "read", "write"}


@asynchronous
async def test_a_consent_is_used_once_however_often_the_button_is_pressed() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        await sign_in(browser)
        back = await begun(browser)
        fields = {**dict(fields_of(await browser.get(back))), "decision": "allow"}
        responses = await asyncio.gather(*(browser.post(back, data=fields) for _ in range(8)))
        assert sorted(response.status_code for response in responses) == [303] + [410] * 7


@asynchronous
async def test_an_access_token_is_no_session_of_a_browser() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user(scopes="coatcheck:admin")
        await add_app(site, first_party=True)
        token = (await site.tokens())["access_token"]
        # A client with a token asks for more in the user's name.
        for headers in (bearer(token), {**bearer(token), **CROSS_SITE}):
            response = await browser.get(
                "/auth/authorize", params=asked(scope="openid coatcheck:admin"), headers=headers
            )
            assert response.headers["location"].startswith("/auth/sign-in?")
            silent = await browser.get("/auth/authorize", params=asked(prompt="none"), headers=headers)
            assert answer_in(silent)["error"] == "login_required"


@asynchronous
async def test_clickjacking_no_page_is_shown_in_a_frame() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        pages = [await browser.get("/auth/authorize", params=asked(client_id="unknown"))]
        await sign_in(browser)
        pages += [
            await browser.get(await begun(browser, prompt=prompt)) for prompt in ("consent", "select_account")
        ]
        pages.append(await browser.get("/auth/authorize", params=asked(response_mode="form_post", scope='"')))
        for page in pages:
            assert page.headers["x-frame-options"] == "DENY"
            assert "frame-ancestors 'none'" in page.headers["content-security-policy"]


@asynchronous
async def test_no_script_of_another_origin_reads_an_answer() -> None:
    async with open_site(cors_origins=["https://app.example"]) as site, site.browser() as browser:
        await site.add_user()
        await add_app(site, first_party=True)
        await sign_in(browser)
        headers = {"origin": "https://app.example", "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}
        for method in ("GET", "POST", "OPTIONS"):
            response = await browser.request(method, "/auth/authorize", params=asked(), headers=headers)
            assert "access-control-allow-origin" not in response.headers


@asynchronous
async def test_nothing_is_given_to_who_only_looks_where_a_link_leads() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        await allowed(browser)
        assert (await browser.head("/auth/authorize", params=asked())).status_code == 405
        back = await begun(browser, prompt="consent")
        assert (await browser.head(back)).status_code == 405


@asynchronous
async def test_what_a_client_calls_itself_is_text_and_stands_beside_its_host() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(
            site,
            name='<img src=x onerror=alert(1)> "Bank"',
            redirect_uris=("https://xn--bnk-5cd.example/cb",),
            registered_by="itself",
        )
        await sign_in(browser)
        back = await begun(browser, redirect_uri="https://xn--bnk-5cd.example/cb")
        page = (await browser.get(back)).text
        assert "<img" not in page
        assert "<bdi>&lt;img" in page
        assert "xn--bnk-5cd.example" in page
        assert "Not verified" in page


@asynchronous
async def test_a_form_that_sends_itself_carries_hostile_state_as_text() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site, first_party=True)
        await sign_in(browser)
        hostile = '"><script>alert(1)</script>'
        page = await browser.get("/auth/authorize", params=asked(state=hostile, response_mode="form_post"))
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;" in page.text


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/cb;script-src *",
        "https://app.example/cb,default-src *",
        "https://app.example:8443/cb",
    ],
)
def test_a_redirect_uri_says_nothing_in_the_policy_of_a_page(uri: str) -> None:
    @asynchronous
    async def check() -> None:
        async with open_site() as site, site.browser() as browser:
            await site.add_user()
            await add_app(site, redirect_uris=(uri,))
            await sign_in(browser)
            page = await browser.get(await begun(browser, redirect_uri=uri))
            policy = page.headers["content-security-policy"]
            assert policy.count("script-src") == policy.count("default-src") == 1
            assert "*" not in policy

    check()


@asynchronous
async def test_token_substitution_a_hint_is_an_id_token_of_this_client() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        await add_app(site)
        await add_app(site, id="other", redirect_uris=(CALLBACK,))
        tokens = (await exchanged(site, (await allowed(browser))["code"])).json()
        parts = tokens["id_token"].split(".")
        forged = ".".join([parts[0], parts[1], "A" * len(parts[2])])
        for hint in (tokens["access_token"], tokens["refresh_token"], forged, "x.y.z", "", "e30.e30."):
            response = await browser.get("/auth/authorize", params=asked(prompt="none", id_token_hint=hint))
            answer = answer_in(response)
            assert answer.get("error") == ("invalid_request" if hint else None)
        strange = await browser.get(
            "/auth/authorize", params=asked(client_id="other", id_token_hint=tokens["id_token"])
        )
        assert answer_in(strange)["error"] == "invalid_request"


# --- whatever comes ------------------------------------------------------------------------------------------

NAMES = [
    *(
        "client_id",
        "redirect_uri",
        "response_type",
        "response_mode",
        "scope",
        "state",
        "nonce",
        "prompt",
        "max_age",
    ),
    *(
        "claims",
        "resource",
        "request",
        "request_uri",
        "code_challenge",
        "code_challenge_method",
        "login_hint",
    ),
    *("id_token_hint", "acr_values", "ui_locales", "registration", "csrf_token", "\u00e9", ""),
]
VALUES = st.one_of(
    st.sampled_from(
        ["app", CALLBACK, "code", "query", "openid", "none", "0", "{}", CHALLENGE, "S256", "form_post"]
    ),
    st.text(max_size=30).filter(lambda text: text.isprintable()),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=10),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=12))
def test_whatever_is_asked_is_answered_by_a_page_or_to_the_client(pairs: list[tuple[str, str]]) -> None:
    @asynchronous
    async def check() -> None:
        site = await _the_site()
        async with site.browser() as browser:
            given = [*asked().items(), *pairs] if len(pairs) % 2 else pairs
            response = await browser.get(f"/auth/authorize?{urlencode(given)}")
            assert response.status_code in {200, 303, 400}
            if response.status_code == 303:
                assert response.headers["location"].startswith((f"{CALLBACK}?", f"{CALLBACK}#", "/auth/"))

    check()


async def _the_site() -> Site:
    manager = open_site()
    site = await manager.__aenter__()
    client: OAuthClient = await add_app(site)
    assert client.is_public
    return site
