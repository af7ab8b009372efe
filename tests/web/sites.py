"""A whole site in memory, and the clients that visit it: a browser and a program."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from coatcheck._core.secrets import new_identifier
from coatcheck.accounts.email_address import parse_email
from coatcheck.accounts.hashing import HashingPool
from coatcheck.accounts.model import User
from coatcheck.accounts.policy import Argon2Parameters
from coatcheck.flows.context import FlowPolicy
from coatcheck.flows.ports import Storage
from coatcheck.mail.model import Letter
from coatcheck.server import server as composition
from coatcheck.server.server import Server
from coatcheck.server.settings import Settings, load_settings
from coatcheck.storage.memory import MemoryStorage

ORIGIN = "https://testserver"
EMAIL = "ann@example.com"
PASSWORD = "correct horse battery staple"
SESSION = "__Host-coatcheck"
BROWSER = {
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "origin": ORIGIN,
    "sec-fetch-site": "same-origin",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
}
_NONCE = re.compile(r"nonce[-=]\"?[\w-]+")


@dataclass
class Inbox:
    """A transport that keeps the letters."""

    letters: list[Letter] = field(default_factory=list)

    async def send(self, letter: Letter) -> None:
        self.letters.append(letter)


@dataclass
class SteppingClock:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Site:
    server: Server
    inbox: Inbox
    clock: SteppingClock

    def client(self, headers: dict[str, str], **options: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.server.app, raise_app_exceptions=True)
        return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers, **options)

    def browser(self, **options: Any) -> httpx.AsyncClient:
        return self.client(BROWSER, **options)

    def program(self, **options: Any) -> httpx.AsyncClient:
        return self.client({"accept": "*/*", "user-agent": "program/1"}, **options)

    async def is_alive(self, session_cookie: str) -> bool:
        async with self.program(cookies={SESSION: session_cookie}) as program:
            return (await program.get("/auth/session")).status_code == 200

    async def add_user(self, email: str = EMAIL, password: str = PASSWORD, *, scopes: str = "") -> User:
        address, context, now = parse_email(email), self.server.flows.context, self.clock()
        user = User(
            id=new_identifier(),
            email=address.email,
            email_key=address.key,
            password_hash=await context.hasher.hash(password),
            scopes=frozenset(scopes.split()),
            created_at=now,
            password_changed_at=now,
        )
        assert await context.storage.records.add_user(user)
        return user

    async def letters(self) -> list[Letter]:
        await self.server.delivery.deliver_pending()
        return self.inbox.letters

    async def link(self) -> str:
        """The path and query of the newest link that holds a secret."""
        links = [link for letter in await self.letters() for link in letter.links if "token=" in link]
        parts = urlsplit(links[-1])
        return f"{parts.path}?{parts.query}"

    async def token(self) -> str:
        return (await self.link()).partition("token=")[2]

    @asynccontextmanager
    async def signed_in_browser(
        self, email: str = EMAIL, password: str = PASSWORD
    ) -> AsyncIterator[httpx.AsyncClient]:
        async with self.browser() as browser:
            response = await browser.post("/auth/sign-in", data={"email": email, "password": password})
            assert response.status_code == 303
            yield browser

    async def tokens(self, email: str = EMAIL, password: str = PASSWORD) -> dict[str, Any]:
        async with self.program() as program:
            response = await program.post("/auth/sign-in", json={"email": email, "password": password})
        assert response.status_code == 200
        tokens: dict[str, Any] = response.json()
        return tokens


@asynccontextmanager
async def open_site(
    *, hurried: bool = True, storage: Storage | None = None, **arguments: Any
) -> AsyncIterator[Site]:
    """Give a site, which by default does not spend time for its own sake: on hashes, and before it refuses somebody."""
    production = {
        "mode": "production",
        "base_url": ORIGIN,
        "secret": "kR4xq9TzB2mWv7NcY5sLh8PdG3fJ6aEu",
        "smtp_url": "smtp://localhost:25",
        "mail_from": "Site <no-reply@example.com>",
    }
    settings = load_settings(environment={}, directory="/nowhere", **{**production, **arguments})
    inbox, clock = Inbox(), SteppingClock()
    with pytest.MonkeyPatch.context() as patch:
        if hurried:
            patch.setattr(composition, "_hasher", _cheap_hasher)
            patch.setattr(composition, "FlowPolicy", partial(FlowPolicy, failure_quantum=timedelta(0)))
        server = Server(settings, storage=storage or MemoryStorage(), transport=inbox, clock=clock)
    try:
        yield Site(server, inbox, clock)
    finally:
        await server.close()


def _cheap_hasher(settings: Settings) -> HashingPool:
    return HashingPool(Argon2Parameters(time_cost=1, memory_kib=64), workers=2, queue=settings.hashing_queue)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def without_nonces(response: httpx.Response) -> tuple[int, list[tuple[str, str]], str]:
    """All that a visitor sees of a response, but what is random in every one."""
    headers = [(name, _NONCE.sub("", value)) for name, value in response.headers.multi_items()]
    shown = [(name, re.sub(r"=[\w.-]{40,};", "=;", value)) for name, value in headers]
    return response.status_code, shown, _NONCE.sub("", response.text)
