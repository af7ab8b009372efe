"""Clients that do what people and apps do, again and again, and remember what they were told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qs, urlencode, urlsplit

from bench.faults.journal import Journal, now
from bench.faults.mailbox import Mailbox
from bench.provider.machine import CALLBACK
from bench.scale.http import Answer, Connection, NoAnswerError
from bench.web.bootstrap import COOKIE
from bench.web.programs.person import PASSWORD

SESSION, TOKEN = "/auth/session", "/auth/token"
_AGAIN = 0.15
_GRACE = 9.0
"""Seconds: within ten, a used refresh token is answered with the same successor."""
_VERIFIER = "v" * 64
_CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(_VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass
class World:
    """What all clients share."""

    port: int
    journal: Journal
    mailbox: Mailbox
    app: Mapping[str, str]
    app_id: str
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it is over: clients finish what they began."""
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    accounts: list[str] = field(default_factory=list)
    """Addresses that were confirmed, and acknowledged."""
    pending: list[str] = field(default_factory=list)
    """Addresses whose sign-up was acknowledged: a mail has to come."""
    cookies: dict[str, float | None] = field(default_factory=dict)
    """By cookie: when the end of its session was acknowledged; ``None``: it lives."""
    ending: set[str] = field(default_factory=set)
    """Cookies whose sign-out is under way: nobody can say what they are worth."""
    bearers: dict[str, float] = field(default_factory=dict)
    """Access tokens, and when their revocation was acknowledged."""
    dead: dict[str, float] = field(default_factory=dict)
    """Refresh tokens, and the same."""
    families: list[Family] = field(default_factory=list)
    turns: int = 0

    @property
    def over(self) -> bool:
        """Whether clients should finish."""
        return self.goes_on.is_set()

    def connection(self) -> Connection:
        """A connection of a client that comes from an address of its own."""
        self.turns += 1
        return Connection(
            self.port, address=f"10.{self.turns >> 16 & 255}.{self.turns >> 8 & 255}.{self.turns & 255}"
        )


@dataclass
class Family:
    """A chain of refresh tokens, as its client has it."""

    token: str
    client: Literal["first-party", "app"]
    access: str = ""
    ended: bool = False


async def ask(world: World, what: str, request: Awaitable[Answer]) -> Answer | None:
    """Wait for an answer, and note it; ``None`` if none came."""
    try:
        answer: Answer | None = await request
    except NoAnswerError:
        answer = None
    world.journal.note(what, answer)
    return answer


def is_settled(answer: Answer | None) -> bool:
    """Whether it is known what became of the request."""
    return answer is not None and answer.status < 500


async def sign_up(world: World, number: int) -> None:
    """Sign up, wait for the mail, confirm: again and again."""
    connection, turn = world.connection(), 0
    while not world.over:
        turn += 1
        email = f"new-{number}-{turn}-{world.chance.randrange(1 << 30)}@example.com"
        connection = world.connection()
        person = {"email": email, "password": PASSWORD}
        if not await _until_settled(world, "sign-up", connection, "/auth/sign-up", person):
            continue
        world.journal.done("sign-up")
        world.pending.append(email)
        while not world.over and email not in world.mailbox.tokens:  # noqa: ASYNC110 -- nobody would tell
            await asyncio.sleep(_AGAIN)
        if email in world.mailbox.tokens:
            form = {"token": world.mailbox.tokens[email][-1], "password": PASSWORD, "credential": "cookie"}
            answer = await _until_settled(world, "confirmation", connection, "/auth/sign-up/confirm", form)
            if answer is not None and answer.status == 200:
                world.journal.done("account")
                world.accounts.append(email)
                _keep_cookie(world, answer)
        connection.close()


async def _until_settled(
    world: World, what: str, connection: Connection, path: str, body: Mapping[str, str]
) -> Answer | None:
    """Post JSON until an answer settles it; ``None`` if it was refused, or it is over."""
    while True:
        answer = await ask(world, what, connection.post_json(path, body))
        if is_settled(answer):
            return answer if answer is not None and answer.status < 400 else None
        if world.over:
            return None
        await asyncio.sleep(_AGAIN)


def _keep_cookie(world: World, answer: Answer) -> str | None:
    secret = answer.cookies.get(COOKIE)
    if not secret:
        return None
    cookie = f"{COOKIE}={secret}"
    world.cookies[cookie] = None
    return cookie


async def browse(world: World, email: str) -> None:
    """Sign in by cookie, look, and sign out every other time."""
    stays = False
    while not world.over:
        connection = world.connection()
        person = {"email": email, "password": PASSWORD, "credential": "cookie"}
        answer = await ask(world, "sign-in", connection.post_json("/auth/sign-in", person))
        cookie = None if answer is None or answer.status != 200 else _keep_cookie(world, answer)
        if cookie is None:
            await asyncio.sleep(_AGAIN)
            continue
        world.journal.done("sign-in")
        for _ in range(5):
            answer = await ask(world, "check", connection.get(SESSION, Cookie=cookie))
            if answer is not None and answer.status == 401:
                world.journal.refused_good.append("a session that was just begun")
            await asyncio.sleep(_AGAIN / 3)
        if not stays:
            await _sign_out(world, connection, cookie)
        stays = not stays
        connection.close()


