"""From a sign-out at one node to the refusal at the others, by the clock of one process."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

from bench.scale.http import Connection, NoAnswerError
from bench.scale.load import Stores
from bench.scale.nodes import Site
from bench.scale.seeding import more_sessions

_SESSION, _SIGN_OUT = "/auth/session", "/auth/sign-out"
_PATIENCE = 30.0
_PAUSE = 0.02
_FROZEN = 3.0
_CALM = 1.0
_FAULTS = 3
_DOWN = 1.0


@dataclass
class Delays:
    """What came of a number of sign-outs at one node."""

    what: str
    sign_outs: int = 0
    delays_ms: list[float] = field(default_factory=list)
    """From the answer to the sign-out to the first refusal, for each of the other nodes; 0 if that was before."""
    from_call_ms: list[float] = field(default_factory=list)
    """The same from when the call was made."""
    accepted_after: int = 0
    """Answers 200 that were asked for after the sign-out was answered."""
    longest_ms: float = 0.0
    """How long after the answer the last of those was asked for."""
    unavailable: int = 0
    """Answers 503."""
    unanswered: int = 0
    strange: dict[str, int] = field(default_factory=dict)
    """Other answers, by what they were."""
    lost: int = 0
    """Sign-outs that a node never noticed."""
    tries: int = 0
    """Calls to sign out, those included that got no answer or 503 and were made again."""


@dataclass(frozen=True)
class Effort:
    """How many sign-outs."""

    many: int
    few: int


class _Play:
    """Sessions, and connections to all nodes."""

    def __init__(self, site: Site, cookies: Sequence[str]) -> None:
        self.site = site
        self.cookies = iter(cookies)
        self.main, *self.others = [Connection(node.port) for node in site.nodes]

    async def next(self) -> str:
        """A session that all nodes have just accepted, and remember."""
        for cookie in self.cookies:
            answers = [await _try(each, cookie) for each in (self.main, *self.others)]
            if all(answer == 200 for answer in answers):
                return cookie
            await asyncio.sleep(0.1)
        raise RuntimeError("no sessions are left that all nodes accept")

    async def sign_out(self, cookie: str, found: Delays) -> tuple[float, float]:
        """Sign out until it is acknowledged; return when the call was made and when it was answered."""
        limit = monotonic() + _PATIENCE
        while monotonic() < limit:
            found.tries += 1
            called = monotonic()
            try:
                answer = await self.main.ask(
                    "POST", _SIGN_OUT, b"", {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
                )
            except (NoAnswerError, TimeoutError):
                found.unanswered += 1
            else:
                if answer.status in {204, 401}:  # 401: a call that was not answered had ended it
                    return called, answer.at
                _note(found, answer.status)
            await asyncio.sleep(_PAUSE)
        raise TimeoutError("the sign-out was never acknowledged")

    def close(self) -> None:
        """Close all connections."""
        for each in (self.main, *self.others):
            each.close()


async def _try(connection: Connection, cookie: str) -> int | None:
    with suppress(NoAnswerError, TimeoutError):
        return (await connection.get(_SESSION, Cookie=cookie)).status
    return None


def _note(found: Delays, status: int) -> None:
    if status == 503:
        found.unavailable += 1
    else:
        found.strange[str(status)] = found.strange.get(str(status), 0) + 1


async def _watch(
    connection: Connection, cookie: str, found: Delays, acknowledged: asyncio.Future[float]
) -> float:
    """Ask one node again and again until it refuses; returns when that was."""
    limit = monotonic() + _PATIENCE
    while monotonic() < limit:
        asked = monotonic()
        try:
            answer = await connection.get(_SESSION, Cookie=cookie)
        except (NoAnswerError, TimeoutError):
            found.unanswered += 1
            await asyncio.sleep(_PAUSE)
            continue
        if answer.status == 401:
            return answer.at
        if answer.status != 200:
            _note(found, answer.status)
            await asyncio.sleep(_PAUSE)
        elif acknowledged.done() and asked > acknowledged.result():
            found.accepted_after += 1
            found.longest_ms = max(found.longest_ms, (asked - acknowledged.result()) * 1e3)
    found.lost += 1
    return float("inf")


async def _once(play: _Play, found: Delays) -> None:
    cookie = await play.next()
    acknowledged: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    watching = [asyncio.create_task(_watch(each, cookie, found, acknowledged)) for each in play.others]
    called, answered = await play.sign_out(cookie, found)
    acknowledged.set_result(answered)
    found.sign_outs += 1
    for refused in await asyncio.gather(*watching):
        found.delays_ms.append(max(0.0, refused - answered) * 1e3)
        found.from_call_ms.append((refused - called) * 1e3)


async def _many(play: _Play, found: Delays, count: int) -> None:
    for _ in range(count):
        await _once(play, found)


async def _while(
    play: _Play, found: Delays, fault: Callable[[], object], *, mend: Callable[[], object]
) -> None:
    """Sign out again and again: before a fault, while it lasts, and after."""
    loop, began = asyncio.get_running_loop(), monotonic()

    async def act() -> None:
        for _ in range(_FAULTS):
            await asyncio.sleep(_CALM)
            await loop.run_in_executor(None, fault)
            await asyncio.sleep(_DOWN)
            await loop.run_in_executor(None, mend)
            await asyncio.sleep(_CALM)

    acting = asyncio.create_task(act())
    while not acting.done() and monotonic() - began < 2 * _PATIENCE:
        await _once(play, found)
    await acting


async def _paused(play: _Play, found: Delays, count: int) -> None:
    """Stop a node, sign out at another, ask the one that is stopped, and let it go on: what is its first answer?"""
    node, asleep = play.site.nodes[1], play.others[0]
    for _ in range(count):
        cookie = await play.next()
        node.send(signal.SIGSTOP)
        try:
            _, answered = await play.sign_out(cookie, found)
            # The request lies there before the node wakes.
            await asleep.send("GET", _SESSION, b"", {"Cookie": cookie})
            await asyncio.sleep(_FROZEN if found.sign_outs % 4 == 0 else _PAUSE)
        finally:
            node.send(signal.SIGCONT)
        woken = monotonic()
        answer = await asleep.receive()
        found.sign_outs += 1
        if answer.status == 200:
            found.accepted_after += 1
            found.longest_ms = max(found.longest_ms, (answer.at - woken) * 1e3)
        done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        done.set_result(max(woken, answered))
        refused = answer.at if answer.status == 401 else await _watch(asleep, cookie, found, done)
        found.delays_ms.append((refused - woken) * 1e3)


def measure(site: Site, stores: Stores, *, effort: Effort) -> list[Delays]:
    """All of it, at a site of several nodes that runs."""
    name = site.setup.name
    postgres = stores.postgres
    assert postgres is not None
    found = [_play(site, Delays(name), effort.many, partial(_many, count=effort.many))]
    if stores.redis is not None:
        killed = Delays(f"{name}: Redis is killed, {_FAULTS} times")
        kill = partial(stores.redis.end, signal.SIGKILL)
        found.append(_play(site, killed, effort.many, partial(_while, fault=kill, mend=stores.redis.start)))
        return found
    found.append(
        _play(site, Delays(f"{name}: a node is paused"), effort.few, partial(_paused, count=effort.few))
    )
    restart = Delays(f"{name}: PostgreSQL restarts, {_FAULTS} times")
    calm = partial(_while, fault=postgres.restart, mend=lambda: None)
    found.append(_play(site, restart, effort.many, calm))
    return found


def _play(
    site: Site, found: Delays, sessions: int, act: Callable[[_Play, Delays], Awaitable[None]]
) -> Delays:
    cookies = more_sessions(site.setup, site.directory, count=max(2 * sessions, 1500))

    async def run() -> None:
        play = _Play(site, cookies)
        try:
            async with asyncio.timeout(180):
                await act(play, found)
        finally:
            play.close()

    asyncio.run(run())
    return found
