"""The processes with the verifiers, as the benchmark has them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.ledger.site import Site, Ticket
from bench.web.client import UnexpectedAnswerError
from bench.web.environment import CHILD

BOUND = 6.0
"""Seconds: the ``max_staleness`` of every second verifier."""


@dataclass(frozen=True)
class Plan:
    """How many verifiers, in how many processes, and what they do beside following."""

    verifiers: int
    processes: int
    warm: int
    """How many of the tokens all of them accept before it begins."""
    asking: bool
    """Whether they go on asking about what may have been revoked."""


class Process:
    """One process with its verifiers."""

    def __init__(self, site: Site, tickets: Sequence[Ticket], plan: Plan, *, log: Path) -> None:
        command = [sys.executable, "-W", "ignore", "-m", "bench.ledger.watching"]
        self._log = log
        with log.open("ab") as errors:
            self.process = subprocess.Popen(  # noqa: S603 -- this interpreter, on that module
                command, env=CHILD, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        self._tell(
            json.dumps(
                {
                    "url": site.url,
                    "key": site.key,
                    "tokens": [ticket.token for ticket in tickets],
                    "verifiers": plan.verifiers // plan.processes,
                    "bound": BOUND,
                    "warm": plan.warm,
                    "asking": plan.asking,
                }
            )
        )

    def wait(self) -> None:
        """Wait until all of its verifiers are ready."""
        self._hear()

    def progress(self) -> list[int]:
        """Return how many tokens each of its verifiers refuses."""
        self._tell("progress")
        refused: list[int] = self._hear()["refused"]
        return refused

    def report(self) -> dict[str, Any]:
        """Return what its verifiers saw."""
        self._tell("report")
        return self._hear()

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()

    def _tell(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def _hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            words = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or [""]
            raise UnexpectedAnswerError(f"the verifiers ended with {self.process.wait()}: {words[-1]}")
        found: dict[str, Any] = json.loads(line)
        return found


@contextmanager
def watching(site: Site, tickets: Sequence[Ticket], plan: Plan) -> Iterator[list[Process]]:
    """Start the processes; they are ready. Whoever replaces one puts the new one into the list."""
    processes: list[Process] = []
    try:
        for number in range(plan.processes):
            log = site.directory / f"verifiers-{number}.log"
            processes.append(Process(site, tickets, plan, log=log))
        for process in processes:
            process.wait()
        yield processes
    finally:
        for process in processes:
            process.kill()


def converge(processes: Sequence[Process], refused: int, *, within: float) -> float | None:
    """Wait until all verifiers refuse so many tokens. Return how many seconds that took; ``None`` if it never came."""
    began = time.monotonic()
    while time.monotonic() - began < within:
        if all(each >= refused for process in processes for each in process.progress()):
            return time.monotonic() - began
        time.sleep(0.05)
    return None
