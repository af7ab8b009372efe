"""ASVS 5.0, chapter V10, sections 5 to 7: OpenID Connect for clients and providers, and consent."""

from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from coatcheck.jose.hazmat import read_unverified
from tests.asvs.provider import ORDERS, add_api, ask, permit, tokens_of, userinfo
from tests.asvs.services import claims_of, service_of
from tests.web.authorizing import add_app, answer_in, asked, begun, decide, fields_of, sign_in
from tests.web.sites import EMAIL, ORIGIN, SESSION, Site

pytestmark = pytest.mark.anyio

CALLED_BACK = "https://app.example/signed-out-there"
RETURN = "https://app.example/goodbye"


async def authorize(browser: httpx.AsyncClient, **changes: str | None) -> httpx.Response:
    return await browser.get("/auth/authorize", params=asked(**changes))


async def signed_in(site: Site, cookies: httpx.Cookies) -> bool:
    return await site.is_alive(cookies.get(SESSION) or "none")


# --- what clients compare -----------------------------------------------------------------------------------


@pytest.mark.asvs("10.5.1")
@pytest.mark.asvs("10.5.2")
@pytest.mark.asvs("10.5.4")
async def test_v10_5_1_an_id_token_says_for_which_sign_in_at_which_client_and_of_whom_it_is(
    site: Site,
) -> None:
    """Replay of an ID token: in another sign-in, or at another client."""
    await add_app(site)
    user = await site.server.flows.administration.find_user(EMAIL)
    async with site.browser() as browser:
        for nonce in ("of one sign-in", "of another"):
            said = claims_of((await tokens_of(site, browser, nonce=nonce))["id_token"])
            assert (said["nonce"], said["aud"], said["sub"]) == (nonce, "app", user.id)
            assert said["exp"] - said["iat"] <= 300


