"""What authentication adds to a request, in process: ``python -m bench.web.added ROUNDS CALLS`` prints samples as JSON.

It runs in a directory of its own, and calls the application as a server would. Contenders take turns, as everywhere.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from time import perf_counter_ns
from typing import Any
from urllib.parse import urlencode

import uvloop

from bench.harness import Row, Timing, without_gc
from bench.web import asgi, bootstrap, cores
from bench.web.environment import CHILD
from bench.web.programs import coatcheck_app, fastapi_alone
from bench.web.programs.person import EMAIL, PASSWORD

LINE = "empty dependency"
COOKIE = "cookie"
BEARER = "bearer, seen before"
NEW_COOKIE = "cookie, not seen before"
NEW_BEARER = "bearer, not seen before"
BARE_COOKIE = "cookie, the gate alone"
BARE_BEARER = "bearer, the gate alone"
_NEW_CALLS = 50
_RING = 16
_SESSIONS_EACH = 50


@dataclass(frozen=True)
class Caller:
    """One way of calling, ``calls`` times for a sample."""

    name: str
    call: Callable[[Any], Awaitable[object]]
    inputs: Iterator[Any]
    calls: int


def measure(directory: Path, *, rounds: int, calls: int) -> Row:
    """Measure in a process of its own, on the server's core."""
    command = [sys.executable, "-W", "ignore", "-m", "bench.web.added", str(rounds), str(calls)]
    done = subprocess.run(  # noqa: S603 -- this very module
        command, cwd=directory, env=CHILD, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it ended"]
        return Row("added", (), {"coatcheck": lines[-1]})
    found = json.loads(done.stdout.splitlines()[-1])
    return Row("added", tuple(Timing(name, tuple(taken)) for name, taken in found.items()), {})


def _prepare(count: int) -> list[str]:
    """Make the account, and the cookies of others' sessions that nobody has used yet: fewer for each than allowed."""
    others = [f"other{number}@example.com" for number in range(count // _SESSIONS_EACH + 1)]
    _, *users = bootstrap.create_accounts(Path(), [EMAIL, *others])
    return bootstrap.add_sessions(Path(), users, each=_SESSIONS_EACH)


async def _main(cookies: Iterator[str], *, rounds: int, calls: int) -> dict[str, list[float]]:
    plain, ours = fastapi_alone.with_empty_dependency(), coatcheck_app.protected()
    async with ours.router.lifespan_context(ours):
        tokens = iter(await _tokens(ours, (rounds + 1) * _NEW_CALLS + _RING))
        seen_tokens = [next(tokens) for _ in range(_RING)]
        seen_cookies = [await _cookie(ours) for _ in range(_RING)]
        gate = bootstrap.gate_of(ours)
        callers = [
            Caller(LINE, _request_to(plain), cycle([asgi.get_scope([])]), calls),
            Caller(COOKIE, _request_to(ours), cycle(map(_with_cookie, seen_cookies)), calls),
            Caller(BEARER, _request_to(ours), cycle(map(_with_token, seen_tokens)), calls),
            Caller(NEW_COOKIE, _request_to(ours), map(_with_cookie, cookies), _NEW_CALLS),
            Caller(NEW_BEARER, _request_to(ours), map(_with_token, tokens), _NEW_CALLS),
            Caller(BARE_COOKIE, gate.require, cycle(map(_with_cookie, seen_cookies)), calls),
            Caller(BARE_BEARER, gate.require, cycle(map(_with_token, seen_tokens)), calls),
        ]
        return await _race(callers, rounds)


async def _race(callers: list[Caller], rounds: int) -> dict[str, list[float]]:
    samples: dict[str, list[float]] = {caller.name: [] for caller in callers}
    with without_gc():
        for caller in callers:
            await _sample(caller)
        for turn in range(rounds):
            for place in range(len(callers)):
                caller = callers[(turn + place) % len(callers)]
                samples[caller.name].append(await _sample(caller))
            gc.collect()
    return samples


async def _sample(caller: Caller) -> float:
    """Microseconds per call."""
    inputs = [next(caller.inputs) for _ in range(caller.calls)]
    call = caller.call
    start = perf_counter_ns()
    for value in inputs:
        await call(value)
    return (perf_counter_ns() - start) / caller.calls / 1_000


def _request_to(app: asgi.Application) -> Callable[[dict[str, Any]], Awaitable[object]]:
    async def receive() -> asgi.Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: asgi.Message) -> None:
        if message.get("status", 200) != 200:
            raise RuntimeError(f"the route answered {message['status']}")

    async def request(scope: dict[str, Any]) -> None:
        await app(scope.copy(), receive, send)

    return request


def _with_cookie(cookie: str) -> dict[str, Any]:
    return asgi.get_scope([(b"cookie", cookie.encode())])


def _with_token(token: str) -> dict[str, Any]:
    return asgi.get_scope([(b"authorization", f"Bearer {token}".encode())])


async def _cookie(app: asgi.Application) -> str:
    person = {"email": EMAIL, "password": PASSWORD, "credential": "cookie"}
    answer = await asgi.post_json(app, "/auth/sign-in", person)
    sent = [value.decode().partition(";")[0] for name, value in answer.headers if name == b"set-cookie"]
    return next(cookie for cookie in sent if cookie.startswith(f"{bootstrap.COOKIE}="))


async def _tokens(app: asgi.Application, count: int) -> list[str]:
    """Sign in once, and refresh until there are enough access tokens."""
    person = {"email": EMAIL, "password": PASSWORD}
    found = json.loads((await asgi.post_json(app, "/auth/sign-in", person)).body)
    tokens: list[str] = [found["access_token"]]
    while len(tokens) < count:
        form = {"grant_type": "refresh_token", "refresh_token": found["refresh_token"]}
        answer = await asgi.post(
            app, "/auth/token", urlencode(form).encode(), content_type="application/x-www-form-urlencoded"
        )
        found = json.loads(answer.body)
        tokens.append(found["access_token"])
    return tokens


if __name__ == "__main__":
    cores.give_to_server(0)
    turns = int(sys.argv[1])
    unused = iter(_prepare((turns + 1) * _NEW_CALLS))
    print(json.dumps(uvloop.run(_main(unused, rounds=turns, calls=int(sys.argv[2])))))
