"""What a client has to know of a server, where it looks for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette

from coatcheck.integrations.fastapi import Auth
from coatcheck.jose.hazmat import read_unverified
from coatcheck.server import Settings, load_settings
from coatcheck.server.standalone import make_application
from tests.web.sites import ORIGIN, Site, open_site

pytestmark = pytest.mark.anyio
PATH = "/.well-known/oauth-authorization-server"


async def document(site: Site) -> httpx.Response:
    transport = httpx.ASGITransport(site.server.app.root[PATH])
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        return await client.get(PATH)


async def test_it_names_the_issuer_exactly_and_may_be_kept(site: Site) -> None:
    response = await document(site)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "public, max-age=300"
    found = response.json()
    await site.add_user()
    token = read_unverified((await site.tokens())["access_token"])
    assert found["issuer"] == token.claims["iss"] == ORIGIN


async def test_everything_that_it_names_is_there(site: Site) -> None:
    found = (await document(site)).json()
    assert found["response_types_supported"] == []
    assert found["grant_types_supported"] == ["refresh_token"]
    async with site.program() as program:
        assert (await program.get(found["jwks_uri"])).json()["keys"]
        for name in ("token_endpoint", "introspection_endpoint", "coatcheck_ledger_endpoint"):
            response = await program.request("OPTIONS", found[name])
            assert response.status_code == 204, name


async def test_it_names_the_status_lists_where_there_are_any() -> None:
    for switched, expected in (("on", f"{ORIGIN}/auth/statuses"), ("off", None)):
        async with open_site(status_lists=switched) as site:
            found = (await document(site)).json()
        assert found.get("status_list_aggregation_endpoint") == expected


async def test_the_prefix_is_part_of_what_it_names_and_not_of_where_it_is() -> None:
    async with open_site(prefix="/login") as site:
        found = (await document(site)).json()
    assert found["issuer"] == ORIGIN
    assert found["coatcheck_ledger_endpoint"] == f"{ORIGIN}/login/ledger"


@asynccontextmanager
async def running(app: Starlette, *, base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=base_url) as client,
    ):
        yield client


def development(directory: Path) -> Settings:
    return load_settings(environment={}, directory=str(directory), database=str(directory / "coatcheck.db"))


async def test_a_server_by_itself_has_it_at_its_root(tmp_path: Path) -> None:
    settings = development(tmp_path)
    async with running(make_application(settings), base_url="http://localhost:9000") as client:
        found = (await client.get(PATH)).json()
        assert (await client.get("/auth" + PATH)).status_code == 404
    # Development answers by whichever name of this machine it is reached, and is called the same in tokens.
    assert found["issuer"] == settings.base_url
    assert found["jwks_uri"] == "http://localhost:9000/auth/.well-known/jwks.json"


async def test_a_server_in_fastapi_has_it_at_the_root_of_the_application(tmp_path: Path) -> None:
    app = FastAPI()
    settings = development(tmp_path)
    Auth(app, settings=settings)
    for _ in range(2):  # another lifespan has another server
        async with running(app, base_url="http://localhost") as client:
            assert (await client.get(PATH)).json()["issuer"] == settings.base_url
            assert "oauth-authorization-server" not in (await client.get("/openapi.json")).text


async def test_development_tells_it_to_no_other_machine(tmp_path: Path) -> None:
    app = make_application(development(tmp_path))
    async with running(app, base_url="http://evil.example") as client:
        assert (await client.get(PATH)).status_code == 421
