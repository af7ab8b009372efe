"""Signing out because an app asks for it (RP-Initiated Logout 1.0), and what apps hear of it by the browser."""

import html
import re
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import msgspec
import pytest

from coatcheck._core.secrets import digest
from coatcheck.flows.provider.logout import LogoutWish
from coatcheck.flows.provider.shared_secrets import seal_secret
from coatcheck.jose import Key, KeySet, jwt
from coatcheck.jose.hazmat import read_unverified
from tests.web.authorizing import add_app, allowed, exchanged, fields_of, sign_in
from tests.web.sites import EMAIL, ORIGIN, SESSION, Site, open_site

pytestmark = pytest.mark.anyio

BYE = "https://app.example/bye?kept=1"
PATH = "/auth/end-session"
FROM_AN_APP = {"origin": "https://app.example", "sec-fetch-site": "cross-site"}


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as made:
        await made.add_user()
        await add_app(made, post_logout_redirect_uris=(BYE, "com.example.app:/bye"))
        yield made


async def token_of(site: Site, browser: httpx.AsyncClient, **changes: str | None) -> str:
    """Sign in to the app, and return its ID token."""
    answer = await allowed(browser, **changes)
    given = await exchanged(site, answer["code"])
    assert given.status_code == 200, given.text
    return str(given.json()["id_token"])


async def is_in(browser: httpx.AsyncClient) -> bool:
    return (await browser.get("/auth/account", headers={"accept": "application/json"})).status_code == 200


def policy_of(response: httpx.Response) -> dict[str, list[str]]:
    parts = response.headers["content-security-policy"].split("; ")
    return {name: values.split() for name, _, values in (part.partition(" ") for part in parts)}


async def confirmed(browser: httpx.AsyncClient, page: httpx.Response) -> httpx.Response:
    assert page.status_code == 200, page.text
    assert "Sign out?" in page.text
    return await browser.post(f"{PATH}/confirm", data=dict(fields_of(page)))


async def test_an_app_that_shows_the_id_token_of_this_session_signs_out_at_once(site: Site) -> None:
    async with site.browser() as browser:
        token = await token_of(site, browser)
        secret = browser.cookies[SESSION]
        asked = {"id_token_hint": token, "post_logout_redirect_uri": BYE, "state": "s t&a=te"}
        response = await browser.get(PATH, params=asked, headers=FROM_AN_APP)
        assert response.status_code == 303
        location = response.headers["location"]
        assert location == f"{BYE}&state=s+t%26a%3Dte"
        assert SESSION not in browser.cookies
        assert response.headers["cache-control"] == "no-store"
    assert not await site.is_alive(secret)


async def test_an_id_token_that_has_expired_is_good_enough(site: Site) -> None:
    async with site.browser() as browser:
        token = await token_of(site, browser)
        site.clock.now += 1000
        assert read_unverified(token).claims["exp"] < site.clock()
        response = await browser.get(PATH, params={"id_token_hint": token})
        assert "You are signed out" in response.text
        assert not await is_in(browser)


@pytest.mark.parametrize("state", [None, "s"])
async def test_the_state_is_given_back_if_there_is_one(site: Site, state: str | None) -> None:
    async with site.browser() as browser:
        asked = {"id_token_hint": await token_of(site, browser), "post_logout_redirect_uri": BYE}
        response = await browser.get(PATH, params={**asked, **({"state": state} if state else {})})
        given = dict(parse_qsl(urlsplit(response.headers["location"]).query))
        assert given == {"kept": "1", **({"state": state} if state else {})}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"state": "s"},
        {"client_id": "app"},
        {"client_id": "nobody"},
        {"logout_hint": EMAIL, "ui_locales": "pl en"},
        {"client_id": "app", "post_logout_redirect_uri": BYE, "state": "s"},
        {"post_logout_redirect_uri": BYE, "state": "s"},
        {"post_logout_redirect_uri": "https://evil.example/"},
    ],
    ids=lambda asked: " ".join(asked) or "nothing",
)
async def test_attack_logout_csrf_without_an_id_token_the_user_is_asked(
    site: Site, asked: dict[str, str]
) -> None:
    async with site.browser() as browser:
        await sign_in(browser)
        page = await browser.get(PATH, params=asked, headers=FROM_AN_APP)
        assert await is_in(browser)
        assert EMAIL in page.text
        response = await confirmed(browser, page)
        assert not await is_in(browser)
        if asked.get("client_id") == "app" and "post_logout_redirect_uri" in asked:
            assert response.headers["location"] == f"{BYE}&state=s"
        else:
            assert response.status_code == 200
            assert "You are signed out" in response.text
            assert "evil.example" not in page.text + response.text


