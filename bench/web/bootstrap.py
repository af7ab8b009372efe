"""The only place where the benchmark goes behind coatcheck's front door.

An account is made without reading its mail, and a hundred thousand sessions without hashing as many passwords.
Everything else goes through the application, as its users do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from argon2 import PasswordHasher
from fastapi import FastAPI

from bench.web.programs.person import EMAIL, PASSWORD
from coatcheck._core.secrets import new_identifier, new_token
from coatcheck.accounts.email_address import parse_email
from coatcheck.accounts.model import User
from coatcheck.accounts.policy import Argon2Parameters
from coatcheck.flows.service import Flows
from coatcheck.identity import Client
from coatcheck.integrations.fastapi import Auth
from coatcheck.server.server import open_flows
from coatcheck.server.settings import load_settings
from coatcheck.server.settings_model import Settings
from coatcheck.sessions.lifecycle import begin
from coatcheck.web.gate import Gate

DATABASE = "coatcheck.db"
COOKIE = "__Host-coatcheck"
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
_BATCH = 5_000


def create_account(directory: Path) -> None:
    """Make the benchmark's account in the database that a program started in ``directory`` will use."""
    create_accounts(directory, [EMAIL])


def create_accounts(directory: Path, emails: Sequence[str]) -> list[str]:
    """Make accounts that share the benchmark's password; return their identifiers."""
    return asyncio.run(_create_accounts(directory, emails))


def add_sessions(directory: Path, users: Sequence[str], *, each: int) -> list[str]:
    """Make sessions and return their cookies, ``name=value``; consecutive ones belong to different users."""
    return asyncio.run(_add_sessions(directory, users, each))


def trust_proxy(directory: Path) -> None:
    """Let requests from this machine say which address they come from, in the program that starts here."""
    (directory / "coatcheck.toml").write_text('trusted_proxies = ["127.0.0.1"]\n', encoding="ascii")


def gate_of(app: FastAPI) -> Gate:
    """Return what a request to a protected route goes through, without the web framework."""
    auth: Auth = vars(app)["_coatcheck_auth"]
    return auth.server.gate


def bare_argon2() -> PasswordHasher:
    """The same argon2id without anything around it."""
    parameters = Argon2Parameters()
    return PasswordHasher(
        time_cost=parameters.time_cost,
        memory_cost=parameters.memory_kib,
        parallelism=parameters.parallelism,
        hash_len=32,
        salt_len=16,
    )


def _settings(directory: Path) -> Settings:
    return load_settings(environment={}, directory=directory, database=str(directory / DATABASE))


async def _create_accounts(directory: Path, emails: Sequence[str]) -> list[str]:
    async with open_flows(_settings(directory)) as flows:
        encoded = await flows.context.hasher.hash(PASSWORD)
        users = [_user(flows, email, encoded) for email in emails]
        async with flows.context.storage.transaction() as records:
            for user in users:
                await records.add_user(user)
    return [user.id for user in users]


def _user(flows: Flows, email: str, encoded: str) -> User:
    address, now = parse_email(email), flows.context.clock()
    return User(
        id=new_identifier(),
        email=address.email,
        email_key=address.key,
        password_hash=encoded,
        created_at=now,
        password_changed_at=now,
    )


async def _add_sessions(directory: Path, users: Sequence[str], each: int) -> list[str]:
    owners = [user for _ in range(each) for user in users]
    secrets = [new_token() for _ in owners]
    async with open_flows(_settings(directory)) as flows:
        for first in range(0, len(owners), _BATCH):
            async with flows.context.storage.transaction() as records:
                for user, secret in list(zip(owners, secrets, strict=True))[first : first + _BATCH]:
                    session = begin(
                        flows.context.sessions,
                        session_id=new_identifier(),
                        user_id=user,
                        secret=secret,
                        methods=("pwd",),
                        client=Client(address="192.0.2.1", user_agent=_AGENT),
                        scope=None,
                        binding=None,
                        now=time.time(),
                    )
                    await records.add_session(session)
    return [f"{COOKIE}={secret}" for secret in secrets]
