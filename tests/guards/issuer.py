"""A server where people sign in, in a process of its own."""

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from coatcheck.accounts.hashing import HashingPool
from coatcheck.accounts.importing import ImportedUser
from coatcheck.accounts.policy import Argon2Parameters
from coatcheck.jose.hazmat import read_unverified
from coatcheck.server import load_settings, open_flows
from tests.guards.programs import AUDIENCE, free_port

PASSWORD = "an umbrella in the corner"
SCOPES = {"reader": "orders:read", "writer": "orders:write", "stranger": "else:where"}
DEADLINE = 30.0
_SETTINGS = {
    "COATCHECK_ARGON2_MEMORY_KIB": "64",
    "COATCHECK_ARGON2_TIME_COST": "1",
    "COATCHECK_ACCESS_TOKEN_LIFETIME": "1 h",  # tests share tokens, and come one after the other
}


class Issuer:
    """A client of the server, for all who sign in."""

    def __init__(self, url: str, database: Path) -> None:
        self.url = url
        self._database = database
        self._client = httpx.Client(base_url=f"{url}/auth", timeout=DEADLINE)

    def sign_in(self, name: str) -> str:
        """Return an access token of a new session."""
        token: str = self._sign_in(name)["access_token"]
        return token

    def sign_in_long_ago(self, name: str) -> str:
        """Return an access token of a session whose user signed in an hour ago."""
        tokens = self._sign_in(name)
        session = read_unverified(tokens["access_token"]).claims["sid"]
        with closing(sqlite3.connect(self._database)) as database, database:
            database.execute(
                "UPDATE sessions SET authenticated_at = authenticated_at - 3600 WHERE id = ?", [session]
            )
        form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        answer = self._client.post("/token", data=form)
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    def _sign_in(self, name: str) -> dict[str, Any]:
        body = {"email": f"{name}@example.com", "password": PASSWORD}
        answer = self._client.post("/sign-in", json=body)
        assert answer.status_code == 200, answer.text
        tokens: dict[str, Any] = answer.json()
        return tokens

    def sign_out(self, token: str) -> None:
        """End the session of a token."""
        answer = self._client.post("/sign-out", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 204, answer.text

    def close(self) -> None:
        self._client.close()


async def _import_people(database: Path) -> None:
    pool = HashingPool(Argon2Parameters(memory_kib=64, time_cost=1), workers=1, queue=8)
    encoded = await pool.hash(PASSWORD)
    pool.close()
    people = [
        ImportedUser(
            row=row,
            email=f"{name}@example.com",
            key=f"{name}@example.com",
            password_hash=encoded,
            scopes=frozenset({scope}),
        )
        for row, (name, scope) in enumerate(SCOPES.items(), 1)
    ]
    async with open_flows(load_settings(environment={}, database=str(database))) as flows:
        report = await flows.administration.import_users(people)
    assert report.added == len(SCOPES)


@contextmanager
def serving(directory: Path) -> Iterator[Issuer]:
    """Let a server run, with people in its database."""
    asyncio.run(_import_people(directory / "coatcheck.db"))
    port = free_port()
    url = f"http://localhost:{port}"
    command = [sys.executable, "-m", "coatcheck", "serve", "--port", str(port)]
    environment = _SETTINGS | {"COATCHECK_BASE_URL": url, "COATCHECK_AUDIENCE": AUDIENCE}
    with subprocess.Popen(command, cwd=directory, env=environment, stdout=subprocess.DEVNULL) as process:
        issuer = Issuer(url, directory / "coatcheck.db")
        try:
            _wait_for(url, process)
            yield issuer
        finally:
            issuer.close()
            process.terminate()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        assert process.poll() is None
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/.well-known/oauth-authorization-server").status_code == 200:
                return
        time.sleep(0.05)
    raise TimeoutError
