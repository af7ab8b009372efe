"""A protected route in process, in services that verify by themselves and in the peers, each in its own environment."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.harness import Row, Timing
from bench.ledger.site import Site
from bench.web import cores
from bench.web.client import UnexpectedAnswerError
from bench.web.environment import CHILD, Environment

FASTAPI, STARLETTE, ASGI = "FastAPI, empty dependency", "Starlette, nothing", "ASGI, nothing"
OURS_FASTAPI, OURS_STARLETTE, OURS_ASGI = (
    f"coatcheck, {kind}" for kind in ("guard in FastAPI", "guard in Starlette", "guard before ASGI")
)
_TOKENS = 8


@dataclass(frozen=True, kw_only=True)
class Caller:
    """An application to call."""

    name: str
    factory: str
    line: str = FASTAPI
    """The same without anybody to recognise."""
    kind: str = "nobody"
    """How to sign in: the peer's distribution; ``guard`` for tokens of our server."""


CALLERS: Sequence[Caller] = (
    Caller(name=FASTAPI, factory="fastapi_alone:with_empty_dependency"),
    Caller(name=OURS_FASTAPI, factory="coatcheck_service_app:with_fastapi", kind="guard"),
    Caller(name=STARLETTE, factory="coatcheck_service_app:starlette_alone", line=STARLETTE),
    Caller(
        name=OURS_STARLETTE,
        factory="coatcheck_service_app:with_starlette",
        kind="guard",
        line=STARLETTE,
    ),
    Caller(name=ASGI, factory="coatcheck_service_app:asgi_alone", line=ASGI),
    Caller(name=OURS_ASGI, factory="coatcheck_service_app:with_asgi", kind="guard", line=ASGI),
    Caller(
        name="better-auth-server, cookie cache",
        factory="better_auth_app:with_cookie_cache",
        kind="better-auth-server",
    ),
    Caller(
        name="better-auth-server, database",
        factory="better_auth_app:with_database",
        kind="better-auth-server",
    ),
    Caller(name="fastapi-users, JWT strategy", factory="fastapi_users_app:with_jwt", kind="fastapi-users"),
    Caller(
        name="fastapi-users, database strategy",
        factory="fastapi_users_app:with_database",
        kind="fastapi-users",
    ),
)


@dataclass
class Calls:
    """What was measured."""

    row: Row
    after: dict[str, int] = field(default_factory=dict)
    """By name: what a credential was answered whose session had ended."""


class _Process:
    """An application in its process."""

    def __init__(self, caller: Caller, environment: Environment, site: Site, directory: Path) -> None:
        ours = caller.kind in {"guard", "nobody"}
        python = sys.executable if ours else str(environment.python)
        if caller.kind in environment.failures:
            raise UnexpectedAnswerError(environment.failures[caller.kind])
        self.log = directory / "log"
        self.tokens = [ticket.token for ticket in site.prepare(_TOKENS)] if caller.kind == "guard" else []
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 -- this interpreter, or the peers', on our module
                [python, "-W", "ignore", "-m", "bench.ledger.calling"],
                cwd=directory,
                env=CHILD,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        cores.give_to_server(self.process.pid)
        self._tell(
            json.dumps(
                {
                    "factory": caller.factory,
                    "kind": caller.kind,
                    "arguments": [site.url, site.key] if caller.kind == "guard" else [],
                    "tokens": self.tokens,
                }
            )
        )
        self._hear()

    def sample(self, calls: int) -> float:
        """Microseconds a call."""
        self._tell(str(calls))
        return float(self._hear())

    def after_the_end(self, site: Site) -> int:
        """End the session; return what its credential is answered then."""
        if self.tokens:
            site.sign_out(self.tokens[0])
        self._tell("")
        return int(self._hear())

    def kill(self) -> None:
        """End it."""
        self.process.kill()
        self.process.communicate()

    def _tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def _hear(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            words = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or [""]
            raise UnexpectedAnswerError(f"it ended: {words[-1]}")
        return line.strip()


def measure(environment: Environment, directory: Path, *, rounds: int, calls: int) -> Calls:
    """Call them in turn, A B C A B C, starting each round with another one."""
    site, failures = Site(directory), dict[str, str]()
    samples: dict[str, list[float]] = {}
    after: dict[str, int] = {}
    site.prepare(1)
    site.start()
    with ExitStack() as stack:
        stack.callback(site.kill)
        running: dict[str, _Process] = {}
        for number, caller in enumerate(CALLERS):
            own = directory / str(number)
            own.mkdir()
            try:
                running[caller.name] = _Process(caller, environment, site, own)
                stack.callback(running[caller.name].kill)
            except Exception as error:  # noqa: BLE001 -- a failure is a result, to be shown
                failures[caller.name] = f"{type(error).__name__}: {error}"
        names = list(running)
        for turn in range(rounds):
            for place in range(len(names)):
                name = names[(turn + place) % len(names)]
                samples.setdefault(name, []).append(running[name].sample(calls))
        for name, process in running.items():
            kind = next(caller.kind for caller in CALLERS if caller.name == name)
            if kind != "nobody":
                try:
                    after[name] = process.after_the_end(site)
                except Exception as error:  # noqa: BLE001 -- as above
                    failures[name] = f"after signing out: {type(error).__name__}: {error}"
    timings = tuple(Timing(name, tuple(taken)) for name, taken in samples.items())
    return Calls(Row("route", timings, failures), after)
