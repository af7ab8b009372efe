"""How long a process takes from nothing to its first answer, and what it weighs then."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.harness import Timing
from bench.web.client import UnexpectedAnswerError
from bench.web.contenders import COOKIE, LINE, Program
from bench.web.environment import Environment
from bench.web.server import running

STARTED = (
    LINE,
    COOKIE,
    "fastapi-users, database strategy",
    "better-auth-server, database",
    "Django, sessions",
    "Flask-Session, write on change",
)


@dataclass
class Starts:
    """What was measured, by the program's name."""

    timings: dict[str, Timing] = field(default_factory=dict)
    """Microseconds from the start of the process until the protected route answered 200."""
    first_s: dict[str, float] = field(default_factory=dict)
    """Seconds the very first start took, in an empty directory, until any answer."""
    resident: dict[str, int] = field(default_factory=dict)
    """Bytes in memory after that answer, the median."""
    failures: dict[str, str] = field(default_factory=dict)


def measure(programs: Sequence[Program], environment: Environment, *, directory: Path, rounds: int) -> Starts:
    """Start each program ``rounds`` times over a database that is there."""
    found = Starts()
    for program in programs:
        if program.name in STARTED:
            own = directory / program.factory.replace(":", "-")
            own.mkdir()
            try:
                _measure(program, environment, directory=own, rounds=rounds, found=found)
            except Exception as error:  # noqa: BLE001 -- a failure is a result, to be shown
                found.failures[program.name] = f"{type(error).__name__}: {error}"
    return found


def _measure(
    program: Program, environment: Environment, *, directory: Path, rounds: int, found: Starts
) -> None:
    began = time.perf_counter()
    with running(program, directory, environment) as server:
        server.wait()
        found.first_s[program.name] = time.perf_counter() - began
        if program.sign_up:
            program.sign_up(server.port)
    if program.prepare:
        program.prepare(directory)
    with running(program, directory, environment) as server:
        server.wait()
        headers = program.sign_in(server.port) if program.sign_in else {}
    taken, resident = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        with running(program, directory, environment) as server:
            answer = server.wait(headers=headers)
            taken.append((time.perf_counter() - began) * 1e6)
            if answer.status != 200:
                raise UnexpectedAnswerError(f"/me answered {answer.status} after a restart")
            resident.append(server.resident())
    found.timings[program.name] = Timing(program.name, tuple(taken))
    found.resident[program.name] = sorted(resident)[len(resident) // 2]
