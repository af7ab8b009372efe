"""Behind the door: people, clients, sessions and refresh tokens, as the flows make them, without hashing as often."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from bench.provider.machine import API, CALLBACK, SCOPE, basic
from bench.scale.nodes import Setup
from bench.web.bootstrap import COOKIE
from bench.web.programs.person import PASSWORD
from coatcheck._core.secrets import new_identifier, new_token
from coatcheck.accounts.email_address import parse_email
from coatcheck.accounts.model import User
from coatcheck.flows.service import Flows
from coatcheck.flows.tokens import first_token
from coatcheck.identity import Client
from coatcheck.oauth.model import APIScope, Grant
from coatcheck.oauth.registration import ClientMetadata
from coatcheck.server.server import open_flows
from coatcheck.sessions.lifecycle import begin

_ACTOR = "bench"
_EACH = 10


@dataclass
class People:
    """Who can sign in, and what was made for them."""

    machine: dict[str, str] = field(default_factory=dict)
    """The header by which a machine authenticates itself."""
    app: dict[str, str] = field(default_factory=dict)
    app_id: str = ""
    emails: list[str] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)
    chains: list[str] = field(default_factory=list)
    """Refresh tokens of the app."""


def seed(setup: Setup, directory: Path, *, people: int, sessions: int, chains: int) -> People:
    """Make clients, so many people, sessions of browsers, and refresh tokens, each of another grant."""
    directory.mkdir(parents=True, exist_ok=True)
    return asyncio.run(_seed(setup, directory, people=people, sessions=sessions, chains=chains))


def more_chains(setup: Setup, directory: Path, app_id: str, *, count: int) -> list[str]:
    """Make further refresh tokens."""
    return asyncio.run(_more_chains(setup, directory, app_id, count))


def more_sessions(setup: Setup, directory: Path, *, count: int) -> list[str]:
    """Make further sessions of browsers, of users of their own; return their cookies."""
    return asyncio.run(_more_sessions(setup, directory, count))


def more_people(setup: Setup, directory: Path, *, count: int) -> list[str]:
    """Make further people, whose password is hashed as the setup says; return their addresses."""
    directory.mkdir(parents=True, exist_ok=True)
    return asyncio.run(_more_people(setup, directory, count))


async def _more_people(setup: Setup, directory: Path, count: int) -> list[str]:
    async with open_flows(setup.settings(directory)) as flows:
        return await _people(flows, count)


async def _more_chains(setup: Setup, directory: Path, app_id: str, count: int) -> list[str]:
    async with open_flows(setup.settings(directory)) as flows:
        return await _chains(flows, app_id, count)


async def _more_sessions(setup: Setup, directory: Path, count: int) -> list[str]:
    async with open_flows(setup.settings(directory)) as flows:
        return await _sessions(flows, count)


async def _seed(setup: Setup, directory: Path, *, people: int, sessions: int, chains: int) -> People:
    made = People()
    async with open_flows(setup.settings(directory)) as flows:
        provider = flows.provider
        await provider.apis.add(API, name="API", scopes=[APIScope(name=SCOPE, for_everybody=True)])
        machine = ClientMetadata(client_name="Machine", grant_types=("client_credentials",))
        client, secret = await provider.clients.add(machine, actor=_ACTOR)
        made.machine = basic(client.id, secret or "")
        await provider.permissions.grant("client", client.id, API, scopes=[SCOPE], actor=_ACTOR)
        app = ClientMetadata(
            client_name="App",
            grant_types=("authorization_code", "refresh_token"),
            redirect_uris=(CALLBACK,),
            first_party=True,
        )
        client, secret = await provider.clients.add(app, actor=_ACTOR)
        made.app_id, made.app = client.id, basic(client.id, secret or "")
        made.emails = await _people(flows, people)
        made.cookies = await _sessions(flows, sessions)
        made.chains = await _chains(flows, made.app_id, chains)
    return made


async def _people(flows: Flows, count: int) -> list[str]:
    encoded = await flows.context.hasher.hash(PASSWORD)
    users = [_user(encoded, now=flows.context.clock()) for _ in range(count)]
    async with flows.context.storage.transaction() as records:
        for user in users:
            await records.add_user(user)
    return [user.email for user in users]


async def _sessions(flows: Flows, count: int) -> list[str]:
    context, cookies = flows.context, list[str]()
    now = context.clock()
    while len(cookies) < count:
        user = _user("", now=now)
        async with context.storage.transaction() as records:
            await records.add_user(user)
            for _ in range(min(_EACH, count - len(cookies))):
                secret = new_token()
                await records.add_session(
                    begin(
                        context.sessions,
                        session_id=new_identifier(),
                        user_id=user.id,
                        secret=secret,
                        methods=("pwd",),
                        client=Client(address="192.0.2.1", user_agent="bench"),
                        scope=None,
                        binding=None,
                        now=now,
                    )
                )
                cookies.append(f"{COOKIE}={secret}")
    return cookies


async def _chains(flows: Flows, app_id: str, count: int) -> list[str]:
    """Make users who granted the app the API offline, ten times each."""
    context, tokens, client = flows.context, list[str](), Client()  # wrk says nothing of itself
    while len(tokens) < count:
        now = context.clock()
        user = _user("", now=now)
        async with context.storage.transaction() as records:
            await records.add_user(user)
            for _ in range(min(_EACH, count - len(tokens))):
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
                    client_id=app_id,
                )
                await records.add_session(session)
                await records.put_grant(_grant(session.id, user.id, app_id, now=now))
                tokens.append(await first_token(context, records, session, client=client))
    return tokens


def _grant(session: str, user: str, client: str, *, now: float) -> Grant:
    return Grant(
        session_id=session,
        user_id=user,
        client_id=client,
        scope=(SCOPE, "offline_access"),
        audiences=(API,),
        offline=True,
        created_at=now,
    )


def _user(encoded: str, *, now: float) -> User:
    address = parse_email(f"{new_identifier().lower()}@example.com")
    return User(
        id=new_identifier(),
        email=address.email,
        email_key=address.key,
        password_hash=encoded,
        created_at=now,
        password_changed_at=now,
    )


def in_turn(values: Sequence[str], number: int) -> str:
    """One of them, the first again after the last."""
    return values[number % len(values)]
