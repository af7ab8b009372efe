"""ASVS 5.0, chapter V10, as far as it concerns resource servers, refresh tokens and revocation."""

from datetime import timedelta

import httpx
import pytest

from coatcheck.sessions.policy import RefreshPolicy
from coatcheck.verifier import InsufficientScopeError, StepUpNeededError
from tests.asvs.services import altered, claims_of, service_of, status_at_site
from tests.web.sites import EMAIL, ORIGIN, PASSWORD, Site, bearer, open_site

pytestmark = pytest.mark.anyio

API = "https://api.example"
DAY = 24 * 3600.0


async def refresh(site: Site, token: str) -> httpx.Response:
    async with site.program() as program:
        return await program.post("/auth/token", data={"grant_type": "refresh_token", "refresh_token": token})


@pytest.mark.asvs("10.3.1")
async def test_v10_3_1_a_service_takes_tokens_that_are_for_it(site: Site) -> None:
    token = (await site.tokens())["access_token"]
    assert await service_of(site).accepts(token)
    assert await service_of(site, audience=API).reason(token) == "audience"


@pytest.mark.asvs("10.3.1")
async def test_v10_3_1_who_asks_about_a_token_for_another_service_is_told_nothing(site: Site) -> None:
    _, key = await site.server.flows.services.add("orders", audience=API)
    tokens = await site.tokens()
    async with site.program() as program:
        for token in (tokens["access_token"], tokens["refresh_token"]):
            answer = await program.post("/auth/introspect", data={"token": token}, headers=bearer(key))
            assert answer.json() == {"active": False}


@pytest.mark.asvs("10.3.2")
async def test_v10_3_2_a_service_goes_by_what_the_user_and_the_token_may() -> None:
    async with open_site() as site:
        user = await site.add_user(scopes="orders:read orders:write")
        async with site.program() as program:
            wish = {"email": EMAIL, "password": PASSWORD, "scope": "orders:read"}
            token = (await program.post("/auth/sign-in", json=wish)).json()["access_token"]
        service = service_of(site)
        await service.hear()
        headers = bearer(token)
        principal = service.verifier.require(headers, scopes=["orders:read"])
        assert principal.subject == user.id
        assert principal.scopes == {"orders:read"}
        with pytest.raises(InsufficientScopeError):
            service.verifier.require(headers, scopes=["orders:read", "orders:write"])
        # What is taken away is gone from tokens that are out.
        site.clock.now += 1
        await site.server.flows.administration.set_scopes(EMAIL, frozenset())
        assert await service.reason(token) == "revoked-user"


@pytest.mark.asvs("10.3.3")
async def test_v10_3_3_a_user_is_known_by_what_nobody_else_will_ever_be(site: Site) -> None:
    service = service_of(site)
    token = (await site.tokens())["access_token"]
    before = await service.principal(token)
    assert claims_of(token)["iss"] == service.verifier.issuer
    assert EMAIL not in str(claims_of(token))
    await site.server.flows.administration.delete(EMAIL)
    await site.add_user()
    after = await service.principal((await site.tokens())["access_token"])
    assert after.subject != before.subject


@pytest.mark.asvs("10.3.4")
async def test_v10_3_4_a_service_asks_how_strongly_and_how_lately(site: Site) -> None:
    token = (await site.tokens())["access_token"]
    service = service_of(site)
    await service.hear()
    headers, soon = bearer(token), timedelta(minutes=1)
    assert service.verifier.require(headers, acr=["aal1"], max_age=soon).methods == ("pwd",)
    with pytest.raises(StepUpNeededError) as weak:
        service.verifier.require(headers, acr=["aal2"])
    assert weak.value.acr_values == ("aal2",)
    site.clock.now += 61
    with pytest.raises(StepUpNeededError) as late:
        service.verifier.require(headers, max_age=soon)
    assert late.value.max_age == 60
    # To refresh a token is no new proof.
    silent = await altered(site, token, auth_time=None)
    with pytest.raises(StepUpNeededError):
        service.verifier.require(bearer(silent), max_age=soon)


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


@pytest.mark.asvs("10.4.8")
async def test_v10_4_8_refreshing_ends_however_often_it_is_done(site: Site) -> None:
    token, began = (await site.tokens())["refresh_token"], site.clock.now
    while site.clock.now < began + RefreshPolicy().lifetime.total_seconds() - DAY:
        site.clock.now += DAY
        token = (await refresh(site, token)).json()["refresh_token"]
    site.clock.now = began + RefreshPolicy().lifetime.total_seconds()
    assert (await refresh(site, token)).status_code == 400


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
