import pytest

from tests.web.sites import EMAIL, ORIGIN, PASSWORD, Site, open_site

pytestmark = pytest.mark.anyio

APP = "https://app.example"
UNLISTED = [
    "https://evil.example",
    "null",
    "https://app.example.evil.example",
    "https://evil-app.example",
    "http://app.example",
    "https://app.example:8443",
    "https://APP.example",
    "https://app.example/",
    "*",
    "",
]


def preflight(origin: str) -> dict[str, str]:
    return {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "cors",
    }


def script(origin: str) -> dict[str, str]:
    return {
        "origin": origin,
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "cors",
        "sec-fetch-dest": "empty",
    }


async def test_it_is_off_until_an_origin_is_listed(site: Site) -> None:
    async with site.program() as program:
        asked = await program.options("/auth/sign-in", headers=preflight(APP))
        answered = await program.get("/auth/session", headers=script(APP))
    for headers in (asked.headers, answered.headers):
        assert not [name for name in headers if name.startswith("access-control-")]
        assert "Origin" in headers["vary"]


async def test_a_listed_origin_may_read_and_send_credentials() -> None:
    async with open_site(cors_origins=(APP,)) as site:
        await site.add_user()
        async with site.program() as program:
            asked = await program.options("/auth/sign-in", headers=preflight(APP))
            assert asked.status_code == 204
            assert asked.headers["access-control-allow-origin"] == APP
            assert asked.headers["access-control-allow-credentials"] == "true"
            assert "POST" in asked.headers["access-control-allow-methods"]
            assert "Authorization" in asked.headers["access-control-allow-headers"]
            assert int(asked.headers["access-control-max-age"]) <= 600
            done = await program.post(
                "/auth/sign-in", json={"email": EMAIL, "password": PASSWORD}, headers=script(APP)
            )
            assert done.status_code == 200
            assert done.headers["access-control-allow-origin"] == APP
            refused = await program.get("/auth/session", headers=script(APP))
            assert refused.status_code == 401
            assert refused.headers["access-control-allow-origin"] == APP
            assert "WWW-Authenticate" in refused.headers["access-control-expose-headers"]
            for headers in (asked.headers, done.headers, refused.headers):
                assert "Origin" in headers["vary"]


@pytest.mark.parametrize("origin", UNLISTED)
async def test_any_other_origin_gets_nothing(origin: str) -> None:
    async with open_site(cors_origins=(APP,)) as site, site.program() as program:
        responses = [
            await program.options("/auth/sign-in", headers=preflight(origin)),
            await program.get("/auth/session", headers=script(origin)),
            await program.get("/auth/nothing", headers=script(origin)),
        ]
    for response in responses:
        assert not [name for name in response.headers if name.startswith("access-control-")]
        assert "Origin" in response.headers["vary"]


async def test_two_origins_are_none() -> None:
    async with open_site(cors_origins=(APP,)) as site, site.program() as program:
        response = await program.get("/auth/session", headers=[("origin", APP), ("origin", APP)])
    assert "access-control-allow-origin" not in response.headers


async def test_pages_are_for_this_site_alone() -> None:
    async with open_site(cors_origins=(APP,)) as site, site.program() as program:
        for path in ("/auth/sign-in", "/auth/nothing"):
            response = await program.get(path, headers={**script(APP), "accept": "text/html"})
            assert "access-control-allow-origin" not in response.headers


async def test_the_sites_own_requests_need_none_of_it() -> None:
    async with open_site(cors_origins=(APP,)) as site, site.program() as program:
        response = await program.get("/auth/session", headers={"origin": ORIGIN})
    assert "access-control-allow-origin" not in response.headers