@pytest.mark.asvs("10.5.5")
@pytest.mark.asvs("9.2.2")
async def test_v10_5_5_a_logout_token_passes_for_nothing_else_and_not_for_long(site: Site) -> None:
    await add_app(site, backchannel_logout_uri=CALLED_BACK)
    async with site.browser() as browser:
        tokens = await tokens_of(site, browser)
        await browser.post("/auth/sign-out")
    back_channel = site.server.flows.provider.back_channel
    notice = await back_channel.claim()
    assert notice is not None
    outgoing = await back_channel.prepare(notice)
    assert outgoing is not None
    assert outgoing.uri == CALLED_BACK
    token = read_unverified(outgoing.token)
    said: dict[str, Any] = dict(token.claims)
    assert token.header["typ"] == "logout+jwt"
    assert said["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert "nonce" not in said
    assert (said["iss"], said["aud"], said["sid"]) == (ORIGIN, "app", claims_of(tokens["id_token"])["sid"])
    assert said["exp"] - said["iat"] <= 120
    # Nor is it an access token, or the other way about.
    assert (await userinfo(site, outgoing.token)).status_code == 401
    assert await service_of(site, audience="app").reason(outgoing.token) == "type"
    assert await service_of(site, audience="app").reason(tokens["id_token"]) == "type"


# --- the provider -------------------------------------------------------------------------------------------


@pytest.mark.asvs("10.6.2")
@pytest.mark.parametrize("how", ["nothing", "client", "foreign-token", "form"])
async def test_v10_6_2_nobody_is_signed_out_by_a_link_of_somebody_else(site: Site, how: str) -> None:
    """Forced logout: without an ID token of this very session, the user is asked."""
    await add_app(site, post_logout_redirect_uris=(RETURN,))
    async with site.browser() as thief, site.browser() as browser:
        await site.add_user("eve@example.com")
        await sign_in(thief, email="eve@example.com")
        foreign = (await tokens_of(site, thief))["id_token"]
        await tokens_of(site, browser)
        query = {
            "client": {"client_id": "app", "post_logout_redirect_uri": RETURN},
            "foreign-token": {"id_token_hint": foreign, "post_logout_redirect_uri": RETURN},
        }.get(how, {})
        if how == "form":
            sent_on = await browser.post("/auth/end-session", data={"id_token_hint": foreign})
            response = await browser.get(sent_on.headers["location"])
        else:
            response = await browser.get(f"/auth/end-session?{urlencode(query)}")
        assert response.status_code == 200
        assert 'action="/auth/end-session/confirm"' in response.text
        assert await signed_in(site, browser.cookies)


@pytest.mark.asvs("10.6.2")
async def test_v10_6_2_who_is_asked_says_yes_on_a_page_that_no_other_site_can_press(site: Site) -> None:
    await add_app(site, post_logout_redirect_uris=(RETURN,))
    async with site.browser() as browser:
        tokens = await tokens_of(site, browser)
        page = await browser.get("/auth/end-session?client_id=app")
        fields = dict(fields_of(page))
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        foreign = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
        forged = await browser.post("/auth/end-session/confirm", data=fields, headers=foreign)
        assert forged.status_code == 403
        assert await signed_in(site, browser.cookies)
        # The client itself can, with the ID token of this session.
        before = browser.cookies.get(SESSION) or ""
        query = urlencode({"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": RETURN})
        await browser.get(f"/auth/end-session?{query}")
        assert not await site.is_alive(before)
        assert (await userinfo(site, tokens["access_token"])).status_code == 401


# --- consent ------------------------------------------------------------------------------------------------


@pytest.mark.asvs("10.7.1")
async def test_v10_7_1_nothing_is_given_that_the_user_has_not_consented_to(site: Site) -> None:
    await add_app(site)
    async with site.browser() as browser:
        await sign_in(browser)
        silent = answer_in(await authorize(browser, prompt="none"))
        assert silent["error"] == "consent_required"
        back = await begun(browser)
        assert "asks for access" in (await browser.get(back)).text
        assert answer_in(await decide(browser, back, "deny"))["error"] == "access_denied"
        await tokens_of(site, browser)
        assert "code" in answer_in(await authorize(browser, prompt="none"))
        for more in ({"scope": "openid email phone"}, {"scope": "openid email offline_access"}):
            assert answer_in(await authorize(browser, prompt="none", **more))["error"] == "consent_required"
        # Another user of the same browser has consented to nothing.
        await site.add_user("bob@example.com")
        await sign_in(browser, email="bob@example.com")
        assert answer_in(await authorize(browser, prompt="none"))["error"] == "consent_required"


@pytest.mark.asvs("10.7.1")
@pytest.mark.parametrize("uri", ["http://127.0.0.1/cb", "com.example.app:/cb"], ids=["loopback", "scheme"])
async def test_v10_7_1_where_any_program_could_pose_as_the_client_users_are_asked_each_time(
    site: Site, uri: str
) -> None:
    await add_app(site, application_type="native", redirect_uris=(uri,), first_party=True)
    async with site.browser() as browser:
        await sign_in(browser)
        for _ in range(2):
            back = await begun(browser, redirect_uri=uri)
            assert "code" in answer_in(await decide(browser, back, "allow"))
        silent = answer_in(await authorize(browser, redirect_uri=uri, prompt="none"))
    assert silent["error"] == "consent_required"


@pytest.mark.asvs("10.7.2")
@pytest.mark.asvs("3.7.3")
async def test_v10_7_2_the_page_says_who_asks_for_what_at_which_api_and_for_how_long(site: Site) -> None:
    await add_api(site, "orders:read")
    await permit(site, "user", EMAIL, "orders:read")
    await add_app(site)
    async with site.browser() as browser:
        await sign_in(browser)
        scope = "openid email orders:read"
        page = (await browser.get(await begun(browser, scope=scope, resource=ORDERS))).text
        for words in (
            *("Photo Album", "app.example", EMAIL, "Your e-mail address", "Orders", "To orders:read"),
            *("Until you sign out in this browser", ">Deny<", ">Allow<"),
        ):
            assert words in page
        longer = await begun(browser, scope=f"{scope} offline_access", resource=ORDERS)
        assert "Until you take it back, even after you sign out" in (await browser.get(longer)).text


@pytest.mark.asvs("10.7.3")
@pytest.mark.asvs("10.4.9")
async def test_v10_7_3_people_see_what_they_allowed_and_take_it_back(site: Site) -> None:
    await add_app(site)
    async with site.browser() as browser:
        tokens = await tokens_of(site, browser, scope="openid email offline_access")
        page = (await browser.get("/auth/applications")).text
        for words in ("Photo Album", "app.example", "Your e-mail address"):
            assert words in page
        assert (await userinfo(site, tokens["access_token"])).status_code == 200
        await browser.post("/auth/applications/remove", data={"client_id": "app"})
        assert "Photo Album" not in (await browser.get("/auth/applications")).text
        assert answer_in(await authorize(browser, prompt="none"))["error"] == "consent_required"
    assert (await userinfo(site, tokens["access_token"])).status_code == 401
    assert await service_of(site).reason(tokens["access_token"]) == "revoked-session"
    given = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": "app"}
    assert (await ask(site, "token", **given)).json()["error"] == "invalid_grant"


@pytest.mark.asvs("10.7.3")
@pytest.mark.asvs("8.2.2")
async def test_v10_7_3_nobody_sees_or_takes_back_what_another_allowed(site: Site) -> None:
    await add_app(site)
    await site.add_user("eve@example.com")
    async with site.browser() as browser, site.signed_in_browser("eve@example.com") as other:
        tokens = await tokens_of(site, browser)
        assert "Photo Album" not in (await other.get("/auth/applications")).text
        await other.post("/auth/applications/remove", data={"client_id": "app"})
        assert "Photo Album" in (await browser.get("/auth/applications")).text
    assert (await userinfo(site, tokens["access_token"])).status_code == 200
