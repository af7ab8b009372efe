"""Calls one application as a server would, in the environment that it needs: ``python -m bench.ledger.calling``.

Its input says what to do: on the first line which application, and on each further one how many calls to time; an empty
line ends the session, and what the same credential is answered then is the last word.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from time import perf_counter_ns
from typing import Any
from urllib.parse import urlencode

import uvloop

from bench.web import asgi
from bench.web.programs.person import EMAIL, PASSWORD

_SECONDS = 10.0
_AFTER_THE_END = 0.5


class _Lifespan:
    """Starts an application, and tells it when it is over."""

    def __init__(self, app: asgi.Application) -> None:
        self._app = app
        self._to_app: asyncio.Queue[asgi.Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[asgi.Message] = asyncio.Queue()

    async def start(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        self._task = asyncio.create_task(self._run(scope))
        await self._to_app.put({"type": "lifespan.startup"})
        answer = await asyncio.wait_for(self._from_app.get(), _SECONDS)
        if answer["type"] != "lifespan.startup.complete":
            raise RuntimeError(answer.get("message", "it does not start"))

    async def stop(self) -> None:
        await self._to_app.put({"type": "lifespan.shutdown"})
        await asyncio.wait_for(self._task, _SECONDS)

    async def _run(self, scope: dict[str, Any]) -> None:
        await self._app(scope, self._to_app.get, self._from_app.put)


async def _main() -> None:
    loop = asyncio.get_running_loop()
    told = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    module, _, factory = told["factory"].partition(":")
    app = getattr(import_module(f"bench.web.programs.{module}"), factory)(*told["arguments"])
    lifespan = _Lifespan(app)
    await lifespan.start()
    credentials = [_bearer(token) for token in told["tokens"]] or await _SIGN_IN[told["kind"]](app)
    scopes = [asgi.get_scope(headers) for headers in credentials]
    for scope in scopes * 3:  # all that is made at the first call, and remembered at the second
        if (status := await _status(app, scope)) != 200:
            raise RuntimeError(f"the route answered {status}")
    gc.collect()
    gc.freeze()
    gc.disable()
    print("ready", flush=True)
    while line := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        print(await _sample(app, scopes, int(line)), flush=True)
        gc.collect()
    await _SIGN_OUT.get(told["kind"], _elsewhere)(app, credentials[0])
    print(await _status(app, scopes[0]), flush=True)
    await lifespan.stop()


async def _sample(app: asgi.Application, scopes: list[dict[str, Any]], calls: int) -> float:
    """Microseconds a call."""
    ring = [scopes[number % len(scopes)].copy() for number in range(calls)]
    start = perf_counter_ns()
    for scope in ring:
        await app(scope, _receive, _check)
    return (perf_counter_ns() - start) / calls / 1_000


async def _receive() -> asgi.Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _check(message: asgi.Message) -> None:
    if message.get("status", 200) != 200:
        raise RuntimeError(f"the route answered {message['status']}")


async def _status(app: asgi.Application, scope: Mapping[str, Any]) -> int:
    answer = asgi.Answer()
    await app(dict(scope), _receive, answer.take)
    return answer.status


def _bearer(token: str) -> asgi.HeaderList:
    return [(b"authorization", f"Bearer {token}".encode("ascii"))]


async def _nobody(_: asgi.Application) -> list[asgi.HeaderList]:
    return [[]]


async def _fastapi_users(app: asgi.Application) -> list[asgi.HeaderList]:
    await asgi.post_json(app, "/sign-up/register", {"email": EMAIL, "password": PASSWORD})
    form = urlencode({"username": EMAIL, "password": PASSWORD}).encode()
    kind = "application/x-www-form-urlencoded"
    answers = [await asgi.post(app, "/sign-in/login", form, content_type=kind) for _ in range(4)]
    return [_bearer(json.loads(answer.body)["access_token"]) for answer in answers]


async def _better_auth(app: asgi.Application) -> list[asgi.HeaderList]:
    person = {"name": "Ada", "email": EMAIL, "password": PASSWORD}
    await asgi.post_json(app, "/api/auth/sign-up/email", person)
    answers = [await asgi.post_json(app, "/api/auth/sign-in/email", person) for _ in range(4)]
    return [[(b"cookie", _cookies(answer))] for answer in answers]


def _cookies(answer: asgi.Answer) -> bytes:
    pairs = [value.partition(b";")[0] for name, value in answer.headers if name.lower() == b"set-cookie"]
    return b"; ".join(pair for pair in pairs if not pair.endswith(b"="))


async def _elsewhere(*_: object) -> None:
    """Do nothing here: the session has been ended at the server. That may be known in a moment."""
    await asyncio.sleep(_AFTER_THE_END)


def _posting(path: str) -> Callable[..., Any]:
    async def sign_out(app: asgi.Application, credential: asgi.HeaderList) -> None:
        scope = asgi.get_scope([*credential, (b"origin", b"http://127.0.0.1"), (b"content-length", b"0")])
        status = await _status(app, scope | {"method": "POST", "path": path, "raw_path": path.encode()})
        if status >= 300:
            raise RuntimeError(f"signing out was answered {status}")

    return sign_out


_SIGN_IN = {"nobody": _nobody, "fastapi-users": _fastapi_users, "better-auth-server": _better_auth}
_SIGN_OUT = {
    "fastapi-users": _posting("/sign-in/logout"),
    "better-auth-server": _posting("/api/auth/sign-out"),
}

if __name__ == "__main__":
    uvloop.run(_main())
