"""Status lists as anybody sees them."""

import gzip
from collections.abc import AsyncIterator

import httpx
import pytest

from coatcheck.jose.hazmat import read_unverified
from coatcheck.revocation.status_list import StatusArray
from tests.web.sites import ORIGIN, SESSION, Site, bearer, open_site

pytestmark = pytest.mark.anyio

MEDIA_TYPE = "application/statuslist+jwt"
PLAIN = {"accept-encoding": "identity"}


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site(status_lists="on", cors_origins=["https://listed.example"]) as made:
        await made.add_user()
        yield made


async def referred(site: Site) -> tuple[str, str, int]:
    """Return an access token, its list and its place."""
    token = (await site.tokens())["access_token"]
    reference = read_unverified(token).claims["status"]["status_list"]
    return token, reference["uri"], reference["idx"]


async def fetch(site: Site, url: str, **headers: str) -> httpx.Response:
    async with site.client({"accept": MEDIA_TYPE, **headers}) as client:
        return await client.get(url)


def bit(response: httpx.Response, place: int) -> int:
    claims = read_unverified(response.text).claims["status_list"]
    return StatusArray.decode(claims["lst"], bits=claims["bits"]).get(place)


async def test_there_are_none_unless_they_are_switched_on() -> None:
    async with open_site() as site:
        await site.add_user()
        tokens = await site.tokens()
        assert "status" not in read_unverified(tokens["access_token"]).claims
        for path in ("/auth/statuses", "/auth/statuses/x"):
            assert (await fetch(site, path)).status_code == 404


async def test_a_sign_out_shows_in_the_list_that_the_token_names(site: Site) -> None:
    token, uri, place = await referred(site)
    assert uri.startswith(f"{ORIGIN}/auth/statuses/")
    response = await fetch(site, uri)
    assert (response.status_code, response.headers["content-type"]) == (200, MEDIA_TYPE)
    assert read_unverified(response.text).claims["sub"] == uri
    assert bit(response, place) == 0
    async with site.program() as program:
        assert (await program.post("/auth/sign-out", headers=bearer(token))).status_code == 204
    site.clock.now += 1
    assert bit(await fetch(site, uri), place) == 1


async def test_a_copy_may_be_kept_as_long_as_it_says_and_a_newer_is_told_apart(site: Site) -> None:
    _, uri, _ = await referred(site)
    first = await fetch(site, uri)
    assert read_unverified(first.text).claims["ttl"] == 60
    assert first.headers["cache-control"] == "public, max-age=60"
    site.clock.now += 29
    again = await fetch(site, uri, **{"if-none-match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "public, max-age=31"  # counted from when it was signed
    assert again.headers["etag"] == first.headers["etag"]
    site.clock.now += 1
    newer = await fetch(site, uri, **{"if-none-match": first.headers["etag"]})
    assert newer.status_code == 200
    assert newer.headers["etag"] != first.headers["etag"]


@pytest.mark.parametrize(
    "accepted, compressed",
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
        ("", False),
    ],
)
async def test_it_is_compressed_for_whoever_takes_that(
    site: Site, accepted: str, *, compressed: bool
) -> None:
    _, uri, _ = await referred(site)
    async with site.client({"accept-encoding": accepted}) as client, client.stream("GET", uri) as response:
        raw = b"".join([part async for part in response.aiter_raw()])
    assert response.headers["vary"] == "Accept-Encoding, Origin"  # the latter because of cors_origins
    assert (response.headers.get("content-encoding") == "gzip") is compressed
    plain = await fetch(site, uri, **PLAIN)
    assert (gzip.decompress(raw) if compressed else raw) == plain.content
    assert (response.headers["etag"] == plain.headers["etag"]) is not compressed


async def test_any_page_may_read_it_and_it_sets_no_cookie(site: Site) -> None:
    _, uri, _ = await referred(site)
    async with site.signed_in_browser() as browser:
        assert browser.cookies[SESSION]
        for url in (uri, f"{ORIGIN}/auth/statuses"):
            for origin in ("https://anywhere.example", "null"):
                response = await browser.get(url, headers={"origin": origin})
                assert response.headers["access-control-allow-origin"] == "*"
                assert "access-control-allow-credentials" not in response.headers
                assert response.headers["cross-origin-resource-policy"] == "cross-origin"
                assert "set-cookie" not in response.headers


async def test_all_lists_are_listed(site: Site) -> None:
    assert (await fetch(site, "/auth/statuses")).json() == {"status_lists": []}
    _, uri, _ = await referred(site)
    response = await fetch(site, "/auth/statuses")
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"status_lists": [uri]}
    claims = read_unverified((await fetch(site, uri)).text).claims
    assert claims["status_list"]["aggregation_uri"] == f"{ORIGIN}/auth/statuses"


@pytest.mark.parametrize(
    "query, status",
    [
        ("time=1", 501),
        ("time=", 501),
        ("time=" + "9" * 60_000, 501),
        ("time=%00", 501),
        ("x=1", 200),
        ("&", 400),
    ],
    ids=["time", "empty", "huge", "nul", "other", "broken"],
)
async def test_nobody_is_told_how_it_was(site: Site, query: str, status: int) -> None:
    """Whoever could ask for any time could tell when each token was revoked, and make a list be built for each."""
    _, uri, _ = await referred(site)
    response = await fetch(site, f"{uri}?{query}")
    assert response.status_code == status
    assert response.headers["cache-control"] == ("public, max-age=60" if status == 200 else "no-store")


@pytest.mark.parametrize("name", ["x", "%2e%2e%2f", "0" * 5000, "%00", "1/2", "%27%20OR%201=1"])
async def test_what_is_no_list_is_not_found(site: Site, name: str) -> None:
    await referred(site)
    assert (await fetch(site, f"/auth/statuses/{name}")).status_code == 404


async def test_a_list_is_gone_when_all_of_its_tokens_are(site: Site) -> None:
    _, uri, _ = await referred(site)
    site.clock.now += 86_400
    assert (await fetch(site, uri)).status_code == 200
    site.clock.now += 120
    assert (await fetch(site, uri)).status_code == 404
    assert (await fetch(site, "/auth/statuses")).json() == {"status_lists": []}
