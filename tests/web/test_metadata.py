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
from coatcheck.oauth.metadata import ServerFacts, server_metadata
from coatcheck.server import Settings, load_settings
from coatcheck.server.standalone import make_application
from tests.web.sites import ORIGIN, Site, open_site

pytestmark = pytest.mark.anyio
PATH = "/.well-known/oauth-authorization-server"
OPENID_PATH = "/.well-known/openid-configuration"


async def document(site: Site, path: str = PATH) -> httpx.Response:
    transport = httpx.ASGITransport(site.server.app.root[path])
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        return await client.get(path)


async def test_it_names_the_issuer_exactly_and_may_be_kept(site: Site) -> None:
    response = await document(site)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "public, max-age=300"
    found = response.json()
    await site.add_user()
    token = read_unverified((await site.tokens())["access_token"])
    assert found["issuer"] == token.claims["iss"] == ORIGIN


async def test_everything_that_it_names_is_there() -> None:
    async with open_site(registration="open") as site:
        found = (await document(site)).json()
        endpoints = {name: url for name, url in found.items() if name.endswith(("_endpoint", "_uri"))}
        assert len(endpoints) == 10
        async with site.program() as program:
            assert (await program.get(found["jwks_uri"])).json()["keys"]
            for name, url in endpoints.items():
                response = await program.request("OPTIONS", url)
                assert response.status_code == 204, name


async def test_openid_clients_find_the_same_where_they_look_for_it(site: Site) -> None:
    assert (await document(site, OPENID_PATH)).content == (await document(site)).content


async def test_the_key_of_id_tokens_is_published_before_any_client_is_registered(site: Site) -> None:
    found = (await document(site, OPENID_PATH)).json()
    async with site.program() as program:
        keys = (await program.get(found["jwks_uri"])).json()["keys"]
    assert {key["alg"] for key in keys} == {"ES256", "RS256"}


async def test_openid_discovery_section_3_all_that_is_required_is_there(site: Site) -> None:
    found = (await document(site, OPENID_PATH)).json()
    for name in (
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    ):
        assert found[name], name
    assert found["id_token_signing_alg_values_supported"][0] == "RS256"
    assert "none" not in found["id_token_signing_alg_values_supported"]
    assert found["scopes_supported"][0] == "openid"
    assert set(found["subject_types_supported"]) == {"public", "pairwise"}
    assert found["claims_parameter_supported"] is True
    assert found["request_parameter_supported"] is found["request_uri_parameter_supported"] is False


async def test_what_the_security_practice_asks_for_is_announced(site: Site) -> None:
    found = (await document(site)).json()
    assert found["code_challenge_methods_supported"] == ["S256"]  # RFC 9700 section 2.1.1
    assert found["authorization_response_iss_parameter_supported"] is True  # RFC 9207 section 3
    assert "none" not in found["introspection_endpoint_auth_methods_supported"]
    for name, methods in found.items():
        if name.endswith("signing_alg_values_supported"):
            assert "none" not in methods, name


@pytest.mark.parametrize(
    "registration, endpoint, documents",
    [("off", False, False), ("token", True, False), ("open", True, True)],
)
async def test_who_may_register_is_announced(registration: str, *, endpoint: bool, documents: bool) -> None:
    async with open_site(registration=registration) as site:
        found = (await document(site)).json()
    assert ("registration_endpoint" in found) is endpoint
    assert found["client_id_metadata_document_supported"] is documents


async def test_only_what_is_switched_on_is_announced() -> None:
    async with open_site() as site:
        found = (await document(site)).json()
        assert found["response_types_supported"] == ["code"]
        assert "implicit" not in found["grant_types_supported"]
        assert "create" in found["prompt_values_supported"]
    async with open_site(sign_up="closed") as site:
        assert "create" not in (await document(site)).json()["prompt_values_supported"]
    facts = ServerFacts(issuer=ORIGIN, base=ORIGIN, hybrid=True)
    told = server_metadata(facts)
    assert tuple(told["response_types_supported"]) == ("code", "code id_token", "id_token")
    assert "implicit" in told["grant_types_supported"]


async def test_scripts_of_any_origin_may_read_it(site: Site) -> None:
    for _ in range(2):  # the second is the one that was kept
        response = await document(site)
        assert response.headers["access-control-allow-origin"] == "*"
        assert response.headers["cross-origin-resource-policy"] == "cross-origin"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "strict-transport-security" in response.headers
        assert "set-cookie" not in response.headers


async def test_it_is_only_read(site: Site) -> None:
    transport = httpx.ASGITransport(site.server.app.root[PATH])
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        head = await client.head(PATH)
        assert (head.status_code, head.content) == (200, b"")
        assert (await client.post(PATH)).status_code == 405


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
            for path in (PATH, OPENID_PATH):
                assert (await client.get(path)).json()["issuer"] == settings.base_url
            assert "oauth-authorization-server" not in (await client.get("/openapi.json")).text


async def test_development_tells_it_to_no_other_machine(tmp_path: Path) -> None:
    app = make_application(development(tmp_path))
    async with running(app, base_url="http://evil.example") as client:
        assert (await client.get(PATH)).status_code == 421
