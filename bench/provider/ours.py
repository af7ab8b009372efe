"""Coatcheck: ``coatcheck serve`` in production, on SQLite, with a machine, an app and an API."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from msgspec.structs import replace

from bench.provider.calls import Call, Chains
from bench.provider.code_flow import Flow
from bench.provider.contender import CREDENTIALS, DISCOVERY, INTROSPECTION, JWKS, Contender
from bench.provider.machine import API, CALLBACK, PEOPLE, SCOPE, basic
from bench.web.bootstrap import DATABASE
from bench.web.programs.person import PASSWORD
from coatcheck._core.secrets import new_identifier
from coatcheck.accounts.email_address import parse_email
from coatcheck.accounts.model import User
from coatcheck.flows.service import Flows
from coatcheck.flows.tokens import first_token
from coatcheck.identity import Client
from coatcheck.oauth.model import APIScope, Grant
from coatcheck.oauth.registration import ClientMetadata
from coatcheck.server.server import open_flows
from coatcheck.server.settings import load_settings
from coatcheck.sessions.lifecycle import begin

_ORIGIN = "https://id.example.net"
_ACTOR = "bench"
_EMAILS = [f"ada{number}@example.com" for number in range(PEOPLE)]
_RING = 16
_SESSIONS_EACH = 50


class Coatcheck(Contender):
    """This project."""

    name = "coatcheck"
    about = "coatcheck serve, without its access log; everything on SQLite; introspection of signed tokens"
    first = "/auth/.well-known/jwks.json"

    def __init__(self) -> None:
        self._secret = secrets.token_urlsafe(32)
        self._directory = Path()
        self._machine: Mapping[str, str] = {}
        self._app: Mapping[str, str] = {}
        self._app_id = ""

    def prepare(self, directory: Path, _port: int) -> None:
        """Register the machine, the app, the API and people."""
        self._directory = directory
        asyncio.run(self._prepare())

    def command(self, _directory: Path, port: int) -> list[str]:
        """Return what starts it."""
        return [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "coatcheck",
            "serve",
            "--no-access-log",
            "--port",
            str(port),
        ]

    def environment(self, _port: int) -> Mapping[str, str]:
        """Return its settings."""
        return {
            "COATCHECK_MODE": "production",
            "COATCHECK_BASE_URL": _ORIGIN,
            "COATCHECK_SECRET": self._secret,
            "COATCHECK_SMTP_URL": "smtp://127.0.0.1:9",
            "COATCHECK_MAIL_FROM": "bench@example.net",
        }

    def calls(self, port: int) -> Mapping[str, Call]:
        """Return the requests."""
        form = {"grant_type": "client_credentials", "scope": SCOPE, "resource": API}
        granted = Call("/auth/token", self._machine, [form], b'"access_token":"eyJ')
        tokens = [granted.check(port).json()["access_token"] for _ in range(_RING)]
        asked = [{"token": token} for token in tokens]
        return {
            CREDENTIALS: granted,
            INTROSPECTION: Call("/auth/introspect", self._machine, asked, b'"active":true'),
            JWKS: Call("/auth/.well-known/jwks.json", says=b'"keys"'),
            DISCOVERY: Call("/.well-known/openid-configuration", says=b'"issuer"'),
        }

    def chains(self, _port: int, count: int) -> Chains:
        """Return chains of refresh tokens, made beside the server."""
        return Chains("/auth/token", self._app, asyncio.run(self._chains(count)))

    def flow(self, _port: int) -> Flow:
        """Return how an app in a browser gets tokens."""
        return Flow(
            origin=_ORIGIN,
            authorization="/auth/authorize",
            token="/auth/token",
            userinfo="/auth/userinfo",
            client=self._app_id,
            headers=self._app,
            people=[{"email": email, "password": PASSWORD} for email in _EMAILS],
        )

    async def _prepare(self) -> None:
        async with self._flows() as flows:
            provider = flows.provider
            await provider.apis.add(API, name="API", scopes=[APIScope(name=SCOPE, for_everybody=True)])
            machine = ClientMetadata(client_name="Machine", grant_types=("client_credentials",))
            client, secret = await provider.clients.add(machine, actor=_ACTOR)
            self._machine = basic(client.id, secret or "")
            await provider.permissions.grant("client", client.id, API, scopes=[SCOPE], actor=_ACTOR)
            app = ClientMetadata(
                client_name="App",
                grant_types=("authorization_code", "refresh_token"),
                redirect_uris=(CALLBACK,),
            )
            client, secret = await provider.clients.add(app, actor=_ACTOR)
            self._app_id, self._app = client.id, basic(client.id, secret or "")
            encoded, now = await flows.context.hasher.hash(PASSWORD), flows.context.clock()
            for email in _EMAILS:
                await flows.context.storage.records.add_user(_user(email, encoded, now=now))

    async def _chains(self, count: int) -> list[str]:
        async with self._flows() as flows:
            tokens: list[str] = []
            while len(tokens) < count:
                tokens += await _add_chains(flows, self._app_id, min(_SESSIONS_EACH, count - len(tokens)))
            return tokens

    def _flows(self) -> AbstractAsyncContextManager[Flows]:
        settings = load_settings(
            environment=self.environment(0),
            directory=self._directory,
            database=str(self._directory / DATABASE),
        )
        return open_flows(settings)


async def _add_chains(flows: Flows, client_id: str, count: int) -> list[str]:
    """Make a user who granted the API offline so many times, and return the refresh tokens."""
    context, tokens = flows.context, []
    now, client = context.clock(), Client()  # wrk says nothing of itself
    user = _user(f"{new_identifier().lower()}@example.com", "", now=now)
    async with context.storage.transaction() as records:
        await records.add_user(user)
        for _ in range(count):
            session = replace(
                begin(
                    context.sessions,
                    session_id=new_identifier(),
                    user_id=user.id,
                    secret=None,
                    methods=("pwd",),
                    client=client,
                    scope=f"{SCOPE} offline_access",
                    binding=None,
                    now=now,
                ),
                client_id=client_id,
            )
            await records.add_session(session)
            await records.put_grant(
                Grant(
                    session_id=session.id,
                    user_id=user.id,
                    client_id=client_id,
                    scope=(SCOPE, "offline_access"),
                    audiences=(API,),
                    offline=True,
                    created_at=now,
                )
            )
            tokens.append(await first_token(context, records, session, client=client))
    return tokens


def _user(email: str, encoded: str, *, now: float) -> User:
    address = parse_email(email)
    return User(
        id=new_identifier(),
        email=address.email,
        email_key=address.key,
        password_hash=encoded,
        created_at=now,
        password_changed_at=now,
    )
