import pytest

from tests.web.sites import EMAIL, PASSWORD, Site
from tests.web.test_redirects import HOSTILE

pytestmark = pytest.mark.anyio

SENDABLE = [target for target in HOSTILE if "\ud800" not in target]


async def test_open_redirect_after_sign_in(site: Site) -> None:
    await site.add_user()
    async with site.browser() as browser:
        for target in SENDABLE:
            response = await browser.post(
                "/auth/sign-in", data={"email": EMAIL, "password": PASSWORD, "next": target}
            )
            assert (response.status_code, response.headers["location"]) == (303, "/"), target
            site.clock.now += 60  # nobody may sign in so often


async def test_open_redirect_of_who_is_signed_in_already(site: Site) -> None:
    await site.add_user()
    async with site.signed_in_browser() as browser:
        for target in SENDABLE:
            for page in ("/auth/sign-in", "/auth/sign-up"):
                response = await browser.get(page, params={"next": target})
                assert (response.status_code, response.headers["location"]) == (303, "/"), target


async def test_open_redirect_after_sign_out_and_re_authentication(site: Site) -> None:
    await site.add_user()
    async with site.signed_in_browser() as browser:
        form = {"password": PASSWORD, "next": "//evil.example"}
        assert (await browser.post("/auth/re-authenticate", data=form)).headers["location"] == "/"
        assert (await browser.post("/auth/sign-out", data=form)).headers["location"] == "/"


async def test_open_redirect_through_the_cookie_of_a_pending_sign_up(site: Site) -> None:
    async with site.browser() as browser:
        await browser.post("/auth/sign-up", data={"email": EMAIL, "password": PASSWORD})
        token = await site.token()
        tossed = browser.cookies["__Host-coatcheck-pending"].partition(".")[0] + ".Ly9ldmlsLmV4YW1wbGU"
    async with site.browser(cookies={"__Host-coatcheck-pending": tossed}) as browser:
        page = await browser.get(f"/auth/sign-up/confirm?token={token}")
        assert 'value="//evil.example"' not in page.text
        done = await browser.post("/auth/sign-up/confirm", data={"token": token, "next": "//evil.example"})
        assert (done.status_code, done.headers["location"]) == (303, "/")


async def test_header_injection_through_next(site: Site) -> None:
    await site.add_user()
    async with site.browser() as browser:
        response = await browser.post(
            "/auth/sign-in",
            data={"email": EMAIL, "password": PASSWORD, "next": "/x\r\nSet-Cookie: __Host-coatcheck=evil"},
        )
    assert response.headers["location"] == "/"
    assert "evil" not in str(response.headers)