async def test_attack_logout_csrf_the_id_token_of_the_attackers_own_session_ends_nobody_elses(
    site: Site,
) -> None:
    await site.add_user("eve@example.com")
    async with site.browser() as eves, site.browser() as anns:
        await sign_in(eves, email="eve@example.com")
        token = await token_of(site, eves)
        await sign_in(anns)
        page = await anns.get(PATH, params={"id_token_hint": token}, headers=FROM_AN_APP)
        assert "Sign out?" in page.text
        assert await is_in(anns)
        assert await is_in(eves)


async def test_attack_logout_csrf_the_id_token_of_an_earlier_session_asks(site: Site) -> None:
    async with site.browser() as browser:
        token = await token_of(site, browser)
        await browser.post("/auth/sign-out", data={})
        await sign_in(browser)
        page = await browser.get(PATH, params={"id_token_hint": token})
        assert "Sign out?" in page.text
        assert await is_in(browser)


async def test_attack_logout_csrf_the_id_token_of_the_same_user_in_another_browser_asks(site: Site) -> None:
    async with site.browser() as one, site.browser() as other:
        token = await token_of(site, one)
        site.clock.now += 1
        await sign_in(other)
        page = await other.get(PATH, params={"id_token_hint": token})
        assert "Sign out?" in page.text


async def test_attack_logout_csrf_the_form_of_the_page_cannot_be_sent_by_another_site(site: Site) -> None:
    async with site.browser() as browser:
        await sign_in(browser)
        page = await browser.get(PATH)
        response = await browser.post(f"{PATH}/confirm", data=dict(fields_of(page)), headers=FROM_AN_APP)
        assert response.status_code == 403
        assert await is_in(browser)


async def test_attack_a_ticket_of_somebody_elses_request_proves_nothing_about_this_browser(
    site: Site,
) -> None:
    await site.add_user("eve@example.com")
    async with site.browser() as eves, site.browser() as anns:
        await sign_in(eves, email="eve@example.com")
        asked = {"id_token_hint": await token_of(site, eves)}
        way = (await eves.post(PATH, data=asked, headers=FROM_AN_APP)).headers["location"]
        await sign_in(anns)
        assert "Sign out?" in (await anns.get(way)).text
        assert await is_in(anns)


