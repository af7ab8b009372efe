import pytest

from tests.web.sites import EMAIL, ORIGIN, PASSWORD, SESSION, Site

pytestmark = pytest.mark.anyio

ELSEWHERE = {
    "a sibling subdomain": {"origin": "https://evil.testserver", "sec-fetch-site": "same-site"},
    "another site": {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    "an old browser on a sibling": {"origin": "https://evil.testserver", "sec-fetch-site": ""},
    "an old browser elsewhere": {"origin": "https://evil.example", "sec-fetch-site": ""},
    "a sandboxed frame": {"origin": "null", "sec-fetch-site": "cross-site"},
    "an old sandboxed frame": {"origin": "null", "sec-fetch-site": ""},
    "the same host without encryption": {"origin": "http://testserver", "sec-fetch-site": "cross-site"},
    "another port": {"origin": f"{ORIGIN}:8443", "sec-fetch-site": "same-site"},
    "a look-alike": {"origin": f"{ORIGIN}.evil.example", "sec-fetch-site": ""},
    "nowhere, with cookies": {"origin": "", "sec-fetch-site": ""},
}
ACTIONS: dict[str, dict[str, str]] = {
    "/auth/sign-out": {},
    "/auth/devices/end-all": {},
    "/auth/devices/end-others": {},
    "/auth/account/password": {"current_password": PASSWORD, "new_password": "a wholly other password"},
    "/auth/account/email": {"new_email": "evil@example.com"},
    "/auth/account/deactivate": {"confirm": "yes"},
    "/auth/account/delete": {"confirm": "yes"},
    "/auth/re-authenticate": {"password": PASSWORD},
    "/auth/sign-in": {"email": EMAIL, "password": PASSWORD},
    "/auth/sign-up": {"email": "new@example.com", "password": PASSWORD},
    "/auth/forgotten": {"email": EMAIL},
}


@pytest.mark.parametrize("headers", ELSEWHERE.values(), ids=ELSEWHERE)
async def test_csrf_from(site: Site, headers: dict[str, str]) -> None:
    await site.add_user()
    sent = {name: value for name, value in headers.items() if value}
    async with site.signed_in_browser() as browser:
        letters = len(await site.letters())
        for name in ("origin", "sec-fetch-site"):
            del browser.headers[name]
        for path, form in ACTIONS.items():
            response = await browser.post(path, data=form, headers=sent)
            assert response.status_code == 403, path
            assert "set-cookie" not in response.headers
        assert (await browser.get("/auth/session")).status_code == 200
        assert len(await site.letters()) == letters


@pytest.mark.parametrize(
    "headers", [each for each in ELSEWHERE.values() if each["origin"]], ids=[*ELSEWHERE][:-1]
)
async def test_login_csrf(site: Site, headers: dict[str, str]) -> None:
    """Who is signed in by somebody else, into somebody else's account, types their secrets there."""
    await site.add_user("evil@example.com")
    async with site.client({name: value for name, value in headers.items() if value}) as browser:
        form = {"email": "evil@example.com", "password": PASSWORD, "credential": "cookie"}
        for response in (
            await browser.post("/auth/sign-in", data=form),
            await browser.post("/auth/sign-in", json=form),
        ):
            assert response.status_code == 403
            assert SESSION not in browser.cookies


async def test_csrf_by_a_link_changes_nothing(site: Site) -> None:
    await site.add_user()
    async with site.signed_in_browser() as browser:
        browser.headers.update({"sec-fetch-site": "cross-site", "origin": "https://evil.example"})
        for path, form in ACTIONS.items():
            await browser.get(path, params=form)
            await browser.head(path, params=form)
        assert (await browser.get("/auth/session")).status_code == 200


async def test_method_confusion(site: Site) -> None:
    await site.add_user()
    async with site.signed_in_browser() as browser:
        for override in ({"x-http-method-override": "POST"}, {"x-http-method": "POST"}):
            response = await browser.get("/auth/sign-out?_method=POST", headers=override)
            assert response.status_code == 200
        response = await browser.request("GET", "/auth/devices/end-all", data={})
        assert response.status_code == 405
        assert (await browser.get("/auth/session")).status_code == 200


async def test_clickjacking(site: Site) -> None:
    await site.add_user()
    async with site.signed_in_browser() as browser:
        for path in (
            "/auth/sign-out",
            "/auth/account",
            "/auth/devices",
            "/auth/re-authenticate",
            "/auth/nothing",
        ):
            response = await browser.get(
                path, headers={"sec-fetch-dest": "iframe", "sec-fetch-site": "cross-site"}
            )
            assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
            assert response.headers["x-frame-options"] == "DENY"