async def _sign_out(world: World, connection: Connection, cookie: str) -> None:
    headers = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
    was_lost = False
    world.ending.add(cookie)
    while True:
        asked = connection.ask("POST", "/auth/sign-out", b"", headers)
        answer = await ask(world, "sign-out", asked)
        if answer is not None and (answer.status == 204 or (answer.status == 401 and was_lost)):
            world.journal.done("sign-out")
            world.cookies[cookie] = answer.at
            return
        if is_settled(answer) or world.over:
            world.cookies.pop(cookie)  # nobody can say whether it has ended
            return
        was_lost = True
        await asyncio.sleep(_AGAIN)


async def refresh(world: World, email: str) -> None:
    """Sign in for tokens, and exchange refresh tokens; now and then an answer is lost on the way."""
    while not world.over:
        connection = world.connection()
        person = {"email": email, "password": PASSWORD}
        answer = await ask(world, "sign-in", connection.post_json("/auth/sign-in", person))
        if answer is None or answer.status != 200:
            await asyncio.sleep(_AGAIN)
            continue
        world.journal.done("sign-in")
        told = answer.json()
        family = Family(told["refresh_token"], "first-party", told["access_token"])
        world.families.append(family)
        for _ in range(12):
            if family.ended or world.over:
                break
            await exchange(world, connection, family)
            await asyncio.sleep(_AGAIN / 3)
        if not family.ended and world.chance.random() < 0.3:
            await _revoke(world, connection, family)
        connection.close()


async def exchange(world: World, connection: Connection, family: Family) -> None:
    """Exchange a token once; where the answer is lost, ask again with the same one."""
    first, loses = 0.0, world.chance.random() < 0.1
    while True:
        asked = now()
        form = {"grant_type": "refresh_token", "refresh_token": family.token}
        headers = dict(world.app) if family.client == "app" else {}
        answer = await ask(world, "refresh", connection.post_form(TOKEN, form, **headers))
        if answer is not None and answer.status == 200:
            if loses:
                first, loses = first or asked, False
                continue
            world.journal.done("refresh")
            told = answer.json()
            family.token, family.access = told["refresh_token"], told["access_token"]
            return
        if answer is not None and answer.status == 400:
            family.ended = True
            if first and asked - first > _GRACE:
                world.journal.late += 1
            else:
                since = f"{asked - first:.1f} s after the first try" if first else "at the first try"
                world.journal.broken.append(f"{family.client}: {answer.body[:100]!r} {since}")
            return
        if answer is not None and answer.status < 500:
            family.ended = True
            world.journal.strange[f"refresh: {answer.status} {answer.body[:100]!r}"] += 1
            return
        first = first or asked
        if world.over and asked - first > _GRACE:
            family.ended = True
            world.journal.late += 1
            return
        await asyncio.sleep(_AGAIN)


async def _revoke(world: World, connection: Connection, family: Family) -> None:
    """End a family: an app by the endpoint for that, a person by signing out."""
    family.ended = True
    is_app, was_lost = family.client == "app", False
    while True:
        if is_app:
            asked = connection.post_form("/auth/revoke", {"token": family.token}, **world.app)
        else:
            bearer = {"Authorization": f"Bearer {family.access}"}
            asked = connection.ask("POST", "/auth/sign-out", b"", bearer)
        answer = await ask(world, "revocation", asked)
        if answer is not None and (answer.status < 300 or (answer.status == 401 and was_lost)):
            world.journal.done("revocation")
            world.dead[family.token] = answer.at
            if not is_app:
                world.bearers[family.access] = answer.at
            return
        if is_settled(answer) or world.over:
            return
        was_lost = True
        await asyncio.sleep(_AGAIN)


async def authorize(world: World, email: str) -> None:
    """Let an app have codes, exchange them, and refresh what it got."""
    cookie = None
    while not world.over:
        connection = world.connection()
        if cookie is None:
            person = {"email": email, "password": PASSWORD, "credential": "cookie"}
            answer = await ask(world, "sign-in", connection.post_json("/auth/sign-in", person))
            cookie = None if answer is None or answer.status != 200 else _keep_cookie(world, answer)
        code = None if cookie is None else await _code(world, connection, cookie)
        if code is None:
            await asyncio.sleep(_AGAIN)
            continue
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": _VERIFIER,
        }
        answer = await ask(world, "code", connection.post_form(TOKEN, form, **world.app))
        if answer is not None and answer.status == 200:
            world.journal.done("code exchange")
            told = answer.json()
            family = Family(told["refresh_token"], "app", told["access_token"])
            world.families.append(family)
            for _ in range(3):
                if not family.ended:
                    await exchange(world, connection, family)
            if not family.ended and world.chance.random() < 0.3:
                await _revoke(world, connection, family)
        elif answer is not None and answer.status == 400:
            world.journal.refused_good.append(f"a code that was just given: {answer.body[:100]!r}")
        connection.close()


async def _code(world: World, connection: Connection, cookie: str) -> str | None:
    asked = {
        "client_id": world.app_id,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid offline_access",
        "state": "s",
        "nonce": "n",
        "code_challenge": _CHALLENGE,
        "code_challenge_method": "S256",
    }
    path = f"/auth/authorize?{urlencode(asked)}"
    answer = await ask(world, "authorization", connection.get(path, Cookie=cookie, Accept="text/html"))
    if answer is None or answer.status not in {302, 303}:
        world.journal.refusals[f"authorization: {answer and answer.status}"] += 1
        return None
    where = urlsplit(answer.headers["location"])
    found = parse_qs(where.query)
    if "code" not in found:
        world.journal.refusals[f"authorization: {found.get('error')} {where.path}"] += 1
    return found.get("code", [None])[0]
