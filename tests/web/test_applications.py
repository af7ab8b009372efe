"""The page of the apps that a user gave access to, and taking it back."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from coatcheck.oauth.model import API, APIScope
from tests.web.authorizing import REQUEST, add_app, allowed, exchanged, sign_in
from tests.web.sites import Site, bearer, open_site

pytestmark = pytest.mark.anyio

PATH = "/auth/applications"
ORDERS = "https://orders.example"
JSON = {"accept": "application/json"}


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as made:
        await made.add_user(scopes="reports")
        records = made.server.flows.context.storage.records
        scopes = (APIScope(name="read", description="See your orders", for_everybody=True),)
        await records.add_api(API(audience=ORDERS, name="Orders", scopes=scopes, created_at=0.0))
        await add_app(made, registered_by="itself")
        yield made


async def granted(site: Site, browser: httpx.AsyncClient, **changes: str | None) -> dict[str, Any]:
    """Let the app have what it asks for; return its tokens."""
    answer = await allowed(browser, **changes)
    tokens: dict[str, Any] = (await exchanged(site, answer["code"])).json()
    return tokens


async def listed(browser: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await browser.get(PATH, headers=JSON)).json()["applications"]
    return found


async def refresh(site: Site, token: object) -> int:
    async with site.program() as program:
        data = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "app"}
        return (await program.post("/auth/token", data=data)).status_code


async def test_a_program_is_told_who_has_access_to_what(site: Site) -> None:
    async with site.browser() as browser:
        await sign_in(browser)
        assert await listed(browser) == []
        await granted(site, browser, scope="openid email read", resource=ORDERS)
        assert await listed(browser) == [
            {
                "client_id": "app",
                "client_name": "Photo Album",
                "client_uri": None,
                "scope": "openid email read",
                "apis": [{"audience": ORDERS, "name": "Orders"}],
                "since": int(site.clock()),
                "last_used_at": int(site.clock()),
                "offline": False,
                "remembered": True,
            }
        ]


async def test_the_page_says_it_in_words_with_the_host_that_nobody_can_imitate(site: Site) -> None:
    async with site.browser() as browser:
        await sign_in(browser)
        assert "no app access" in (await browser.get(PATH)).text
        await granted(site, browser, scope="openid read offline_access", resource=ORDERS, prompt="consent")
        page = (await browser.get(PATH)).text
        for words in (
            "Photo Album",
            "app.example",
            "Not verified",
            "See your orders",
            "Until you take it back",
        ):
            assert words in page
        assert 'href="/auth/applications"' in (await browser.get("/auth/account")).text


async def test_what_belongs_to_no_registered_api_is_of_this_server(site: Site) -> None:
    async with site.browser() as browser:
        await granted(site, browser, scope="openid reports")
        (found,) = await listed(browser)
        assert found["scope"] == "openid reports"
        assert [each["audience"] for each in found["apis"]] == ["https://testserver"]


async def test_removing_access_ends_all_sessions_of_the_app_and_forgets_the_consent(site: Site) -> None:
    async with site.browser() as browser, site.browser() as other:
        online = await granted(site, browser)
        offline = await granted(site, other, scope="openid offline_access", prompt="consent")
        assert len(await listed(browser)) == 1
        response = await browser.post(f"{PATH}/remove", data={"client_id": "app"})
        assert response.headers["location"] == f"{PATH}?done=removed"
        assert "has no access any more" in (await browser.get(response.headers["location"])).text
        assert await listed(browser) == []
        async with site.program() as program:
            for each in (online, offline):
                answer = await program.get("/auth/userinfo", headers=bearer(each["access_token"]))
                assert answer.status_code == 401
        for each in (online, offline):
            assert await refresh(site, each.get("refresh_token", "")) == 400
        # The user stays signed in, and is asked again.
        assert (await browser.get("/auth/account", headers=JSON)).status_code == 200
        asked = await browser.get("/auth/authorize", params=REQUEST)
        assert "asks for access" in (await browser.get(asked.headers["location"])).text


async def test_attack_a_code_that_is_on_its_way_when_access_is_removed_gives_nothing(site: Site) -> None:
    async with site.browser() as browser:
        answer = await allowed(browser)
        await browser.post(f"{PATH}/remove", data={"client_id": "app"})
        response = await exchanged(site, answer["code"])
        assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")
        assert await listed(browser) == []


async def test_a_program_removes_access_likewise(site: Site) -> None:
    tokens = await site.tokens()
    async with site.browser() as browser, site.program() as program:
        await granted(site, browser)
        headers = bearer(tokens["access_token"])
        for _ in range(2):
            answer = await program.post(f"{PATH}/remove", json={"client_id": "app"}, headers=headers)
            assert answer.status_code == 204
        assert await listed(browser) == []


@pytest.mark.parametrize("client_id", ["nobody", "first-party", "", "'; --"])
async def test_what_is_no_app_of_the_user_changes_nothing(site: Site, client_id: str) -> None:
    async with site.browser() as browser:
        await granted(site, browser)
        assert (await browser.post(f"{PATH}/remove", data={"client_id": client_id})).status_code == 303
        assert (await browser.get("/auth/account", headers=JSON)).status_code == 200
        assert len(await listed(browser)) == 1


async def test_attack_the_access_of_somebody_elses_app_cannot_be_seen_or_removed(site: Site) -> None:
    await site.add_user("eve@example.com")
    async with site.browser() as anns, site.browser() as eves:
        await granted(site, anns)
        await sign_in(eves, email="eve@example.com")
        assert await listed(eves) == []
        await eves.post(f"{PATH}/remove", data={"client_id": "app"})
        assert len(await listed(anns)) == 1


async def test_attack_csrf_another_site_cannot_remove_access(site: Site) -> None:
    async with site.browser() as browser:
        await granted(site, browser)
        headers = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
        response = await browser.post(f"{PATH}/remove", data={"client_id": "app"}, headers=headers)
        assert response.status_code == 403
        assert len(await listed(browser)) == 1


async def test_attack_an_app_cannot_see_or_remove_what_others_have(site: Site) -> None:
    async with site.browser() as browser, site.program() as program:
        tokens = await granted(site, browser)
        headers = bearer(tokens["access_token"])
        assert (await program.get(PATH, headers=headers)).status_code in {401, 403}
        answer = await program.post(f"{PATH}/remove", json={"client_id": "app"}, headers=headers)
        assert answer.status_code in {401, 403}
        assert len(await listed(browser)) == 1


async def test_what_ended_with_the_browsers_session_is_only_remembered(site: Site) -> None:
    async with site.browser() as browser:
        await granted(site, browser)
        await browser.post("/auth/sign-out", data={})
        await sign_in(browser)
        (found,) = await listed(browser)
        assert (found["last_used_at"], found["remembered"]) == (None, True)
        assert "Has no access at this moment" in (await browser.get(PATH)).text


async def test_what_has_expired_is_not_in_use(site: Site) -> None:
    async with site.browser() as browser:
        await granted(site, browser)
        site.clock.now += 400 * 24 * 3600
        await sign_in(browser)
        (found,) = await listed(browser)
        assert (found["last_used_at"], found["offline"]) == (None, False)


async def test_an_app_of_the_site_itself_is_listed_though_nobody_was_asked(site: Site) -> None:
    await add_app(site, id="own", name="Own", first_party=True)
    async with site.browser() as browser:
        await sign_in(browser)
        answer = await allowed(browser, client_id="own")
        await exchanged(site, answer["code"], client_id="own")
        (found,) = await listed(browser)
        assert (found["client_id"], found["remembered"]) == ("own", False)


async def test_the_app_that_was_used_last_comes_first(site: Site) -> None:
    await add_app(site, id="other", name="Other")
    async with site.browser() as browser:
        await granted(site, browser)
        site.clock.now += 400
        answer = await allowed(browser, client_id="other")
        await exchanged(site, answer["code"], client_id="other")
        assert [each["client_id"] for each in await listed(browser)] == ["other", "app"]


async def test_nobody_is_told_anything_without_being_signed_in(site: Site) -> None:
    async with site.browser() as browser:
        assert (await browser.get(PATH)).headers["location"].startswith("/auth/sign-in?next=")
        assert (await browser.get(PATH, headers=JSON)).status_code == 401
