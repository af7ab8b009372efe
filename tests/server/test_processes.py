"""The server as processes: several at once, and killed at any moment."""

import asyncio
import contextlib
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from coatcheck.accounts.hashing import HashingPool
from coatcheck.accounts.importing import ImportedUser
from coatcheck.accounts.policy import Argon2Parameters
from coatcheck.server import load_settings, open_flows

PASSWORD = "an umbrella in the corner"
PEOPLE = [f"person{number}@example.com" for number in range(8)]
DEADLINE = 30.0


async def import_people(database: Path) -> None:
    pool = HashingPool(Argon2Parameters(memory_kib=64, time_cost=1), workers=1, queue=8)
    encoded = await pool.hash(PASSWORD)
    pool.close()
    settings = load_settings(environment={}, database=str(database))
    people = [
        ImportedUser(row=row, email=email, key=email, password_hash=encoded)
        for row, email in enumerate(PEOPLE, 1)
    ]
    async with open_flows(settings) as flows:
        report = await flows.administration.import_users(people)
    assert report.added == len(PEOPLE)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(
    directory: Path, *options: str, end: int = signal.SIGTERM
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    command = [sys.executable, "-m", "coatcheck", "serve", "--port", str(port), *options]
    environment = {
        "COATCHECK_ARGON2_MEMORY_KIB": "64",
        "COATCHECK_ARGON2_TIME_COST": "1",
        "COATCHECK_BASE_URL": "http://127.0.0.1:8000",  # the issuer, whatever the port is
    }
    with subprocess.Popen(command, cwd=directory, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(port, process)
            yield f"http://localhost:{port}/auth", process
        finally:
            process.send_signal(end)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        assert process.poll() is None
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"http://localhost:{port}/auth/sign-in").status_code == 200:
                return
        time.sleep(0.05)
    raise TimeoutError


def sign_in(client: httpx.Client, email: str) -> dict[str, str]:
    response = client.post("/sign-in", json={"email": email, "password": PASSWORD})
    assert response.status_code == 200, response.text
    tokens: dict[str, str] = response.json()
    return tokens


def session_status(client: httpx.Client, tokens: dict[str, str]) -> int:
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    return client.get("/session", headers=headers).status_code


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    asyncio.run(import_people(tmp_path / "coatcheck.db"))
    return tmp_path


def test_whoever_signs_out_at_one_worker_is_out_at_all_of_them(directory: Path) -> None:
    with serving(directory, "--workers", "2") as (url, _):
        # Each connection is served by one worker, and several connections by both.
        clients = [httpx.Client(base_url=url) for _ in range(8)]
        tokens = sign_in(clients[0], PEOPLE[0])
        assert {session_status(client, tokens) for client in clients} == {200}
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert clients[1].post("/sign-out", headers=headers).status_code == 204
        time.sleep(0.01)  # "within a few milliseconds"
        assert {session_status(client, tokens) for client in clients} == {401}
        for client in clients:
            client.close()


def test_another_secret_than_that_of_the_keys_is_told_in_one_line_before_anything_is_served(
    directory: Path,
) -> None:
    (directory / "coatcheck.db.secret").unlink()
    with serving(directory):
        pass  # makes the keys, under a secret of its own
    (directory / "coatcheck.db.secret").unlink()
    command = [sys.executable, "-m", "coatcheck", "serve", "--port", str(free_port())]
    result = subprocess.run(command, cwd=directory, env={}, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert result.stderr.endswith("[server_key]\n")
    assert result.stderr.count("\n") == 1


class Visitor(threading.Thread):
    """Somebody who signs in, refreshes and signs out, and remembers what was acknowledged."""

    def __init__(self, url: str, email: str) -> None:
        super().__init__()
        self.url = url
        self.email = email
        self.alive: list[dict[str, str]] = []
        self.ended: list[dict[str, str]] = []
        self.unknown: list[dict[str, str]] = []

    def run(self) -> None:
        with contextlib.suppress(httpx.TransportError), httpx.Client(base_url=self.url) as client:
            while True:
                self.visit(client)

    def visit(self, client: httpx.Client) -> None:
        tokens = sign_in(client, self.email)
        self.unknown = [tokens]  # until the next answer, nobody knows what has become of it
        refreshed = client.post(
            "/token", data={"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        )
        assert refreshed.status_code == 200, refreshed.text
        newest = refreshed.json()
        self.unknown = []
        if random.random() < 0.5:  # noqa: S311 - any mixture will do
            self.alive.append(newest)
            return
        self.unknown = [newest]
        headers = {"Authorization": f"Bearer {newest['access_token']}"}
        assert client.post("/sign-out", headers=headers).status_code == 204
        self.unknown = []
        self.ended.append(newest)


def test_kill_9_under_load_loses_nothing_that_was_acknowledged_and_revives_nothing(directory: Path) -> None:
    with serving(directory, end=signal.SIGKILL) as (url, _):
        visitors = [Visitor(url, email) for email in PEOPLE[:4]]
        for visitor in visitors:
            visitor.start()
        while sum(len(visitor.ended) for visitor in visitors) < 10:
            assert any(visitor.is_alive() for visitor in visitors)
            time.sleep(0.05)
    for visitor in visitors:
        visitor.join()
    alive = [tokens for visitor in visitors for tokens in visitor.alive]
    ended = [tokens for visitor in visitors for tokens in visitor.ended]
    with serving(directory) as (url, _), httpx.Client(base_url=url) as client:
        assert {session_status(client, tokens) for tokens in alive} <= {200}
        assert {session_status(client, tokens) for tokens in ended} == {401}
        for tokens in alive:
            form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
            assert client.post("/token", data=form).status_code == 200
