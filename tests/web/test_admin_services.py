"""The services, over the web. What nobody else can do with them is tested beside the revocations."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.web.sites import Site, bearer

pytestmark = pytest.mark.anyio

PATH = "/auth/admin/services"
ADMIN = "root@example.com"
API = "https://api.example"


@pytest.fixture
async def program(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    await site.add_user(ADMIN, scopes="coatcheck:admin")
    async with site.program() as program:
        program.headers.update(bearer((await site.tokens(ADMIN))["access_token"]))
        yield program


async def test_a_service_is_added_listed_and_removed(site: Site, program: httpx.AsyncClient) -> None:
    added = await program.post(PATH, json={"name": "orders", "audience": API})
    assert added.status_code == 201
    assert added.headers["cache-control"] == "no-store"
    told = added.json()
    assert (told["name"], told["audience"]) == ("orders", API)
    assert (await site.server.flows.services.authenticate(told["key"])).name == "orders"
    listed = await program.get(PATH)
    assert listed.json() == {
        "services": [{"name": "orders", "audience": API, "created_at": int(site.clock.now)}]
    }
    assert (await program.post(f"{PATH}/remove", json={"name": "orders"})).status_code == 204
    assert (await program.get(PATH)).json() == {"services": []}


async def test_a_service_for_all_audiences_says_so(program: httpx.AsyncClient) -> None:
    assert (await program.post(PATH, json={"name": "gateway"})).json()["audience"] is None
    assert (await program.get(PATH)).json()["services"][0]["audience"] is None


@pytest.mark.parametrize(
    "body, status, code, field",
    [
        ({"name": "orders"}, 409, "service_taken", None),
        ({"name": "my orders"}, 422, "invalid_service", "name"),
        ({"name": "x" * 60_000}, 422, "invalid_service", "name"),
        ({"name": "a\nb"}, 422, "invalid_service", "name"),
        ({"name": "'; DROP TABLE services; --"}, 422, "invalid_service", "name"),
        ({"name": "new", "audience": "a b"}, 422, "invalid_service", "audience"),
        ({"name": 7}, 400, "malformed_request", "name"),
        ({}, 400, "malformed_request", "name"),
    ],
    ids=range(8),
)
async def test_what_cannot_be_added_is_told(
    program: httpx.AsyncClient, *, body: dict[str, object], status: int, code: str, field: str | None
) -> None:
    await program.post(PATH, json={"name": "orders"})
    refused = await program.post(PATH, json=body)
    assert (refused.status_code, refused.json()["code"], refused.json().get("field")) == (status, code, field)
    assert len(refused.text) < 500


async def test_what_is_not_there_cannot_be_removed(program: httpx.AsyncClient) -> None:
    refused = await program.post(f"{PATH}/remove", json={"name": "orders"})
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown_service")
    refused = await program.post(f"{PATH}/remove", json={"name": "x" * 60_000})
    assert refused.status_code == 422


async def test_the_key_is_told_once_and_masked_where_it_might_be_logged(program: httpx.AsyncClient) -> None:
    from coatcheck.web.routes.admin_services import ServiceJSON

    key = (await program.post(PATH, json={"name": "orders"})).json()["key"]
    assert key not in (await program.get(PATH)).text
    assert key not in repr(ServiceJSON(name="orders", audience=None, created_at=0, key=key))


async def test_asvs_7_5_3_a_browser_must_prove_it_anew(site: Site, program: httpx.AsyncClient) -> None:
    async with site.signed_in_browser(ADMIN) as browser:
        site.clock.now += 301
        assert (await browser.get(PATH)).status_code == 200
        refused = await browser.post(PATH, json={"name": "orders"})
        assert (refused.status_code, refused.json()["code"]) == (401, "insufficient_user_authentication")
    assert await site.server.flows.services.list() == []
