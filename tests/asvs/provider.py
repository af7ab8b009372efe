"""What the rows about the provider share: APIs, machines, and tokens of an app that somebody let in."""

from typing import Any

import httpx

from coatcheck._core.secrets import digest
from coatcheck.oauth.model import API, APIScope, HolderKind, OAuthClient
from tests.web.authorizing import SECRET, VERIFIER, add_app, allowed, exchanged
from tests.web.sites import ORIGIN, Site

ORDERS = "https://orders.example"
MACHINE = {"grant_type": "client_credentials"}


async def add_api(site: Site, *scopes: str, audience: str = ORDERS, everybody: str = "", **more: Any) -> API:
    offered = [APIScope(name=each, description=f"To {each}") for each in scopes]
    offered += [APIScope(name=each, for_everybody=True) for each in everybody.split()]
    api, _ = await site.server.flows.provider.apis.add(audience, name="Orders", scopes=offered, **more)
    return api


async def permit(site: Site, kind: HolderKind, holder: str, *scopes: str, audience: str = ORDERS) -> None:
    """Give a permission; what is issued after that instant says it."""
    permissions = site.server.flows.provider.permissions
    await permissions.grant(kind, holder, audience, scopes=scopes, actor="administrator")
    site.clock.now += 1


async def add_machine(site: Site, client_id: str = "machine", **members: Any) -> OAuthClient:
    given: dict[str, Any] = {
        "id": client_id,
        "name": client_id,
        "created_at": site.clock(),
        "secret_digest": digest(SECRET),
        "grant_types": ("client_credentials",),
        "response_types": (),
    }
    client = OAuthClient(**(given | members))
    assert await site.server.flows.context.storage.records.add_client(client)
    return client


async def ask(site: Site, path: str, *, secret_of: str | None = None, **fields: str) -> httpx.Response:
    """Post a form to an endpoint for clients, perhaps as a client with a secret."""
    auth = None if secret_of is None else httpx.BasicAuth(secret_of, SECRET)
    async with site.program() as program:
        return await program.post(f"/auth/{path}", data=fields, auth=auth or httpx.Auth())


async def let_in(site: Site, **changes: str | None) -> dict[str, Any]:
    """Have a user let the public app in; return its tokens."""
    async with site.browser() as browser:
        return await tokens_of(site, browser, **changes)


async def tokens_of(site: Site, browser: httpx.AsyncClient, **changes: str | None) -> dict[str, Any]:
    answer = await exchanged(site, (await allowed(browser, **changes))["code"])
    assert answer.status_code == 200, answer.text
    tokens: dict[str, Any] = answer.json()
    return tokens


async def userinfo(site: Site, token: str) -> httpx.Response:
    async with site.program() as program:
        return await program.get("/auth/userinfo", headers={"authorization": f"Bearer {token}"})


async def add_confidential_app(site: Site, **members: Any) -> OAuthClient:
    return await add_app(site, **({"token_endpoint_auth_method": "client_secret_basic"} | members))


async def redeemed(site: Site, code: str, *, client_id: str, **changes: str | None) -> httpx.Response:
    """Exchange a code as a confidential client."""
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": "https://app.example/cb",
        "code_verifier": VERIFIER,
    } | changes
    given = {name: value for name, value in fields.items() if value is not None}
    return await ask(site, "token", secret_of=client_id, **given)


async def metadata_of(site: Site) -> dict[str, Any]:
    """Return what the site says of itself, at the root of its host."""
    path = "/.well-known/openid-configuration"
    transport = httpx.ASGITransport(site.server.app.root[path])
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        found: dict[str, Any] = (await client.get(path)).json()
    return found
