"""``coatcheck revoke`` beside a server that runs, which refuses at its next request."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from coatcheck.jose.hazmat import read_unverified
from tests.server.test_processes import PEOPLE, import_people, serving, session_status, sign_in

EMAIL = PEOPLE[0]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    asyncio.run(import_people(tmp_path / "coatcheck.db"))
    with serving(tmp_path) as (url, _), httpx.Client(base_url=url) as client:
        yield client


def coatcheck(*arguments: str, given: str = "") -> str:
    environment = os.environ | {"COATCHECK_BASE_URL": "http://127.0.0.1:8000"}  # that of the server
    ran = subprocess.run(
        [sys.executable, "-m", "coatcheck", *arguments],
        input=given,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def can_refresh(client: httpx.Client, tokens: dict[str, str]) -> bool:
    grant = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    return client.post("/token", data=grant).status_code == 200


def test_whatever_is_revoked_is_refused_by_the_next_request(client: httpx.Client) -> None:
    for kind in ("user", "session", "token", "client", "key", "everything"):
        tokens = sign_in(client, EMAIL)
        assert session_status(client, tokens) == 200
        token = read_unverified(tokens["access_token"])
        names = {
            "user": [EMAIL],
            "session": [token.claims["sid"]],
            "token": ["-"],
            "client": [token.claims["client_id"]],
            "key": [token.header["kid"]],
            "everything": ["--yes"],
        }
        coatcheck("revoke", kind, *names[kind], given=tokens["access_token"] if kind == "token" else "")
        assert session_status(client, tokens) == 401, kind
        assert can_refresh(client, tokens) == (kind in {"token", "client", "key"}), kind
    told = [json.loads(line)["kind"] for line in coatcheck("revoke", "list", "--json").splitlines()]
    assert set(told) == {"user", "session", "token", "client", "key", "everything"}


def test_a_service_is_known_and_forgotten_by_the_running_server(client: httpx.Client) -> None:
    key = coatcheck("service", "add", "orders").strip().partition("=")[2]
    tokens = sign_in(client, EMAIL)
    headers = {"Authorization": f"Bearer {key}"}
    asked = client.post("/introspect", data={"token": tokens["access_token"]}, headers=headers)
    assert (asked.status_code, asked.json()["active"]) == (200, True)
    coatcheck("service", "remove", "orders")
    refused = client.post("/introspect", data={"token": tokens["access_token"]}, headers=headers)
    assert refused.status_code == 401
