import pytest

from tests.web.sites import EMAIL, ORIGIN, PASSWORD, SESSION, Site, open_site

pytestmark = pytest.mark.anyio


async def test_signing_up_in_one_browser_needs_a_form_a_mail_and_a_button(site: Site) -> None:
    async with site.browser() as browser:
        assert (await browser.get("/auth/sign-up?next=/inbox")).status_code == 200
        sent = await browser.post(
            "/auth/sign-up", data={"email": EMAIL, "password": PASSWORD, "next": "/inbox"}
        )
        assert sent.status_code == 200
        assert EMAIL in sent.text
        page = await browser.get(await site.link())
        assert page.status_code == 200
        assert 'name="password"' not in page.text
        assert "/inbox" in page.text, "where its user wanted to go is not forgotten"
        done = await browser.post(
            "/auth/sign-up/confirm", data={"token": await site.token(), "next": "/inbox"}
        )
        assert (done.status_code, done.headers["location"]) == (303, "/inbox")
        assert (await browser.get("/auth/session")).json()["user"]["email"] == EMAIL


async def test_looking_at_the_link_any_number_of_times_changes_nothing(site: Site) -> None:
    async with site.program() as program:
        await program.post("/auth/sign-up", json={"email": EMAIL, "password": PASSWORD})
        link = await site.link()
        for method in ("GET", "HEAD", "OPTIONS") * 3:
            assert (await program.request(method, link)).is_success
        form = {"token": link.partition("token=")[2], "password": PASSWORD}
        program.cookies.clear()
        assert (await program.post("/auth/sign-up/confirm", json=form)).status_code == 200
        assert (await program.get(link)).status_code == 410


async def test_another_browser_must_know_the_password(site: Site) -> None:
    async with site.browser() as browser:
        await browser.post("/auth/sign-up", data={"email": EMAIL, "password": PASSWORD})
    async with site.browser() as other:
        page = await other.get(await site.link())
        assert 'name="password"' in page.text
        form = {"token": await site.token(), "password": "another one entirely"}
        wrong = await other.post("/auth/sign-up/confirm", data=form)
        assert wrong.status_code == 401
        assert "another one entirely" not in wrong.text
        assert SESSION not in other.cookies
        done = await other.post("/auth/sign-up/confirm", data={**form, "password": PASSWORD})
        assert done.status_code == 303
        assert SESSION in other.cookies


async def test_a_program_signs_up_and_gets_tokens(site: Site) -> None:
    async with site.program() as program:
        program.headers["origin"] = ORIGIN  # it keeps cookies, so it says where it comes from
        sent = await program.post("/auth/sign-up", json={"email": EMAIL, "password": PASSWORD})
        assert (sent.status_code, sent.json()) == (202, {"status": "confirmation_sent"})
        seen = await program.get(await site.link(), headers={"accept": "application/json"})
        assert seen.json() == {"email": EMAIL, "needs_password": False}
        done = await program.post("/auth/sign-up/confirm", json={"token": await site.token()})
    assert set(done.json()) >= {"access_token", "refresh_token"}


async def test_what_does_not_fit_is_told_at_the_form_with_its_address(site: Site) -> None:
    async with site.browser() as browser:
        weak = await browser.post("/auth/sign-up", data={"email": EMAIL, "password": "password"})
        assert weak.status_code == 422
        assert EMAIL in weak.text
        bad = await browser.post("/auth/sign-up", data={"email": "no address", "password": PASSWORD})
        assert bad.status_code == 422
        assert "no address" in bad.text
        assert PASSWORD not in bad.text


async def test_what_does_not_fit_is_a_problem_for_a_program(site: Site) -> None:
    async with site.program() as program:
        weak = await program.post("/auth/sign-up", json={"email": EMAIL, "password": "password"})
        assert (weak.status_code, weak.json()["reason"]) == (422, "common")
        bad = await program.post("/auth/sign-up", json={"email": "no address", "password": PASSWORD})
        assert (bad.status_code, bad.json()["code"]) == (422, "invalid_email")


async def test_a_closed_site_says_so() -> None:
    async with open_site(sign_up="closed") as site:
        async with site.browser() as browser:
            assert (await browser.get("/auth/sign-up")).status_code == 403
        async with site.program() as program:
            response = await program.post("/auth/sign-up", json={"email": EMAIL, "password": PASSWORD})
    assert (response.status_code, response.json()["code"]) == (403, "sign_up_closed")


@pytest.mark.parametrize("path", ["/auth/sign-up/confirm", "/auth/reset"])
@pytest.mark.parametrize("query", ["", "?token=", "?token=nothing-of-ours"])
async def test_a_link_that_leads_nowhere_is_gone(site: Site, path: str, query: str) -> None:
    async with site.browser() as browser:
        response = await browser.get(path + query)
    assert response.status_code == 410
    assert "nothing-of-ours" not in response.text


async def test_a_cookie_of_another_kind_is_no_binding(site: Site) -> None:
    async with site.browser() as browser:
        await browser.post("/auth/sign-up", data={"email": EMAIL, "password": PASSWORD})
    async with site.browser(cookies={"__Host-coatcheck-pending": "made-up.%%%"}) as other:
        page = await other.get(await site.link())
    assert 'name="password"' in page.text


async def test_a_forgotten_password_is_replaced_through_the_mailbox(site: Site) -> None:
    await site.add_user()
    async with site.signed_in_browser() as elsewhere, site.browser() as browser:
        assert (await browser.get("/auth/forgotten")).status_code == 200
        sent = await browser.post("/auth/forgotten", data={"email": EMAIL})
        assert sent.status_code == 200
        link, token = await site.link(), await site.token()
        for _ in range(3):
            assert EMAIL in (await browser.get(link)).text
        weak = await browser.post("/auth/reset", data={"token": token, "new_password": "password"})
        assert weak.status_code == 422
        new = "a wholly other password"
        done = await browser.post("/auth/reset", data={"token": token, "new_password": new})
        assert (done.status_code, done.headers["location"]) == (303, "/auth/sign-in?done=password")
        assert (await browser.get(done.headers["location"])).status_code == 200
        assert (await elsewhere.get("/auth/session")).status_code == 401
        assert (
            await browser.post("/auth/reset", data={"token": token, "new_password": new})
        ).status_code == 410
        assert await site.tokens(password=new)


async def test_a_program_resets_a_password_too(site: Site) -> None:
    await site.add_user()
    async with site.program() as program:
        sent = await program.post("/auth/forgotten", json={"email": EMAIL})
        assert (sent.status_code, sent.json()) == (202, {"status": "mail_sent"})
        seen = await program.get(await site.link(), headers={"accept": "application/json"})
        assert seen.json() == {"email": EMAIL}
        form = {"token": await site.token(), "new_password": "a wholly other password"}
        done = await program.post("/auth/reset", json=form)
        assert (done.status_code, done.json()) == (200, {"status": "password_changed"})
        bad = await program.post("/auth/forgotten", json={"email": "no address"})
        assert bad.status_code == 422
    async with site.browser() as browser:
        again = await browser.post("/auth/forgotten", data={"email": "no address"})
    assert again.status_code == 422
    assert "no address" in again.text
