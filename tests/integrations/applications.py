"""An application with an ``Auth``, and the clients that visit it."""

import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI
from starlette.types import ASGIApp

from coatcheck._core.secrets import new_identifier
from coatcheck.accounts.email_address import parse_email
from coatcheck.accounts.model import User
from coatcheck.integrations.fastapi import Auth

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it asks for another release of httpx
    from starlette.testclient import TestClient

ORIGIN = "https://testserver"
EMAIL = "ann@example.com"
PASSWORD = "correct horse battery staple"
SESSION = "__Host-coatcheck"
BROWSER = {
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "origin": ORIGIN,
    "sec-fetch-site": "same-origin",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
}
PROGRAM = {"accept": "application/json", "user-agent": "program/1"}
QUICK: dict[str, Any] = {"argon2_memory_kib": 64, "argon2_time_cost": 1}
"""Hashing that takes no time, so that the tests do not either."""


@dataclass
class Application:
    app: FastAPI
    auth: Auth

    def client(self, headers: dict[str, str], **options: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app)
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers, **options)

    def browser(self, **options: Any) -> httpx.AsyncClient:
        return self.client(BROWSER, **options)

    def program(self, **options: Any) -> httpx.AsyncClient:
        return self.client(PROGRAM, **options)

    async def add_user(self, email: str = EMAIL, *, scopes: str = "") -> User:
        address, context = parse_email(email), self.auth.server.flows.context
        now = context.clock()
        user = User(
            id=new_identifier(),
            email=address.email,
            email_key=address.key,
            password_hash=await context.hasher.hash(PASSWORD),
            scopes=frozenset(scopes.split()),
            created_at=now,
            password_changed_at=now,
        )
        assert await context.storage.records.add_user(user)
        return user

    async def cookies(self, email: str = EMAIL) -> dict[str, str]:
        async with self.browser() as browser:
            answer = await browser.post("/auth/sign-in", data={"email": email, "password": PASSWORD})
            assert answer.status_code == 303
            return {SESSION: answer.cookies[SESSION]}

    async def bearer(self, email: str = EMAIL) -> dict[str, str]:
        async with self.program() as program:
            answer = await program.post("/auth/sign-in", json={"email": email, "password": PASSWORD})
            assert answer.status_code == 200
            return {"authorization": f"Bearer {answer.json()['access_token']}"}


def make_application(app: FastAPI, **arguments: Any) -> Application:
    return Application(app, Auth(app, **{**QUICK, **arguments}))


@asynccontextmanager
async def application(app: FastAPI, **arguments: Any) -> AsyncIterator[Application]:
    made = make_application(app, **arguments)
    try:
        yield made
    finally:
        await made.auth.server.close()


def program_in_thread(app: ASGIApp) -> TestClient:
    """What most tests of FastAPI applications use. It runs the lifespan only in a ``with``."""
    return TestClient(app, base_url=ORIGIN, headers=PROGRAM)
