import pytest

from tests.web.sites import EMAIL, PASSWORD, SESSION, Site, bearer, open_site

pytestmark = pytest.mark.anyio


async def test_the_page_is_shown(site: Site) -> None:
    async with site.browser() as browser:
        response = await browser.get("/auth/sign-in?next=/inbox")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert "/inbox" in response.text


async def test_the_form_gives_a_cookie_and_leads_on(site: Site) -> None:
    await site.add_user()
    async with site.browser() as browser:
        response = await browser.post(
            "/auth/sign-in", data={"email": EMAIL, "password": PASSWORD, "next": "/inbox?page=2"}
        )
        assert (response.status_code, response.headers["location"]) == (303, "/inbox?page=2")
        cookies = response.headers.get_list("set-cookie")
        session = next(each for each in cookies if each.startswith(f"{SESSION}="))
        assert all(part in session for part in ("Path=/", "Secure", "HttpOnly", "SameSite=Lax"))
        assert (await browser.get("/auth/session")).json()["user"]["email"] == EMAIL


async def test_a_wrong_password_shows_the_form_again_with_the_address_and_without_the_password(
    site: Site,
) -> None:
    await site.add_user()
    async with site.browser() as browser:
        response = await browser.post("/auth/sign-in", data={"email": EMAIL, "password": "wrong-and-secret"})
    assert response.status_code == 401
    assert EMAIL in response.text
    assert "wrong-and-secret" not in response.text
    assert "set-cookie" not in response.headers


async def test_a_missing_field_is_a_problem_that_names_it(site: Site) -> None:
    async with site.program() as program:
        response = await program.post("/auth/sign-in", json={"email": EMAIL})
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["field"] == "password"


async def test_who_is_signed_in_already_is_led_on(site: Site) -> None:
    await site.add_user()
    async with site.signed_in_browser() as browser:
        for page in ("/auth/sign-in", "/auth/sign-up"):
            response = await browser.get(page, params={"next": "/inbox"})
            assert (response.status_code, response.headers["location"]) == (303, "/inbox")


async def test_json_gives_a_token_response(site: Site) -> None:
    await site.add_user(scopes="read write")
    async with site.program() as program:
        response = await program.post(
            "/auth/sign-in", json={"email": EMAIL, "password": PASSWORD, "scope": "read"}
        )
        tokens = response.json()
        assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
        assert (tokens["token_type"], tokens["scope"]) == ("Bearer", "read")
        assert response.headers["cache-control"] == "no-store"
        session = await program.get("/auth/session", headers=bearer(tokens["access_token"]))
    assert session.json()["user"]["scopes"] == ["read"]
    assert session.json()["session"]["via"] == "bearer"


async def test_json_may_ask_for_a_cookie_and_the_secret_is_nowhere_else(site: Site) -> None:
    user = await site.add_user(scopes="read")
    async with site.program() as program:
        response = await program.post(
            "/auth/sign-in", json={"email": EMAIL, "password": PASSWORD, "credential": "cookie"}
        )
        assert response.json() == {"user": {"id": user.id, "email": EMAIL, "scopes": ["read"]}}
        secret = program.cookies[SESSION]
        assert secret not in response.text
        session = await program.get("/auth/session")
        assert secret not in session.text
    assert session.json()["session"]["via"] == "cookie"


async def test_a_scope_that_is_none_is_refused(site: Site) -> None:
    await site.add_user()
    async with site.program() as program:
        response = await program.post(
            "/auth/sign-in", json={"email": EMAIL, "password": PASSWORD, "scope": 'a"b'}
        )
    assert (response.status_code, response.json()["code"]) == (400, "malformed_scope")


async def test_a_sign_in_in_the_same_browser_ends_the_session_that_it_replaces(site: Site) -> None:
    await site.add_user()
    await site.add_user("bob@example.com")
    async with site.signed_in_browser() as browser:
        first = browser.cookies[SESSION]
        await browser.post("/auth/sign-in", data={"email": "bob@example.com", "password": PASSWORD})
        assert browser.cookies[SESSION] != first
    assert not await site.is_alive(first)


async def test_too_many_attempts_are_told_how_long_to_wait(site: Site) -> None:
    async with site.program() as program:
        for _ in range(11):
            response = await program.post("/auth/sign-in", json={"email": EMAIL, "password": "wrong"})
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) == response.json()["retry_after"] > 0
    async with site.browser() as browser:
        shown = await browser.post("/auth/sign-in", data={"email": EMAIL, "password": "wrong"})
    assert shown.status_code == 429
    assert int(shown.headers["retry-after"]) > 0
    assert EMAIL in shown.text


async def test_as_many_sessions_as_allowed_is_a_conflict() -> None:
    async with open_site(max_sessions=1, at_session_limit="refuse") as site:
        await site.add_user()
        await site.tokens()
        async with site.program() as program:
            response = await program.post("/auth/sign-in", json={"email": EMAIL, "password": PASSWORD})
    assert (response.status_code, response.json()["code"]) == (409, "too_many_sessions")


async def test_signing_out_ends_the_session_of_a_cookie_and_clears_it(site: Site) -> None:
    await site.add_user()
    async with site.signed_in_browser() as browser:
        secret = browser.cookies[SESSION]
        assert (await browser.get("/auth/sign-out")).status_code == 200
        assert (await browser.get("/auth/session")).status_code == 200, "GET changes nothing"
        response = await browser.post("/auth/sign-out", data={"next": "//evil.example"})
        assert (response.status_code, response.headers["location"]) == (303, "/")
        assert SESSION not in browser.cookies
        again = await browser.post("/auth/sign-out")
        assert again.status_code == 303
    assert not await site.is_alive(secret)


async def test_signing_out_with_a_token_ends_its_session(site: Site) -> None:
    await site.add_user()
    tokens = await site.tokens()
    async with site.program() as program:
        headers = bearer(tokens["access_token"])
        assert (await program.post("/auth/sign-out", headers=headers)).status_code == 204
        refused = await program.get("/auth/session", headers=headers)
        assert refused.status_code == 401
        assert 'error="invalid_token"' in refused.headers["www-authenticate"]
        refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert (await program.post("/auth/token", data=refresh)).json()["error"] == "invalid_grant"


async def test_a_new_proof_gives_another_secret_and_leads_on(site: Site) -> None:
    await site.add_user()
    async with site.signed_in_browser() as browser:
        old = browser.cookies[SESSION]
        assert (await browser.get("/auth/re-authenticate?next=/x")).status_code == 200
        wrong = await browser.post("/auth/re-authenticate", data={"password": "wrong", "next": "/x"})
        assert wrong.status_code == 401
        assert "/x" in wrong.text
        response = await browser.post("/auth/re-authenticate", data={"password": PASSWORD, "next": "/x"})
        assert (response.status_code, response.headers["location"]) == (303, "/x")
        assert browser.cookies[SESSION] != old
    assert not await site.is_alive(old)


async def test_a_new_proof_of_a_token_session_gives_other_tokens(site: Site) -> None:
    await site.add_user()
    tokens = await site.tokens()
    async with site.program() as program:
        response = await program.post(
            "/auth/re-authenticate", json={"password": PASSWORD}, headers=bearer(tokens["access_token"])
        )
    assert response.status_code == 200
    assert response.json()["refresh_token"] != tokens["refresh_token"]


async def test_nobody_is_asked_to_sign_in_first(site: Site) -> None:
    async with site.browser() as browser:
        response = await browser.get("/auth/re-authenticate?next=/x")
    assert response.status_code == 303
    assert response.headers["location"] == "/auth/sign-in?next=%2Fx"
