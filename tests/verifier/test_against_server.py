"""The verifier and the server as they are used: a real process, its tokens, its cookies and its ledger."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from coatcheck.accounts.hashing import HashingPool
from coatcheck.accounts.importing import ImportedUser
from coatcheck.accounts.policy import Argon2Parameters
from coatcheck.server import load_settings, open_flows
from coatcheck.verifier import (
    InvalidTokenError,
    NotAuthenticatedError,
    StaleViewError,
    Verifier,
    VerifierPolicy,
)
from tests.verifier.server import eventually

PASSWORD = "an umbrella in the corner"
SWIFT = VerifierPolicy(first_pause=0.02, longest_pause=0.2)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Site:
    """A server process in development mode, and how to reach it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "COATCHECK_ARGON2_MEMORY_KIB": "64",
            "COATCHECK_ARGON2_TIME_COST": "1",
            "COATCHECK_BASE_URL": self.url,
        }
        self.key = ""

    def start(self) -> None:
        command = [sys.executable, "-m", "coatcheck", "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(
            command,
            cwd=self.directory,
            env={**self.environment, "PATH": os.environ.get("PATH", "")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(self.is_there, within=30)

    def is_there(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/auth/sign-in").status_code == 200
        return False

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


EMAILS = [f"person{number}@example.com" for number in range(3)]


async def prepare(database: Path, url: str) -> str:
    """Add people and this service; return its key."""
    pool = HashingPool(Argon2Parameters(memory_kib=64, time_cost=1), workers=1, queue=8)
    encoded = await pool.hash(PASSWORD)
    pool.close()
    settings = load_settings(environment={"COATCHECK_BASE_URL": url}, database=str(database))
    people = [
        ImportedUser(row=row, email=email, key=email, password_hash=encoded)
        for row, email in enumerate(EMAILS, 1)
    ]
    async with open_flows(settings) as flows:
        await flows.administration.import_users(people)
        _, key = await flows.services.add("api")
    return str(key)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    site.key = asyncio.run(prepare(tmp_path / "coatcheck.db", site.url))
    site.start()
    yield site
    site.kill()


@pytest.fixture
def verifier(site: Site) -> Iterator[Verifier]:
    with Verifier(site.url, audience=site.url, key=site.key, cookies="session", policy=SWIFT) as verifier:
        verifier.wait_until_ready(20)
        eventually(lambda: verifier.metrics().connected)
        yield verifier


def sign_in(site: Site, email: str) -> str:
    response = httpx.post(f"{site.url}/auth/sign-in", json={"email": email, "password": PASSWORD})
    assert response.status_code == 200, response.text
    return str(response.json()["access_token"])


def sign_out(site: Site, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.post(f"{site.url}/auth/sign-out", headers=headers).status_code == 204


def refusal(verifier: Verifier, token: str) -> str | None:
    try:
        verifier.verify(token)
    except InvalidTokenError as error:
        return error.reason
    return None


def test_whoever_signs_out_is_refused_within_milliseconds(site: Site, verifier: Verifier) -> None:
    token, other = sign_in(site, EMAILS[0]), sign_in(site, EMAILS[1])
    principal = verifier.verify(token)
    assert principal.scopes == frozenset()
    assert principal.acr == "aal1"
    assert refusal(verifier, other) is None
    sign_out(site, token)
    began = time.monotonic()
    eventually(lambda: refusal(verifier, token) == "revoked-session")
    assert time.monotonic() - began < 5
    assert refusal(verifier, other) is None
    assert verifier.metrics().snapshots == 1
    assert verifier.metrics().key_fetches == 1  # the digest in the greeting is that of the document


def test_a_session_cookie_is_verified_and_ends_likewise(site: Site, verifier: Verifier) -> None:
    response = httpx.post(
        f"{site.url}/auth/sign-in", json={"email": EMAILS[0], "password": PASSWORD, "credential": "cookie"}
    )
    cookies = [each.partition(";")[0] for each in response.headers.get_list("set-cookie")]
    headers = {"Host": "app.example", "Cookie": "; ".join(cookies)}
    principal = verifier.require(headers)
    assert principal.via == "cookie"
    assert verifier.require(headers) is principal
    token = sign_in(site, EMAILS[0])
    everywhere = httpx.post(
        f"{site.url}/auth/sign-out",
        params={"everywhere": "true"},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert everywhere.is_success
    asyncio.run(end_all(site))
    eventually(lambda: cookie_is_refused(verifier, headers))


async def end_all(site: Site) -> None:
    settings = load_settings(
        environment={"COATCHECK_BASE_URL": site.url}, database=str(site.directory / "coatcheck.db")
    )
    async with open_flows(settings) as flows:
        await flows.administration.end_sessions(EMAILS[0])


def cookie_is_refused(verifier: Verifier, headers: dict[str, str]) -> bool:
    try:
        verifier.require(headers)
    except NotAuthenticatedError:
        return True
    return False


def test_what_another_process_revokes_arrives_too(site: Site, verifier: Verifier) -> None:
    token = sign_in(site, EMAILS[0])
    assert refusal(verifier, token) is None
    asyncio.run(end_all(site))
    eventually(lambda: refusal(verifier, token) == "revoked-session")


def test_nothing_is_lost_when_the_server_is_killed(site: Site, verifier: Verifier) -> None:
    first, second, third = (sign_in(site, email) for email in EMAILS)
    for token in (first, second, third):
        assert refusal(verifier, token) is None
    sign_out(site, first)
    eventually(lambda: refusal(verifier, first))
    site.kill()
    asyncio.run(end_all(site))  # of the first, once more; and below of the second, while nobody serves
    assert refusal(verifier, second) is None
    site.start()
    sign_out(site, second)
    eventually(lambda: refusal(verifier, second))
    assert refusal(verifier, third) is None
    assert verifier.metrics().snapshots == 1  # it went on where it was


def test_a_server_that_is_gone_is_noticed_in_time(site: Site) -> None:
    span = timedelta(seconds=6)
    with Verifier(site.url, audience=site.url, key=site.key, policy=SWIFT, max_staleness=span) as verifier:
        verifier.wait_until_ready(20)
        token = sign_in(site, EMAILS[0])
        verifier.verify(token)
        site.process.send_signal(signal.SIGSTOP)  # it is there, and says nothing
        began = time.monotonic()
        try:
            with pytest.raises(StaleViewError):
                spend(verifier, token, seconds=15)
            assert 3.0 < time.monotonic() - began < 30
        finally:
            site.process.send_signal(signal.SIGCONT)
        eventually(lambda: answers(verifier, token))


def spend(verifier: Verifier, token: str, *, seconds: float) -> None:
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        verifier.verify(token)
        time.sleep(0.02)


def answers(verifier: Verifier, token: str) -> bool:
    try:
        verifier.verify(token)
    except StaleViewError:
        return False
    return True
