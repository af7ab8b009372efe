"""What clients, and those who manage them, cannot make of what users once said yes to."""

import httpx
import pytest
from msgspec.structs import replace

from coatcheck.oauth.model import APIScope
from tests.flows.documents_known import Known
from tests.flows.world import asynchronous
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
    way_of,
)
from tests.web.sites import Site, open_site

ELSEWHERE = "https://evil.example/cb"


async def authorize(browser: httpx.AsyncClient, **changes: str | None) -> httpx.Response:
    return await browser.get("/auth/authorize", params=asked(**changes))


@asynchronous
async def test_attack_nobody_administers_by_what_an_administrator_once_allowed() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user(scopes="coatcheck:admin")
        await add_app(site)
        for _ in range(2):
            await sign_in(browser)
            back = await begun(browser, scope="openid coatcheck:admin")
            assert "code" in answer_in(await decide(browser, back, "allow"))
        silent = answer_in(await authorize(browser, scope="openid coatcheck:admin", prompt="none"))
        assert silent["error"] == "consent_required"


@asynchronous
async def test_attack_a_client_whose_answers_go_elsewhere_is_asked_about_again() -> None:
    async with open_site() as site, site.browser() as browser:
        await site.add_user()
        app = await add_app(site, response_types=("code",))
        await allowed(browser)
        clients = site.server.flows.provider.clients
        await clients.change(app.id, {"client_name": "Another name"}, actor="administrator")
        assert "code" in answer_in(await authorize(browser))
        changes = {"redirect_uris": [CALLBACK, ELSEWHERE]}
        await clients.change(app.id, changes, actor="administrator")
        assert way_of(await authorize(browser, redirect_uri=ELSEWHERE)).startswith("/auth/continue/")


@asynchronous
async def test_attack_what_administering_is_called_is_not_for_others_to_say() -> None:
    async with open_site() as site:
        apis, own = site.server.flows.provider.apis, site.server.flows.context.access_tokens.audience
        harmless = (APIScope(name="coatcheck:admin", description="See what time it is"),)
        await apis.change(own, actor="administrator", scopes=harmless)
        assert "time" not in str((await apis.get(own)).scopes)


@pytest.mark.parametrize("scheme", ["http://127.0.0.1:{}/cb", "com.example.app:/cb"])
def test_attack_an_imitation_gets_nothing_of_what_the_real_app_is_granted_later(scheme: str) -> None:
    @asynchronous
    async def check() -> None:
        async with open_site() as site, site.browser() as browser:
            await site.add_user()
            uris = ("http://127.0.0.1/cb", "com.example.app:/cb")
            await add_app(site, application_type="native", redirect_uris=uris)
            await sign_in(browser)
            tokens = []
            for number, scope in ((1, "openid"), (2, "openid email profile")):
                uri = scheme.format(number)
                answer = answer_in(
                    await decide(browser, await begun(browser, redirect_uri=uri, scope=scope), "allow")
                )
                tokens.append((await exchanged(site, answer["code"], redirect_uri=uri)).json())
            async with site.program() as program:
                refreshed = await program.post(
                    "/auth/token",
                    data={
                        "grant_type": "refresh_token",
                        "client_id": "app",
                        "refresh_token": tokens[0]["refresh_token"],
                    },
                )
            assert refreshed.json()["scope"] == "openid"

    check()


async def a_strangers_app(site: Site) -> None:
    app = await add_app(site)
    records = site.server.flows.context.storage.records
    await records.replace_client(replace(app, registered_by="itself"))


BROKEN = [{"claims": "{"}, {"response_type": "token"}, {"scope": '"'}, {"acr_values": "x", "claims": "[]"}]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: next(iter(broken)))
def test_attack_a_stranger_cannot_make_links_here_that_lead_to_them(broken: dict[str, str]) -> None:
    @asynchronous
    async def check() -> None:
        async with open_site() as site, site.browser() as browser:
            await site.add_user()
            await a_strangers_app(site)
            page = await authorize(browser, **broken)
            assert page.status_code == 400
            assert "location" not in page.headers
            # Silently, nobody sees where it leads; and who is signed in can tell what they were doing.
            assert "error" in answer_in(await authorize(browser, prompt="none", **broken))
            await sign_in(browser)
            assert "error" in answer_in(await authorize(browser, **broken))

    check()


@asynchronous
async def test_an_app_that_an_administrator_registered_is_told_what_is_wrong_at_once() -> None:
    async with open_site() as site, site.browser() as browser:
        await add_app(site)
        assert answer_in(await authorize(browser, claims="{"))["error"] == "invalid_request"


@asynchronous
async def test_attack_the_page_names_the_host_that_describes_an_app() -> None:
    url, known = "https://stranger.example/app.json", Known()
    known.put(
        url,
        {
            "client_id": url,
            "client_name": "Big Bank",
            "redirect_uris": [CALLBACK],
            "token_endpoint_auth_method": "none",
        },
    )
    async with open_site(registration="open") as site, site.browser() as browser:
        await site.add_user()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(site.server.flows.context.documents, "get", known.get)
            await sign_in(browser)
            page = await browser.get(await begun(browser, client_id=url, scope=None))
        assert "Big Bank" in page.text
        assert "described at" in page.text
        assert ">stranger.example<" in page.text
