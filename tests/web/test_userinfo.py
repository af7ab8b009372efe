"""The userinfo endpoint, and what tokens of clients open over the web."""

from typing import Any

import pytest

from coatcheck._core.secrets import digest
from coatcheck.flows.errors import InsufficientScopeError
from coatcheck.identity import Client
from coatcheck.oauth.model import API, Grant, OAuthClient
from coatcheck.sessions.model import Session
from tests.web.sites import EMAIL, PASSWORD, Site, bearer

pytestmark = pytest.mark.anyio

SECRET = "the secret of the app, of 43 letters at least"


async def granted(site: Site, **changes: Any) -> tuple[OAuthClient, dict[str, str]]:
    """Return a client, and tokens of it that a user granted: one for userinfo, and one for an API."""
    context = site.server.flows.context
    user = await site.add_user(scopes="coatcheck:admin read")
    given: dict[str, Any] = {
        "id": "app",
        "name": "App",
        "created_at": site.clock(),
        "secret_digest": digest(SECRET),
    }
    client = OAuthClient(**(given | changes))
    await context.storage.records.add_client(client)
    session = Session(
        id="child",
        user_id=user.id,
        digest=None,
        profile="relaxed",
        created_at=site.clock(),
        authenticated_at=site.clock(),
        methods=("pwd",),
        last_seen_at=site.clock(),
        idle_timeout=3600,
        expires_at=site.clock() + 3600,
        client=Client(),
        client_id=client.id,
    )
    await context.storage.records.add_session(session)
    grant = Grant(
        session_id="child",
        user_id=user.id,
        client_id=client.id,
        scope=("openid", "email", "read", "coatcheck:admin"),
        audiences=(context.access_tokens.audience,),
        created_at=site.clock(),
    )
    await context.storage.records.put_grant(grant)
    api = API(audience=context.access_tokens.audience, name="Site", created_at=site.clock())
    tokens: dict[str, str] = {}
    for name, scope in {
        "user": ("openid", "email"),
        "none": (),
        "read": ("read",),
        "admin": ("coatcheck:admin",),
    }.items():
        issued = await site.server.flows.provider.issuer.access_token(
            api=api,
            subject=user.id,
            client_id=client.id,
            scope=scope,
            session=session,
            ends_at=None,
            with_issuer="openid" in scope,
            at=site.clock(),
        )
        tokens[name] = issued.token
    return client, tokens


async def test_userinfo_answers_by_get_and_by_post_with_the_token_in_header_or_body(site: Site) -> None:
    _, tokens = await granted(site)
    async with site.program() as program:
        answers = [
            await program.get("/auth/userinfo", headers=bearer(tokens["user"])),
            await program.post("/auth/userinfo", headers=bearer(tokens["user"])),
            await program.post("/auth/userinfo", data={"access_token": tokens["user"]}),
        ]
    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert set(answer.json()) == {"sub", "email", "email_verified"}


async def test_a_signed_answer_says_what_it_is(site: Site) -> None:
    _, tokens = await granted(site, userinfo_signed_response_alg="ES256")
    async with site.program() as program:
        answer = await program.get("/auth/userinfo", headers=bearer(tokens["user"]))
    assert answer.headers["content-type"] == "application/jwt"
    assert answer.text.count(".") == 2


async def test_userinfo_refuses_by_rfc_6750(site: Site) -> None:
    _, tokens = await granted(site)
    async with site.program() as program:
        nothing = await program.get("/auth/userinfo")
        assert nothing.status_code == 401
        assert nothing.headers["www-authenticate"] == 'Bearer realm="coatcheck"'
        bad = await program.get("/auth/userinfo", headers=bearer("no.token.here"))
        assert bad.status_code == 401
        assert 'error="invalid_token"' in bad.headers["www-authenticate"]
        little = await program.get("/auth/userinfo", headers=bearer(tokens["read"]))
        assert little.status_code == 403
        assert 'error="insufficient_scope"' in little.headers["www-authenticate"]
        assert 'scope="openid"' in little.headers["www-authenticate"]
        twice = await program.post(
            "/auth/userinfo", headers=bearer(tokens["user"]), data={"access_token": tokens["user"]}
        )
        assert twice.status_code == 400
        in_query = await program.get("/auth/userinfo", params={"access_token": tokens["user"]})
        assert in_query.status_code == 401