async def test_an_app_may_send_a_form_and_no_id_token_gets_into_an_address(site: Site) -> None:
    async with site.browser() as browser:
        token = await token_of(site, browser)
        asked = {"id_token_hint": token, "post_logout_redirect_uri": BYE, "state": "s"}
        # No cookie comes with a form of another site.
        async with site.browser() as without:
            sent = await without.post(PATH, data=asked, headers=FROM_AN_APP)
        assert sent.status_code == 303
        way = sent.headers["location"]
        assert way.startswith(f"{PATH}?ticket=")
        assert token not in way
        assert "app.example" not in way
        response = await browser.get(way, headers=FROM_AN_APP)
        assert response.headers["location"] == f"{BYE}&state=s"
        assert not await is_in(browser)


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/",
        f"{BYE}&x=1",
        BYE.partition("?")[0],
        BYE.upper(),
        f"{BYE}#f",
        "https://app.example@evil.example/bye?kept=1",
        "javascript:alert(1)",
        "//evil.example",
        "/auth/account",
        "com.example.app:/bye/",
    ],
)
@pytest.mark.parametrize("shown", [True, False])
async def test_attack_open_redirect_only_a_registered_address_letter_by_letter(
    site: Site,
    uri: str,
    shown: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    async with site.browser() as browser:
        token = await token_of(site, browser)
        asked = {"id_token_hint": token} if shown else {"client_id": "app"}
        response = await browser.get(PATH, params={**asked, "post_logout_redirect_uri": uri})
        assert response.status_code == 400
        assert "This app cannot sign you out" in response.text
        assert "evil" not in response.text
        assert "location" not in response.headers
        assert await is_in(browser)


async def test_attack_open_redirect_nobody_is_sent_on_without_having_been_asked(site: Site) -> None:
    async with site.browser() as browser:
        asked = {"client_id": "app", "post_logout_redirect_uri": BYE}
        page = await browser.get(PATH, params=asked)
        assert page.status_code == 200
        assert "You are signed out" in page.text
        assert html.escape(BYE) in page.text
        assert "signed_out" not in page.text  # the script that goes on by itself


async def test_who_is_signed_out_already_is_sent_on(site: Site) -> None:
    async with site.browser() as browser:
        token = await token_of(site, browser)
        await browser.post("/auth/sign-out", data={})
        asked = {"id_token_hint": token, "post_logout_redirect_uri": BYE}
        assert (await browser.get(PATH, params=asked)).headers["location"] == BYE


async def test_who_was_signed_out_meanwhile_and_says_yes_is_sent_on(site: Site) -> None:
    async with site.browser() as browser:
        await sign_in(browser)
        page = await browser.get(PATH, params={"client_id": "app", "post_logout_redirect_uri": BYE})
        await browser.post("/auth/sign-out", data={})
        response = await browser.post(f"{PATH}/confirm", data=dict(fields_of(page)))
        assert response.headers["location"] == BYE


async def test_the_page_allows_its_form_to_lead_to_the_app_in_the_end(site: Site) -> None:
    async with site.browser() as browser:
        await sign_in(browser)
        for uri, target in ((BYE, "https://app.example"), ("com.example.app:/bye", "com.example.app:")):
            asked = {"client_id": "app", "post_logout_redirect_uri": uri}
            policy = policy_of(await browser.get(PATH, params=asked))
            assert policy["form-action"] == ["'self'", target]
            assert "frame-src" not in policy


def forged(site: Site, token: str) -> str:
    """Return the same ID token, signed by somebody else in the name of the same key."""
    seen = read_unverified(token)
    key = Key.from_jwk({**Key.generate("ES256").to_private_jwk(), "kid": seen.header["kid"]})
    return jwt.Signer(key, issuer=None, clock=site.clock).sign(dict(seen.claims))


async def test_attack_token_forgery_an_id_token_that_is_none_of_this_server_is_refused(site: Site) -> None:
    await add_app(site, id="other", post_logout_redirect_uris=("https://other.example/",))
    async with site.browser() as browser:
        token = await token_of(site, browser)
        head, body, signature = token.split(".")
        changed = f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
        access = (await site.tokens())["access_token"]
        unsigned = "eyJhbGciOiJub25lIn0." + body + "."
        for wrong in (changed, forged(site, token), "x", "a.b.c", access, unsigned, f"{token} ", "é"):
            response = await browser.get(PATH, params={"id_token_hint": wrong})
            assert response.status_code == 400, wrong
        response = await browser.get(PATH, params={"id_token_hint": token, "client_id": "other"})
        assert response.status_code == 400
        assert await is_in(browser)


async def test_an_id_token_by_a_key_that_is_kept_no_more_is_as_none(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with site.browser() as browser:
        token = await token_of(site, browser)
        keys = KeySet([Key.generate("ES256").public()])

        async def later(_: object) -> KeySet:
            return keys

        monkeypatch.setattr(type(site.server.flows.context.access_tokens), "key_set", later)
        page = await browser.get(PATH, params={"id_token_hint": token, "client_id": "app"})
        assert "Sign out?" in page.text
        assert await is_in(browser)


async def test_an_id_token_by_the_secret_of_the_app_is_verified_by_it(site: Site) -> None:
    secret = "a secret of 43 characters that nobody guesses"
    context = site.server.flows.context
    app = await context.storage.records.find_client("app")
    assert app is not None
    sealed = seal_secret(context.sealer, secret, owner="client")
    await context.storage.records.replace_client(
        msgspec.structs.replace(
            app,
            id_token_signed_response_alg="HS256",
            sealed_secret=sealed,
            secret_digest=digest(secret),
            token_endpoint_auth_method="client_secret_post",
        )
    )
    async with site.browser() as browser:
        answer = await allowed(browser)
        token = (await exchanged(site, answer["code"], client_secret=secret)).json()["id_token"]
        assert read_unverified(token).header["alg"] == "HS256"
        other = jwt.Signer(Key.from_secret(b"x" * 43, "HS256"), issuer=None, clock=site.clock)
        wrong = other.sign(dict(read_unverified(token).claims))
        assert (await browser.get(PATH, params={"id_token_hint": wrong})).status_code == 400
        response = await browser.get(PATH, params={"id_token_hint": token})
        assert "You are signed out" in response.text


async def test_one_with_offline_access_needs_no_question_while_the_sign_in_is_the_same(site: Site) -> None:
    scope = {"scope": "openid offline_access", "prompt": "consent"}
    async with site.browser() as browser, site.browser() as other:
        token = await token_of(site, browser, **scope)
        site.clock.now += 1
        await sign_in(other)
        assert "Sign out?" in (await other.get(PATH, params={"id_token_hint": token})).text
        assert "You are signed out" in (await browser.get(PATH, params={"id_token_hint": token})).text


@pytest.mark.parametrize(
    "query",
    [
        "client_id=app&client_id=app",
        "id_token_hint=a&id_token_hint=b",
        "state=1&state=2",
        "state=%",
        "state=%ff",
        f"state={'x' * 5000}",
        f"client_id={'x' * 40000}",
        "ticket=x",
        "ticket=%C3%A9",
        f"ticket={'A' * 20000}",
        f"ticket={'A' * 64}",
    ],
    ids=lambda query: query[:24],
)
async def test_a_request_that_is_malformed_is_refused_on_a_page(site: Site, query: str) -> None:
    async with site.browser() as browser:
        await sign_in(browser)
        response = await browser.get(f"{PATH}?{query}")
        assert response.status_code == 400
        assert response.headers["content-type"].startswith("text/html")
        assert await is_in(browser)


async def test_a_ticket_is_good_for_a_while_and_while_its_app_is_as_it_was(site: Site) -> None:
    logout = site.server.flows.provider.logout
    records = site.server.flows.context.storage.records
    wish = LogoutWish(client_id="app", return_to=BYE, at=site.clock())
    ticket = logout.seal(wish)
    async with site.browser() as browser:
        assert (await browser.get(PATH, params={"ticket": ticket})).status_code == 200
        site.clock.now += 3600
        assert (await browser.get(PATH, params={"ticket": ticket})).status_code == 400
        gone = logout.seal(LogoutWish(client_id="app", return_to="https://app.example/was", at=site.clock()))
        assert (await browser.get(PATH, params={"ticket": gone})).status_code == 400
        fresh = logout.seal(LogoutWish(client_id="app", return_to=BYE, at=site.clock()))
        await records.delete_client("app")
        assert (await browser.get(PATH, params={"ticket": fresh})).status_code == 400


async def test_head_signs_nobody_out(site: Site) -> None:
    async with site.browser() as browser:
        token = await token_of(site, browser)
        assert (await browser.head(PATH, params={"id_token_hint": token})).status_code == 405
        assert await is_in(browser)


async def test_an_access_token_is_no_session_of_a_browser(site: Site) -> None:
    tokens = await site.tokens()
    async with site.program() as program:
        headers = {"authorization": f"Bearer {tokens['access_token']}"}
        response = await program.get(PATH, headers=headers)
        assert "You are signed out" in response.text
        alive = await program.get("/auth/session", headers=headers)
        assert alive.status_code == 200


async def test_it_answers_no_script_of_another_origin(site: Site) -> None:
    async with site.browser() as browser:
        response = await browser.get(PATH, headers={"origin": "https://app.example"})
        assert not [name for name in response.headers if name.startswith("access-control")]
        assert response.headers["x-frame-options"] == "DENY"


async def test_where_cookies_are_strict_the_user_is_asked_because_none_came_along() -> None:
    async with open_site(same_site="strict") as site:
        await site.add_user()
        await add_app(site, post_logout_redirect_uris=(BYE,))
        async with site.browser() as browser:
            token = await token_of(site, browser)
            async with site.browser() as without:
                page = await without.get(PATH, params={"id_token_hint": token}, headers=FROM_AN_APP)
            await confirmed(browser, page)
            assert not await is_in(browser)


# --- the front channel ---------------------------------------------------------------------------------------


async def framed_apps(site: Site) -> None:
    await add_app(
        site,
        id="one",
        redirect_uris=("https://app.example/cb",),
        frontchannel_logout_uri="https://one.example/out?x=1",
        post_logout_redirect_uris=(BYE,),
    )


async def test_front_channel_logout_the_browser_tells_the_apps_of_the_session_and_goes_on(site: Site) -> None:
    await framed_apps(site)
    async with site.browser() as browser:
        answer = await allowed(browser, client_id="one")
        given = (await exchanged(site, answer["code"], client_id="one")).json()
        sid = read_unverified(given["id_token"]).claims["sid"]
        asked = {"id_token_hint": given["id_token"], "post_logout_redirect_uri": BYE, "state": "s"}
        page = await browser.get(PATH, params=asked)
        assert page.status_code == 200
        (source,) = re.findall(r'<iframe src="([^"]+)"', page.text)
        url = urlsplit(html.unescape(source))
        assert f"{url.scheme}://{url.netloc}{url.path}" == "https://one.example/out"
        assert parse_qs(url.query) == {"x": ["1"], "iss": [ORIGIN], "sid": [sid]}
        assert policy_of(page)["frame-src"] == ["https://one.example"]
        assert html.escape(f"{BYE}&state=s") in page.text
        assert "signed_out" in page.text
        assert EMAIL not in page.text
        assert not await is_in(browser)


async def test_front_channel_logout_the_sites_own_sign_out_tells_them_too(site: Site) -> None:
    await framed_apps(site)
    async with site.browser() as browser:
        await exchanged(site, (await allowed(browser, client_id="one"))["code"], client_id="one")
        page = await browser.post("/auth/sign-out", data={})
        assert policy_of(page)["frame-src"] == ["https://one.example"]
        assert "You are signed out" in page.text
        assert not await is_in(browser)


async def test_front_channel_logout_an_app_that_is_switched_off_is_not_loaded(site: Site) -> None:
    await framed_apps(site)
    async with site.browser() as browser:
        await exchanged(site, (await allowed(browser, client_id="one"))["code"], client_id="one")
        await disabled(site, "one")
        response = await browser.post("/auth/sign-out", data={})
        assert response.status_code == 303


async def disabled(site: Site, client_id: str) -> None:
    records = site.server.flows.context.storage.records
    client = await records.find_client(client_id)
    assert client is not None
    await records.replace_client(msgspec.structs.replace(client, disabled_at=site.clock()))
