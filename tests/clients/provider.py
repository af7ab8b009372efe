"""The provider as it is run for others, behind nginx, over TLS; in development mode, for it is called localhost."""

import asyncio
import json
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from coatcheck.accounts.hashing import HashingPool
from coatcheck.accounts.importing import ImportedUser
from coatcheck.accounts.policy import Argon2Parameters
from coatcheck.server import load_settings, open_flows
from tests.clients.certificates import make
from tests.guards.programs import free_port

ADA = "ada@example.com"
PASSWORD = "an umbrella in the corner"
DEADLINE = 30.0

_NGINX = """
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{public} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        location / {{
            proxy_pass http://127.0.0.1:{private};
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto https;
            proxy_buffering off;
        }}
    }}
}}
"""


class Provider:
    """A provider, and the command by which its operator registers clients.

    Attributes:
        issuer: Its issuer URL.
        trusted: The authority that its certificate is of.
    """

    def __init__(self, directory: Path, issuer: str, trusted: Path, environment: dict[str, str]) -> None:
        self.issuer = issuer
        self.trusted = trusted
        self._directory = directory
        self.environment = environment

    def command(self, *arguments: str) -> Any:
        """Run a command of the program and return what it says, as JSON if that was asked for."""
        command = [sys.executable, "-m", "coatcheck", *arguments]
        ran = subprocess.run(
            command, cwd=self._directory, env=self.environment, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr or ran.stdout
        return json.loads(ran.stdout) if "--json" in arguments else ran.stdout


async def _add_ada(settings: dict[str, str]) -> None:
    pool = HashingPool(Argon2Parameters(memory_kib=64, time_cost=1), workers=1, queue=8)
    encoded = await pool.hash(PASSWORD)
    pool.close()
    ada = ImportedUser(row=1, email=ADA, key=ADA, password_hash=encoded, scopes=frozenset())
    async with open_flows(load_settings(environment=settings)) as flows:
        report = await flows.administration.import_users([ada])
    assert report.added == 1


def _settings(directory: Path, issuer: str) -> dict[str, str]:
    return {
        "COATCHECK_BASE_URL": issuer,
        "COATCHECK_DATABASE": str(directory / "coatcheck.db"),
        "COATCHECK_REGISTRATION": "open",
        "COATCHECK_TRUSTED_PROXIES": "127.0.0.1",
    }


@contextmanager
def serving(directory: Path) -> Iterator[Provider]:
    """Let a provider run behind nginx."""
    public, private = free_port(), free_port()
    issuer = f"https://localhost:{public}"
    trusted, certificate, key = make(directory)
    environment = _settings(directory, issuer)
    asyncio.run(_add_ada(environment))
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    configuration = directory / "nginx.conf"
    configuration.write_text(
        _NGINX.format(directory=directory, public=public, private=private, certificate=certificate, key=key)
    )
    serve = [sys.executable, "-m", "coatcheck", "serve", "--port", str(private)]
    with (
        (directory / "log").open("wb") as log,
        subprocess.Popen(serve, cwd=directory, env=environment, stdout=log, stderr=log) as server,
        subprocess.Popen([nginx, "-p", str(directory), "-c", str(configuration)], stderr=log) as proxy,
    ):
        try:
            _wait_for(issuer, trusted, server, directory / "log")
            yield Provider(directory, issuer, trusted, environment)
        finally:
            proxy.terminate()
            server.terminate()


def _wait_for(issuer: str, trusted: Path, server: subprocess.Popen[bytes], log: Path) -> None:
    context = ssl.create_default_context(cafile=str(trusted))
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text()
        with suppress(httpx.TransportError):
            found = httpx.get(f"{issuer}/.well-known/openid-configuration", verify=context)
            if found.status_code == 200:
                return
        time.sleep(0.05)
    raise TimeoutError(log.read_text())