async def test_a_cookie_opens_no_userinfo(site: Site) -> None:
    await site.add_user()
    async with site.signed_in_browser() as browser:
        assert (await browser.get("/auth/userinfo")).status_code == 401


@pytest.mark.parametrize("name", ["user", "none", "read", "admin"])
async def test_account_takeover_a_clients_token_is_no_key_to_the_account(site: Site, name: str) -> None:
    _, tokens = await granted(site)
    headers = bearer(tokens[name]) | {"accept": "application/json"}
    async with site.client(headers) as program:
        for path in ("/auth/account", "/auth/devices", "/auth/session"):
            assert (await program.get(path)).status_code == 403, path
        for path, fields in {
            "/auth/account/password": {"current_password": PASSWORD, "new_password": "another long one"},
            "/auth/account/email": {"new_email": "eve@example.com"},
            "/auth/account/profile": {"name": "Eve"},
            "/auth/account/delete": {"confirm": "yes"},
            "/auth/devices/end-all": {},
        }.items():
            response = await program.post(path, data=fields)
            assert response.status_code == 403, path
            assert "scope=" not in response.headers["www-authenticate"]
    assert (await site.tokens())["access_token"]


async def test_a_client_with_the_scope_for_it_may_administer(site: Site) -> None:
    _, tokens = await granted(site)
    async with site.client({"accept": "application/json"}) as program:
        for name, status in {"admin": 200, "read": 403}.items():
            response = await program.get("/auth/admin/revocations", headers=bearer(tokens[name]))
            assert response.status_code == status


async def test_a_strangers_client_is_let_in_only_where_a_scope_is_asked_for(site: Site) -> None:
    client, tokens = await granted(site)

    def scope(name: str) -> dict[str, Any]:
        header = (b"authorization", b"Bearer " + tokens[name].encode())
        return {"type": "http", "method": "GET", "path": "/", "headers": [header]}

    gate = site.server.gate
    for _ in range(2):  # looked up, and remembered
        with pytest.raises(InsufficientScopeError):
            await gate.require(scope("read"))
        with pytest.raises(InsufficientScopeError):
            await gate.identify(scope("read"))
        assert (await gate.require(scope("read"), scopes=["read"])).email == EMAIL
        with pytest.raises(InsufficientScopeError):
            await gate.require(scope("none"), scopes=["read"])
    assert not client.first_party


async def test_the_sites_own_client_is_let_in_everywhere_but_to_the_account(site: Site) -> None:
    _, tokens = await granted(site, first_party=True)
    header = (b"authorization", b"Bearer " + tokens["read"].encode())
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": [header]}
    assert (await site.server.gate.require(scope)).email == EMAIL
    identity = await site.server.gate.identify(scope)
    assert identity is not None
    async with site.program() as program:
        answer = await program.post(
            "/auth/account/email", headers=bearer(tokens["read"]), data={"new_email": "eve@example.com"}
        )
    assert answer.status_code == 403


async def test_a_client_asks_about_its_own_tokens_with_its_own_secret(site: Site) -> None:
    _, tokens = await granted(site)
    form = {"token": tokens["user"]}
    async with site.program() as program:
        answer = await program.post("/auth/introspect", data=form, auth=("app", SECRET))
        assert (answer.json()["active"], answer.json()["client_id"]) == (True, "app")
        wrong = await program.post("/auth/introspect", data=form, auth=("app", "wrong"))
        assert wrong.status_code == 401
        assert wrong.headers["www-authenticate"].startswith("Basic ")
        assert wrong.json()["error"] == "invalid_client"
        missing = await program.post("/auth/introspect", data={}, auth=("app", SECRET))
        assert missing.json()["error"] == "invalid_request"


async def test_a_public_client_may_not_try_tokens(site: Site) -> None:
    _, tokens = await granted(site, token_endpoint_auth_method="none", secret_digest=None)
    async with site.program() as program:
        answer = await program.post("/auth/introspect", data={"token": tokens["user"], "client_id": "app"})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
