"""The others: panva's oidc-provider, Authlib on Flask, django-oauth-toolkit; each skipped where it is not to be had."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.provider.calls import Call, Chains
from bench.provider.code_flow import Flow
from bench.provider.contender import CREDENTIALS, DISCOVERY, INTROSPECTION, JWKS, Contender
from bench.provider.machine import API, APP, APP_SECRET, MACHINE, PEOPLE, SCOPE, SECRET, basic
from bench.web import client
from bench.web.environment import ROOT, Environment, prepare

_HERE = Path(__file__).parent
_PACKAGES = ROOT / "build" / "bench-panva"
_PEERS: Mapping[str, Sequence[str]] = {
    "authlib": ("authlib>=1.6", "flask>=3.1", "waitress>=3"),
    "django-oauth-toolkit": ("django-oauth-toolkit>=3", "waitress>=3"),
}
_RING = 16
"""So many tokens are asked about in turn."""


class Panva(Contender):
    """panva's oidc-provider: certified, on Node.js, everything in memory."""

    name = "oidc-provider"
    about = "on Node.js, everything in memory; introspection of opaque tokens, because of JWTs it has none"
    first = "/jwks"

    def __init__(self) -> None:
        self.failure = _install()
        self.version = "" if self.failure else _version()

    def command(self, _directory: Path, port: int) -> list[str]:
        """Return what starts it."""
        return ["node", str(_HERE / "programs" / "panva.mjs"), str(_PACKAGES), str(port)]

    def calls(self, port: int) -> Mapping[str, Call]:
        """Return the requests."""
        form = {"grant_type": "client_credentials", "scope": SCOPE}
        granted = Call("/token", basic(MACHINE, SECRET), [form | {"resource": API}], b'"access_token":"eyJ')
        opaque = Call("/token", basic(MACHINE, SECRET), [form])
        tokens = [opaque.check(port).json()["access_token"] for _ in range(_RING)]
        asked = [{"token": token} for token in tokens]
        return {
            CREDENTIALS: granted,
            INTROSPECTION: Call("/token/introspection", basic(MACHINE, SECRET), asked, b'"active":true'),
            JWKS: Call("/jwks", says=b'"keys"'),
            DISCOVERY: Call("/.well-known/openid-configuration", says=b'"issuer"'),
        }

    def chains(self, port: int, count: int) -> Chains:
        """Return chains of refresh tokens."""
        tokens = client.get(port, f"/chains?count={count}").json()
        return Chains("/token", basic(APP, APP_SECRET), tokens)

    def flow(self, port: int) -> Flow:
        """Return how an app in a browser gets tokens."""
        return Flow(
            origin=f"http://127.0.0.1:{port}",
            authorization="/auth",
            token="/token",
            userinfo="/me",
            client=APP,
            headers=basic(APP, APP_SECRET),
            people=[{"login": f"ada{number}", "password": "any"} for number in range(PEOPLE)],
        )


class _WSGI(Contender):
    """A peer that waitress serves."""

    module = ""
    first = "/"
    path = "/token"

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self.failure = environment.failures.get(self.name, "")
        self.version = environment.versions.get(self.name, "")

    def command(self, _directory: Path, port: int) -> list[str]:
        """Return what starts it."""
        return [
            str(self._environment.python),
            "-W",
            "ignore",
            "-m",
            "bench.provider.serve_wsgi",
            self.module,
            str(port),
        ]

    def calls(self, _port: int) -> Mapping[str, Call]:
        """Return the requests."""
        form = {"grant_type": "client_credentials", "scope": SCOPE}
        return {CREDENTIALS: Call(self.path, basic(MACHINE, SECRET), [form], b'"access_token"')}


class Authlib(_WSGI):
    """Authlib's authorization server."""

    name = "authlib"
    about = "on Flask, by waitress; clients in a dictionary, tokens kept nowhere"
    module = "bench.provider.programs.authlib_app"


class Toolkit(_WSGI):
    """django-oauth-toolkit."""

    name = "django-oauth-toolkit"
    about = "on Django, by waitress; its usual opaque tokens on SQLite, the client's secret not hashed"
    module = "bench.provider.programs.toolkit_app"
    path = "/token/"


def peers() -> list[Contender]:
    """Return all, installed if that can be done."""
    environment = prepare(_PEERS, directory=ROOT / "build" / "bench-provider")
    return [Panva(), Authlib(environment), Toolkit(environment)]


def _install() -> str:
    """Install panva's packages, once; returns why that failed, or nothing."""
    command = [str(ROOT / "scripts" / "node-modules"), str(_HERE), str(_PACKAGES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S603 - our own
    if not done.returncode:
        return ""
    lines = done.stderr.strip().splitlines() or ["npm failed"]
    return f"oidc-provider cannot be installed: {lines[-1]}"


def _version() -> str:
    file = _PACKAGES / "node_modules" / "oidc-provider" / "package.json"
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)  # noqa: S607 - in PATH
    return f"{json.loads(file.read_text(encoding='utf-8'))['version']} on Node.js {node.stdout.strip()}"
