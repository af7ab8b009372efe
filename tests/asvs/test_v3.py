"""ASVS 5.0, chapter V3: web frontend security."""

import re
from typing import Any

import httpx
import pytest

from coatcheck.jose.hazmat import read_unverified
from coatcheck.sessions.cookie import MAX_OCTETS, Cookie
from coatcheck.sessions.errors import CookieTooLargeError
from coatcheck.web.routes import all_routes
from tests.asvs.services import allowed_at
from tests.web.authorizing import add_app, asked, decide
from tests.web.sites import EMAIL, PASSWORD, SESSION, Site, bearer, open_site

pytestmark = pytest.mark.anyio

PAGES = (
    "/auth/sign-in",
    "/auth/sign-up",
    "/auth/forgotten",
    "/auth/sign-out",
    "/auth/account",
    "/auth/devices",
    "/auth/applications",
    "/auth/end-session",
    "/auth/admin/revocations",
)
DATA = ("/auth/session", "/auth/.well-known/jwks.json", "/auth/admin/services")
ADMIN = "coatcheck:admin"
CREDENTIALS = {"email": EMAIL, "password": PASSWORD}
FOREIGN: tuple[dict[str, str], ...] = (
    {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
    {"sec-fetch-site": "same-site", "origin": "https://sub.testserver"},
    {"sec-fetch-site": "cross-site", "origin": "null"},
)
YEAR = 365 * 24 * 3600


@pytest.fixture(scope="module")
async def answers() -> list[httpx.Response]:
    """Pages, data, files, redirections, refusals and failures."""
    async with open_site(status_lists="on") as site:
        await site.add_user(scopes=ADMIN)
        return await all_kinds_of_answers(site)


async def answers_to_services(site: Site) -> list[httpx.Response]:
    """What programs get that are no users: the ledger, introspection, status lists, Shared Signals."""
    _, key = await site.server.flows.services.add("orders")
    tokens = await site.tokens()
    uri = read_unverified(tokens["access_token"]).claims["status"]["status_list"]["uri"]
    async with site.program() as service, site.program() as program:
        service.headers.update(bearer(key))
        query = {"nonce": "A" * 16}
        question = {"token": tokens["access_token"]}
        signed = {"accept": "application/token-introspection+jwt"}
        return [
            await service.head("/auth/ledger", params=query),
            await program.get("/auth/ledger", params=query),
            await service.post("/auth/introspect", data=question),
            await service.post("/auth/introspect", data=question, headers=signed),
            await program.post("/auth/introspect", data=question),
            await service.get("/auth/signals/stream"),
            await program.get("/auth/signals/stream"),
            await program.get("/auth/statuses"),
            await program.get(uri),
        ]


async def answers_to_clients(site: Site) -> list[httpx.Response]:
    """What apps are answered, and browsers on the way to them: consent, answers by form and by redirection, errors."""
    await add_app(site)
    async with site.signed_in_browser() as browser, site.program() as program:
        request = asked(response_mode="form_post")
        refused = await browser.get("/auth/authorize", params=asked(client_id="unknown"))
        sent_on = await browser.get("/auth/authorize", params=request)
        consent = await browser.get(sent_on.headers["location"])
        by_form = await decide(browser, sent_on.headers["location"], "allow")
        by_redirection = await browser.get("/auth/authorize", params=asked())
        (script,) = re.findall(r'"(/auth/static/form_post[^"]+)"', by_form.text)
        return [
            *(refused, sent_on, consent, by_form, by_redirection),
            await browser.get(script),
            await program.get("/auth/userinfo"),
        ]


async def all_kinds_of_answers(site: Site) -> list[httpx.Response]:
    services = [*await answers_to_services(site), *await answers_to_clients(site)]
    async with site.signed_in_browser() as browser, site.browser() as stranger, site.program() as program:
        sign_in = await stranger.get("/auth/sign-in")
        files = re.findall(r'"(/auth/static/[^"]+)"', sign_in.text)
        assert len(files) >= 3
        answers = [await browser.get(path) for path in (*PAGES, *DATA, *files, "/auth/nowhere")]
        answers += services
        answers += [
            sign_in,
            await stranger.get("/auth/account"),
            await stranger.post("/auth/sign-in", data={**CREDENTIALS, "password": "wrong and long"}),
            await stranger.put("/auth/sign-in"),
            await program.get("/auth/session"),
            await program.post("/auth/sign-in", json=CREDENTIALS),
            await program.post("/auth/token", data={"grant_type": "refresh_token", "refresh_token": "no"}),
            await browser.post("/auth/account/password", headers=FOREIGN[0], data={}),
            await browser.post("/auth/sign-out"),
        ]
    assert {answer.status_code for answer in answers} >= {200, 303, 400, 401, 403, 404, 405}
    return answers


async def set_cookies(site: Site) -> list[str]:
    """What is set by signing up, confirming, signing in and out: every kind of cookie."""
    async with site.browser() as browser:
        wish = {"email": "new@example.com", "password": PASSWORD}
        answers = [
            await browser.post("/auth/sign-up", data=wish | await form_token(browser, "/auth/sign-up"))
        ]
        form = {"token": await site.token()} | await form_token(browser, f"{await site.link()}")
        answers.append(await browser.post("/auth/sign-up/confirm", data=form))
        answers.append(await browser.get("/auth/session"))
        answers.append(await browser.post("/auth/sign-out", data=await form_token(browser, "/auth/account")))
    assert [answer.status_code for answer in answers] == [200, 303, 200, 303]
    return [cookie for answer in answers for cookie in answer.headers.get_list("set-cookie")]


async def form_token(browser: httpx.AsyncClient, page: str) -> dict[str, str]:
    found = re.search(r'name="csrf_token" value="([^"]+)"', (await browser.get(page)).text)
    return {} if found is None else {"csrf_token": found[1]}


@pytest.mark.asvs("3.2.1")
async def test_v3_2_1_data_is_never_rendered_as_a_page(answers: list[httpx.Response]) -> None:
    for answer in answers:
        kind = answer.headers.get("content-type", "")
        if not kind.startswith("text/html"):
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["x-content-type-options"] == "nosniff"
        if kind.startswith("application/"):
            assert kind.removeprefix("application/") in {
                *("json", "problem+json", "jwk-set+json", "statuslist+jwt", "token-introspection+jwt")
            }


@pytest.mark.asvs("3.3.1")
@pytest.mark.asvs("3.3.3")
async def test_v3_3_1_every_cookie_is_secure_and_for_this_host_alone() -> None:
    async with open_site(csrf="token", token_cookie="id-token") as site:
        cookies = await set_cookies(site)
    names = {cookie.partition("=")[0] for cookie in cookies}
    assert names == {f"__Host-coatcheck{kind}" for kind in ("", "-device", "-pending", "-csrf", "-token")}
    assert all("; Secure" in cookie and "; Path=/" in cookie and "Domain" not in cookie for cookie in cookies)


@pytest.mark.asvs("3.3.2")
async def test_v3_3_2_each_cookie_has_the_same_site_that_its_purpose_allows() -> None:
    async with open_site(csrf="token") as site:
        cookies = await set_cookies(site)
    chosen = {cookie.partition("=")[0]: cookie.partition("SameSite=")[2] for cookie in cookies}
    assert chosen["__Host-coatcheck-csrf"] == "Strict"
    assert chosen[SESSION] == "Lax"
    async with open_site(same_site="strict") as site:
        await site.add_user()
        async with site.signed_in_browser() as browser:
            session = (await browser.post("/auth/re-authenticate", data={"password": PASSWORD})).headers
    strict = [each for each in session.get_list("set-cookie") if each.startswith(f"{SESSION}=")]
    assert strict[0].endswith("SameSite=Strict")


@pytest.mark.asvs("3.3.4")
async def test_v3_3_4_the_session_is_told_in_set_cookie_alone_and_kept_from_scripts(site: Site) -> None:
    async with site.program() as program:
        answer = await program.post("/auth/sign-in", json=CREDENTIALS | {"credential": "cookie"})
        secret = answer.cookies[SESSION]
        session = next(
            each for each in answer.headers.get_list("set-cookie") if each.startswith(f"{SESSION}=")
        )
        assert "; HttpOnly" in session
        assert secret not in answer.text
        for path in ("/auth/session", "/auth/devices", "/auth/account"):
            assert secret not in (await program.get(path)).text


@pytest.mark.asvs("3.3.5")
async def test_v3_3_5_no_cookie_is_larger_than_browsers_keep() -> None:
    email = f"{'a' * 64}@{'.'.join(['d' * 60] * 3)}.com"
    async with open_site(token_cookie="id-token") as site:
        await site.add_user(email)
        async with site.signed_in_browser(email) as browser:
            answer = await browser.post("/auth/re-authenticate", data={"password": PASSWORD})
    for cookie in answer.headers.get_list("set-cookie"):
        assert len(cookie.partition(";")[0]) - 1 <= MAX_OCTETS
    kind = Cookie(name="__Host-coatcheck-token")
    assert kind.set("x" * (MAX_OCTETS - len(kind.name)))
    with pytest.raises(CookieTooLargeError):
        kind.set("x" * (MAX_OCTETS - len(kind.name) + 1))


@pytest.mark.asvs("3.4.1")
async def test_v3_4_1_every_answer_demands_https_for_more_than_a_year(answers: list[httpx.Response]) -> None:
    for answer in answers:
        policy = answer.headers["strict-transport-security"]
        assert int(re.findall(r"max-age=(\d+)", policy)[0]) >= YEAR
        assert "includeSubDomains" in policy


@pytest.mark.asvs("3.4.2")
async def test_v3_4_2_only_listed_origins_may_read_answers(site: Site) -> None:
    async with site.program() as program:
        answer = await program.get("/auth/session", headers={"origin": "https://app.example"})
        assert not any(name.startswith("access-control-") for name in answer.headers)
    async with open_site(cors_origins=["https://app.example"]) as listing, listing.program() as program:
        for origin in ("https://app.example", "https://app.example.evil", "null", "http://app.example"):
            answer = await program.get("/auth/session", headers={"origin": origin})
            allowed = answer.headers.get("access-control-allow-origin")
            assert allowed == (origin if origin == "https://app.example" else None)


@pytest.mark.asvs("3.4.3")
@pytest.mark.asvs("3.4.6")
async def test_v3_4_3_every_answer_has_a_policy_that_runs_and_frames_nothing_unknown(
    answers: list[httpx.Response],
) -> None:
    nonces: set[str] = set()
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "base-uri 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        if answer.headers.get("content-type", "").startswith("text/html"):
            assert "object-src 'none'" in policy
            (nonce,) = set(re.findall(r"'nonce-([\w-]{22})'", policy))
            assert nonce not in nonces
            nonces.add(nonce)
            scripts = re.findall(r"<(?:script|style)\b[^>]*>", answer.text)
            assert scripts
            assert all(f'nonce="{nonce}"' in script and "src=" in script for script in scripts)
            assert not re.search(r"<[^>]+\son\w+=", answer.text)


@pytest.mark.asvs("3.4.4")
async def test_v3_4_4_no_answer_is_sniffed(answers: list[httpx.Response]) -> None:
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.asvs("3.4.5")
async def test_v3_4_5_no_path_or_query_is_told_to_others(answers: list[httpx.Response]) -> None:
    for answer in answers:
        assert answer.headers["referrer-policy"] in {"no-referrer", "strict-origin"}


@pytest.mark.asvs("3.4.8")
async def test_v3_4_8_pages_have_windows_of_their_own(answers: list[httpx.Response]) -> None:
    for answer in answers:
        if answer.headers.get("content-type", "").startswith("text/html"):
            assert answer.headers["cross-origin-opener-policy"] == "same-origin"


BY_THEIR_OWN_SECRET = ("/token", "/par", "/revoke", "/register", "/userinfo", "/introspect", "/signals/")
"""What takes a secret in the body, a service's key or a client's token, and no cookie."""
FROM_ANYWHERE = ("/authorize", "/end-session")
"""Where clients send browsers, by forms too. Nothing happens there but that the user is asked."""


def unsafe_paths(site: Site) -> list[str]:
    """All paths that take a POST on the strength of cookies."""
    routes = all_routes(site.server.app.site)
    posts: list[Any] = [route for route in routes if "POST" in allowed_at(route)]
    return [
        f"/auth{route.path}"
        for route in posts
        if not route.path.startswith(BY_THEIR_OWN_SECRET) and route.path not in FROM_ANYWHERE
    ]


@pytest.mark.asvs("3.5.1")
async def test_v3_5_1_what_asks_for_no_origin_takes_no_power_from_cookies(site: Site) -> None:
    routes: list[Any] = all_routes(site.server.app.site)
    paths = [f"/auth{each.path}" for each in routes if each.path.startswith(BY_THEIR_OWN_SECRET)]
    assert len(paths) >= 12
    await site.add_user("root@example.com", scopes=ADMIN)
    async with site.signed_in_browser("root@example.com") as browser:
        for path in paths:
            for headers in ({}, *FOREIGN):
                answer = await browser.post(path, headers=headers, data={"token": browser.cookies[SESSION]})
                assert answer.status_code in {400, 401, 405, 415}, path
                assert "active" not in answer.text
                assert "set-cookie" not in answer.headers


@pytest.mark.asvs("3.5.1")
async def test_v3_5_1_what_changes_something_proves_that_it_comes_from_the_site(site: Site) -> None:
    paths = unsafe_paths(site)
    assert {"/auth/sign-in", "/auth/sign-up", "/auth/sign-out", "/auth/account/password"} <= set(paths)
    assert {"/auth/admin/revocations", "/auth/admin/services", "/auth/admin/services/remove"} <= set(paths)
    async with site.signed_in_browser() as browser, site.browser() as stranger:
        for path in paths:
            for visitor in (browser, stranger):
                for headers in FOREIGN:
                    sent: dict[str, Any] = {
                        "json" if path.startswith("/auth/admin/") else "data": CREDENTIALS
                    }
                    answer = await visitor.post(path, headers=headers, **sent)
                    assert (answer.status_code, path) == (403, path)
                    assert "set-cookie" not in answer.headers
        assert (await browser.get("/auth/session")).status_code == 200


@pytest.mark.asvs("3.5.1")
async def test_v3_5_1_a_token_bound_to_the_session_can_be_asked_for_as_well() -> None:
    async with open_site(csrf="token") as site:
        await site.add_user()
        async with site.browser() as browser, site.browser() as other:
            assert (await browser.post("/auth/sign-in", data=CREDENTIALS)).status_code == 403
            foreign = await form_token(other, "/auth/sign-in")
            assert (await browser.post("/auth/sign-in", data=CREDENTIALS | foreign)).status_code == 403
            own = await form_token(browser, "/auth/sign-in")
            assert (await browser.post("/auth/sign-in", data=CREDENTIALS | own)).status_code == 303
            # It was for nobody's session.
            assert (await browser.post("/auth/sign-out", data=own)).status_code == 403


@pytest.mark.asvs("3.5.3")
async def test_v3_5_3_to_get_a_page_changes_nothing(site: Site) -> None:
    async with site.signed_in_browser() as browser:
        await browser.post("/auth/forgotten", data={"email": EMAIL})
        for path in {*unsafe_paths(site), await site.link()}:
            assert (await browser.get(path)).status_code in {200, 303, 400, 403, 405, 410}
            assert (await browser.head(path)).status_code in {200, 303, 400, 403, 405, 410}
        assert (await browser.get("/auth/session")).status_code == 200
        for path in ("/auth/devices/end-all", "/auth/account/delete", "/auth/account/password"):
            assert (await browser.get(path)).status_code == 405
        new = {"token": await site.token(), "new_password": "something else entirely"}
        assert (await browser.post("/auth/reset", data=new)).status_code == 303


async def script_of(site: Site) -> httpx.Response:
    async with site.browser() as browser:
        page = await browser.get("/auth/sign-in")
        (name,) = re.findall(r'<script src="([^"]+)"', page.text)
        return await browser.get(name)


@pytest.mark.asvs("3.5.5")
async def test_v3_5_5_pages_listen_to_no_messages(site: Site) -> None:
    script = (await script_of(site)).text
    assert "postMessage" not in script
    assert not re.search(r"[\"']message[\"']|onmessage", script)


@pytest.mark.asvs("3.5.6")
async def test_v3_5_6_no_answer_calls_back(site: Site) -> None:
    async with site.signed_in_browser() as browser:
        for name in ("callback", "jsonp", "cb"):
            answer = await browser.get(f"/auth/session?{name}=evil")
            assert "evil" not in answer.text
            assert answer.headers["content-type"] == "application/json"


@pytest.mark.asvs("3.5.7")
async def test_v3_5_7_the_script_is_the_same_for_everybody(site: Site, answers: list[httpx.Response]) -> None:
    script = await script_of(site)
    async with site.signed_in_browser() as browser:
        signed_in = await browser.get(script.url.path)
    assert signed_in.content == script.content
    assert EMAIL not in script.text
    for answer in answers:
        if not answer.url.path.startswith("/auth/static/"):
            assert "javascript" not in answer.headers.get("content-type", "")


FOR_EVERYBODY = ("/auth/statuses", "/auth/.well-known/", "/auth/token", "/auth/userinfo")
"""What scripts of any origin may ask for, among the answers that are looked at here."""


@pytest.mark.asvs("3.5.8")
async def test_v3_5_8_nothing_is_loaded_into_other_sites(answers: list[httpx.Response]) -> None:
    for answer in answers:
        is_for_everybody = answer.url.path.startswith(FOR_EVERYBODY)
        policy = "cross-origin" if is_for_everybody else "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == policy


@pytest.mark.asvs("3.4.2")
async def test_v3_4_2_the_wildcard_is_for_what_no_cookie_opens(answers: list[httpx.Response]) -> None:
    for answer in answers:
        is_for_everybody = answer.url.path.startswith(FOR_EVERYBODY)
        assert ("access-control-allow-origin" in answer.headers) == is_for_everybody
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.asvs("3.7.2")
@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/%2fevil.example",
        "javascript:alert(1)",
        "\t//evil",
    ],
)
async def test_v3_7_2_nobody_is_sent_to_another_host(site: Site, target: str) -> None:
    async with site.browser() as browser:
        answer = await browser.post("/auth/sign-in", data=CREDENTIALS | {"next": target})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        answer = await browser.get("/auth/sign-in", params={"next": target})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        answer = await browser.post("/auth/sign-out", data={"next": target})
        assert answer.headers["location"] == "/"
        # Nor does a name that the client makes up lead anybody away.
        answer = await browser.get("/auth/account", headers={"host": "evil.example"})
        assert answer.headers["location"].startswith("/auth/sign-in")
