"""ASVS 5.0, chapter V10, sections 1 to 3: OAuth for all parties, for clients, and for resource servers."""

from datetime import timedelta

import pytest

from coatcheck.verifier import InsufficientScopeError, StepUpNeededError
from tests.asvs.provider import (
    ORDERS,
    add_api,
    add_confidential_app,
    metadata_of,
    redeemed,
    tokens_of,
    userinfo,
)
from tests.asvs.services import altered, claims_of, service_of, status_at_site
from tests.web.authorizing import CALLBACK, add_app, allowed, answer_in, asked, exchanged, sign_in
from tests.web.sites import EMAIL, PASSWORD, Site, bearer, open_site

pytestmark = pytest.mark.anyio

API = "https://api.example"


@pytest.mark.asvs("10.1.1")
@pytest.mark.asvs("10.6.1")
async def test_v10_1_1_no_access_token_ever_passes_through_a_browser() -> None:
    """The implicit grant in all its forms, where the most response types are switched on."""
    async with open_site(hybrid=True) as site, site.browser() as browser:
        await site.add_user()
        await add_app(site, first_party=True)
        await sign_in(browser)
        for response_type in ("token", "code token", "id_token token", "code id_token token", "none"):
            for mode in ("query", "fragment", "form_post"):
                request = asked(response_type=response_type, response_mode=mode)
                answer = answer_in(await browser.get("/auth/authorize", params=request))
                assert answer["error"] in {"unsupported_response_type", "invalid_request"}
                assert answer.keys() == {"error", "error_description", "state", "iss"}
        document = await metadata_of(site)
        assert set(document["response_types_supported"]) == {"code", "code id_token", "id_token"}
    async with open_site() as site:
        document = await metadata_of(site)
        assert document["response_types_supported"] == ["code"]


@pytest.mark.asvs("10.1.1")
async def test_v10_1_1_a_browser_that_signs_in_here_gets_no_tokens_at_all(site: Site) -> None:
    async with site.browser() as browser:
        answer = await sign_in(browser)
        shown = [answer.text, *answer.headers.values()]
        shown += [(await browser.get(f"/auth/{path}")).text for path in ("account", "devices", "session")]
    assert not any("eyJ" in each or "access_token" in each for each in shown)


@pytest.mark.asvs("10.1.2")
async def test_v10_1_2_an_injected_code_is_worth_nothing_away_from_what_began_it(site: Site) -> None:
    await add_app(site)
    await add_app(site, id="other")
    async with site.browser() as browser:
        answer = await allowed(browser, state="of this browser", nonce="of this sign-in")
    assert answer["state"] == "of this browser"
    for changes in (
        {"code_verifier": "of-another-transaction-that-the-thief-began-himself"},
        {"client_id": "other"},
        {"redirect_uri": f"{CALLBACK}/other"},
    ):
        refused = await exchanged(site, answer["code"], **changes)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    tokens = (await exchanged(site, answer["code"])).json()
    assert claims_of(tokens["id_token"])["nonce"] == "of this sign-in"


@pytest.mark.asvs("10.2.1")
async def test_v10_2_1_a_code_that_a_stranger_plants_in_a_browser_cannot_be_exchanged(site: Site) -> None:
    """Cross-site request forgery on the client's callback: the browser of the victim has another verifier."""
    await add_app(site)
    await site.add_user("eve@example.com")
    async with site.browser() as thief:
        await sign_in(thief, email="eve@example.com")
        planted = (await allowed(thief))["code"]
    of_the_victim = "the-verifier-that-the-browser-of-the-victim-made"
    refused = await exchanged(site, planted, code_verifier=of_the_victim)
    assert refused.json()["error"] == "invalid_grant"


@pytest.mark.asvs("10.2.2")
async def test_v10_2_2_every_answer_names_its_issuer_so_that_none_is_mixed_up(site: Site) -> None:
    await add_app(site)
    async with site.browser() as browser:
        document = await metadata_of(site)
        answers = [await allowed(browser)]
        wrong = ({"response_type": "token"}, {"scope": '"'}, {"response_mode": "form_post", "max_age": "x"})
        answers += [
            answer_in(await browser.get("/auth/authorize", params=asked(**changes))) for changes in wrong
        ]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert {each["iss"] for each in answers} == {document["issuer"]}


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


@pytest.mark.asvs("10.3.1")
@pytest.mark.asvs("9.2.3")
@pytest.mark.asvs("9.2.4")
async def test_v10_3_1_a_token_for_one_api_opens_no_other(site: Site) -> None:
    """Token substitution: by a service that was called with it, and by whoever found it."""
    await add_app(site)
    await add_api(site, everybody="orders:read")
    await add_api(site, everybody="mail:read", audience=API)
    async with site.browser() as browser:
        orders = (await tokens_of(site, browser, scope="orders:read"))["access_token"]
        mail = (await tokens_of(site, browser, scope="mail:read", resource=API))["access_token"]
        both = (await tokens_of(site, browser, scope="openid orders:read"))["access_token"]
        # Names of audiences are the issuer's to give: nobody makes one up.
        request = asked(scope="orders:read", resource="https://api.example.evil")
        refused = answer_in(await browser.get("/auth/authorize", params=request))
    assert refused["error"] == "invalid_target"
    assert [claims_of(each)["aud"] for each in (orders, mail)] == [ORDERS, API]
    assert await service_of(site, audience=ORDERS).accepts(orders)
    assert await service_of(site, audience=API).reason(orders) == "audience"
    assert await service_of(site, audience=ORDERS).reason(mail) == "audience"
    assert [await status_at_site(site, each) for each in (orders, mail)] == [401, 401]
    assert [(await userinfo(site, each)).status_code for each in (orders, both)] == [401, 200]


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


@pytest.mark.asvs("10.3.3")
async def test_v10_3_3_clients_cannot_connect_what_they_know_of_a_user_if_they_are_not_to(site: Site) -> None:
    user = await site.add_user("bob@example.com")
    subjects = set()
    for number in (1, 2):
        await add_confidential_app(
            site, id=f"app{number}", subject_type="pairwise", sector=f"app{number}.example", first_party=True
        )
        async with site.browser() as browser:
            await sign_in(browser, email="bob@example.com")
            for _ in range(2):
                code = (await allowed(browser, client_id=f"app{number}"))["code"]
                tokens = (await redeemed(site, code, client_id=f"app{number}")).json()
                subjects.add((number, claims_of(tokens["access_token"])["sub"]))
    assert len(subjects) == 2
    assert user.id not in str(subjects)
