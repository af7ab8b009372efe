"""Asking every node about credentials: while a fault lasts, and about all of them when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TypeVar

from bench.faults.journal import now
from bench.faults.people import SESSION, TOKEN, Family, World
from bench.scale.http import Answer, Connection, NoAnswerError
from bench.scale.nodes import Node
from bench.web.programs.person import PASSWORD

T = TypeVar("T")

BOUND = 2.0
"""Seconds after which no node may accept what was revoked: as long as one believes, without hearing from PostgreSQL,
that it knows what was committed."""
_PAUSE = 0.005
_MOST = 150
_PATIENCE = 20.0


async def probe(world: World, node: Node) -> None:
    """Ask one node again and again about credentials that live, so that it remembers them, and such as ended."""
    connection = Connection(node.port, timeout=8.0)
    while not world.over:
        await asyncio.sleep(_PAUSE)
        if not world.cookies:
            continue
        # The newest: they have just been used, or just ended.
        cookie = list(world.cookies)[-1 - min(int(world.chance.expovariate(0.3)), len(world.cookies) - 1)]
        asked, ended = now(), world.cookies[cookie]
        answer = await _ask(connection, {"Cookie": cookie})
        if answer is None:
            await asyncio.sleep(10 * _PAUSE)
            continue
        world.journal.note("probe", answer)
        _judge(world, cookie, answer, asked=asked, ended=ended)
        if world.bearers:
            token, ended = list(world.bearers.items())[-1]
            asked = now()
            answer = await _ask(connection, {"Authorization": f"Bearer {token}"})
            if answer is not None and answer.status == 200:
                world.journal.accepted("an access token", asked=asked, revoked=ended, bound=BOUND)
    connection.close()


def _judge(world: World, cookie: str, answer: Answer, *, asked: float, ended: float | None) -> None:
    if answer.status == 200 and ended is not None:
        world.journal.accepted("a session", asked=asked, revoked=ended, bound=BOUND)
    elif answer.status == 401 and ended is None and cookie not in world.ending and cookie in world.cookies:
        world.journal.refused_good.append("a session that lives")


async def _ask(connection: Connection, headers: dict[str, str]) -> Answer | None:
    with suppress(NoAnswerError):
        return await connection.get(SESSION, **headers)
    return None


async def verify(world: World, nodes: Sequence[Node]) -> None:
    """Look for everything that was acknowledged, at every node."""
    for node in nodes:
        connection = Connection(node.port, timeout=_PATIENCE)
        await _verify_cookies(world, connection)
        for token in _some(world.bearers):
            answer = await _surely(connection, token)
            world.journal.checked["revoked access token"] += 1
            if answer.status == 200:
                world.journal.came_back.append("an access token, in the end")
        connection.close()
    connection = Connection(world.port, timeout=_PATIENCE)
    await _verify_families(world, connection)
    await _verify_accounts(world)
    connection.close()


async def _verify_cookies(world: World, connection: Connection) -> None:
    for cookie in _some(world.cookies):
        ended = world.cookies[cookie]
        if ended is None and cookie in world.ending:
            continue
        answer = await connection.get(SESSION, Cookie=cookie)
        world.journal.checked["session" if ended is None else "ended session"] += 1
        if ended is None and answer.status != 200:
            world.journal.lost.append(f"a session: {answer.status} in the end")
        if ended is not None and answer.status != 401:
            world.journal.came_back.append(f"a session: {answer.status} in the end")


async def _surely(connection: Connection, token: str) -> Answer:
    return await connection.get(SESSION, Authorization=f"Bearer {token}")


async def _verify_families(world: World, connection: Connection) -> None:
    for family in _some(family for family in world.families if not family.ended):
        answer = await _exchange(world, connection, family.token, family)
        world.journal.checked["refresh token"] += 1
        if answer.status != 200:
            world.journal.broken.append(f"{family.client}, in the end: {answer.status} {answer.body[:100]!r}")
    by_token = {family.token: family for family in world.families}
    for token in _some(world.dead):
        answer = await _exchange(world, connection, token, by_token[token])
        world.journal.checked["revoked refresh token"] += 1
        if answer.status == 200:
            world.journal.came_back.append("a refresh token, in the end")


async def _exchange(world: World, connection: Connection, token: str, family: Family) -> Answer:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return await connection.post_form(TOKEN, form, **(world.app if family.client == "app" else {}))


async def _verify_accounts(world: World) -> None:
    for email in _some(world.accounts):
        connection = world.connection()
        answer = await connection.post_json("/auth/sign-in", {"email": email, "password": PASSWORD})
        world.journal.checked["account"] += 1
        if answer.status != 200:
            world.journal.lost.append(f"an account: {answer.status} in the end")
        connection.close()
    limit = now() + _PATIENCE
    missing = world.pending
    while missing and now() < limit:
        await asyncio.sleep(0.2)
        missing = [each for each in missing if each not in world.mailbox.tokens]
    world.journal.checked["mail of a sign-up"] += len(world.pending)
    world.journal.lost += ["the mail of a sign-up"] * len(missing)


def _some(values: Iterable[T]) -> list[T]:
    """The last of them: those that were made while something was wrong."""
    return list(values)[-_MOST:]
