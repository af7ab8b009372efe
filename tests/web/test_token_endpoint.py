"""The token endpoint and the revocation endpoint on the wire."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from coatcheck._core.secrets import digest
from coatcheck.oauth.errors import InvalidRequestError
from coatcheck.oauth.model import OAuthClient
from coatcheck.web.client_requests import parse_parameters
from tests.flows.world import asynchronous
from tests.web.sites import Site, open_site

SECRET = "s" * 43
GRANT = {"grant_type": "client_credentials"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@asynccontextmanager
async def site_with_a_machine() -> AsyncIterator[tuple[Site, httpx.AsyncClient]]:
    async with open_site() as site, site.program() as program:
        machine = OAuthClient(
            id="machine",
            name="machine",
            created_at=0.0,
            secret_digest=digest(SECRET),
            grant_types=("client_credentials", "refresh_token"),
        )
        await site.server.flows.context.storage.records.add_client(machine)
        yield site, program


@asynchronous
async def test_a_machine_gets_its_token_and_no_cache_keeps_it() -> None:
    async with site_with_a_machine() as (_, program):
        answer = await program.post("/auth/token", data=GRANT, auth=("machine", SECRET))
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        assert set(answer.json()) == {"access_token", "expires_in", "scope", "token_type"}
        assert answer.json()["token_type"] == "Bearer"


@pytest.mark.parametrize(
    "sent, status, error",
    [
        ({"data": {}}, 400, "invalid_request"),
        ({"data": {"grant_type": ""}}, 400, "invalid_request"),
        ({"data": {"grant_type": "password"}}, 400, "unsupported_grant_type"),
        ({"data": {"grant_type": "authorization_code", "code": "x"}}, 400, "unauthorized_client"),
        ({"data": GRANT | {"scope": "nonsense"}}, 400, "invalid_scope"),
        ({"data": GRANT | {"resource": "https://nowhere.example"}}, 400, "invalid_target"),
        ({"data": GRANT | {"client_id": "another"}}, 400, "invalid_request"),
        ({"data": GRANT | {"client_secret": SECRET}}, 400, "invalid_request"),
        ({"content": "grant_type=client_credentials&grant_type=x", "headers": FORM}, 400, "invalid_request"),
        ({"content": "grant_type=%zz", "headers": FORM}, 400, "invalid_request"),
        ({"content": "grant_type=%ff", "headers": FORM}, 400, "invalid_request"),
        ({"content": "&".join(f"a{n}=b" for n in range(40)), "headers": FORM}, 400, "invalid_request"),
        ({"json": GRANT | {"resource": 1}}, 400, "invalid_request"),
        ({"json": GRANT | {"scope": ["x"]}}, 400, "invalid_request"),
        ({"data": {"grant_type": "refresh_token", "refresh_token": "x"}}, 400, "invalid_grant"),
    ],
    ids=lambda value: repr(value)[:50] if isinstance(value, dict) else str(value),
)
@asynchronous
async def test_errors_are_those_of_the_specification(sent: dict[str, Any], status: int, error: str) -> None:
    async with site_with_a_machine() as (_, program):
        answer = await program.post("/auth/token", auth=("machine", SECRET), **sent)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
        assert answer.headers["cache-control"] == "no-store"
        assert "zz" not in answer.text.removeprefix('{"error"')


@asynchronous
async def test_who_fails_to_authenticate_is_told_how_and_not_why() -> None:
    async with site_with_a_machine() as (_, program):
        for path in ("token", "revoke"):
            told = []
            for auth in (
                httpx.BasicAuth("machine", "wrong"),
                httpx.BasicAuth("nobody", SECRET),
                httpx.Auth(),
            ):
                sent = GRANT | {"token": "x"}
                answer = await program.post(f"/auth/{path}", data=sent, auth=auth)
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"].startswith("Basic ")
                told.append(answer.text)
            assert len(set(told)) == 1
            assert "invalid_client" in told[0]


@asynchronous
async def test_unknown_and_empty_parameters_are_passed_over_and_a_bearer_token_is_no_secret() -> None:
    async with site_with_a_machine() as (_, program):
        sent = GRANT | {"scope": "", "resource": "", "unknown": "x", "client_secret": ""}
        answer = await program.post("/auth/token", data=sent, auth=("machine", SECRET))
        assert answer.status_code == 200
        answer = await program.post("/auth/token", data=GRANT, headers={"authorization": "Bearer abc"})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        encoded = base64.b64encode(f"machine:{SECRET}".encode()).decode()
        twice = [("authorization", f"Basic {encoded}")] * 2
        answer = await program.post("/auth/token", data=GRANT, headers=twice)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@asynchronous
async def test_a_script_of_any_origin_may_ask_without_cookies() -> None:
    async with site_with_a_machine() as (_, program):
        for path in ("/auth/token", "/auth/revoke"):
            asked = {"origin": "https://app.example", "access-control-request-method": "POST"}
            answer = await program.options(path, headers=asked)
            assert answer.status_code == 204
            assert answer.headers["access-control-allow-origin"] == "*"
            assert "POST" in answer.headers["access-control-allow-methods"]
            assert "Authorization" in answer.headers["access-control-allow-headers"]
            refused = await program.post(path, data={}, headers={"origin": "https://app.example"})
            assert refused.headers["access-control-allow-origin"] == "*"
            assert (await program.get(path)).status_code == 405


@asynchronous
async def test_a_token_is_revoked_and_unknown_ones_are_answered_alike() -> None:
    async with site_with_a_machine() as (site, program):
        given = await program.post("/auth/token", data=GRANT, auth=("machine", SECRET))
        token = given.json()["access_token"]
        for sent in (
            {"token": token, "token_type_hint": "refresh_token"},
            {"token": "x", "token_type_hint": "y"},
        ):
            answer = await program.post("/auth/revoke", data=sent, auth=("machine", SECRET))
            assert (answer.status_code, answer.content) == (200, b"")
        entries = await site.server.flows.context.storage.records.list_entries(after=0, limit=10)
        assert [each.kind for each in entries] == ["token"]
        answer = await program.post("/auth/revoke", auth=("machine", SECRET))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@asynchronous
async def test_a_client_that_sends_json_is_understood() -> None:
    async with site_with_a_machine() as (_, program):
        for more in (
            {},
            {"resource": ["https://testserver"]},
            {"resource": "https://testserver", "scope": None},
        ):
            answer = await program.post("/auth/token", json=GRANT | more, auth=("machine", SECRET))
            assert answer.status_code == 200


def test_a_resource_may_be_there_twice_and_nothing_else() -> None:
    parameters, resources = parse_parameters(b"a=1&resource=x&resource=y&b=&resource=&c")
    assert (parameters, resources) == ({"a": "1"}, ("x", "y"))
    assert parse_parameters(b"") == ({}, ())
    for refused in (b"a=1&a=2", b"a=&a=2", b"a&a", b"%61=1&a=2"):
        with pytest.raises(InvalidRequestError):
            parse_parameters(refused)
