"""Requests per second of every program, sample by sample in turn."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.harness import Timing
from bench.web import client
from bench.web.contenders import Headers, Program
from bench.web.environment import Environment
from bench.web.load import wrk
from bench.web.programs.person import EMAIL
from bench.web.server import Server, running

_WARM_UP = 1.0


@dataclass
class Race:
    """What was measured, by the program's name."""

    timings: dict[str, Timing] = field(default_factory=dict)
    """The server's time for one request: the samples are microseconds."""
    p99_ms: dict[str, list[float]] = field(default_factory=dict)
    resident: dict[str, int] = field(default_factory=dict)
    """Bytes in memory after the first answer."""
    failures: dict[str, str] = field(default_factory=dict)

    def ratio(self, name: str, line: str) -> float | None:
        """A program's requests per second as a part of another's, paired by round."""
        if name in self.timings and line in self.timings:
            return 1 / self.timings[name].ratio_to(self.timings[line])
        return None


def race(
    programs: Sequence[Program], environment: Environment, *, directory: Path, rounds: int, seconds: float
) -> Race:
    """Start every program, check it, and load them in turn, A B C A B C; each round starts with another one.

    All but the one that is loaded are stopped. Everybody signs in anew for each sample, so that no credential
    becomes stale.
    """
    found = Race()
    samples: dict[str, list[float]] = {}
    with ExitStack() as stack:
        servers: dict[str, Server] = {}
        for program in programs:
            try:
                servers[program.name] = _enter(stack, program, environment, directory)
                found.resident[program.name] = servers[program.name].resident()
                wrk(servers[program.name].url, _WARM_UP, headers=_credential(program, servers[program.name]))
                servers[program.name].pause()
            except Exception as error:  # noqa: BLE001 -- a failure is a result, to be shown
                found.failures[program.name] = f"{type(error).__name__}: {error}"
        for turn in range(rounds):
            for place in range(len(programs)):
                program = programs[(turn + place) % len(programs)]
                if program.name not in found.failures:
                    _sample(program, servers[program.name], seconds, found=found, samples=samples)
    found.timings = {
        name: Timing(name, tuple(taken)) for name, taken in samples.items() if name not in found.failures
    }
    return found


def _enter(stack: ExitStack, program: Program, environment: Environment, directory: Path) -> Server:
    own = directory / program.factory.replace(":", "-") / program.name.replace(" ", "-")
    own.mkdir(parents=True)
    if program.prepare:
        program.prepare(own)
    server = stack.enter_context(running(program, own, environment))
    first = server.wait()
    if program.sign_in and first.status not in {401, 403}:
        raise client.UnexpectedAnswerError(f"it let a stranger in with {first.status}")
    if program.sign_up:
        program.sign_up(server.port)
    return server


def _credential(program: Program, server: Server) -> Headers:
    """Sign in, and see that the route knows who it is."""
    headers = program.sign_in(server.port) if program.sign_in else {}
    answer = client.get(server.port, "/me", headers)
    if answer.status != 200 or answer.json() != {"email": EMAIL}:
        raise client.UnexpectedAnswerError(f"/me answered {answer.status}: {answer.body[:200]!r}")
    return headers


def _sample(
    program: Program, server: Server, seconds: float, *, found: Race, samples: dict[str, list[float]]
) -> None:
    server.resume()
    try:
        load = wrk(server.url, seconds, headers=_credential(program, server))
    except Exception as error:  # noqa: BLE001 -- as above
        found.failures[program.name] = f"{type(error).__name__}: {error}"
    else:
        samples.setdefault(program.name, []).append(1e6 / load.per_second)
        found.p99_ms.setdefault(program.name, []).append(load.p99_ms)
    finally:
        server.pause()
