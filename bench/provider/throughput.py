"""Requests per second of every endpoint of every server, sample by sample in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.harness import Timing
from bench.provider.calls import Call, Chains
from bench.provider.contender import ENDPOINTS, REFRESH, Contender
from bench.provider.running import running
from bench.web.load import Load, wrk
from bench.web.server import Server

_WARM_UP = 1.0
_CHAINS = 48
"""For one sample. wrk drops what is under way when its time is up, and chains with it."""

Key = tuple[str, str]
"""An endpoint, and a server's name."""


@dataclass
class Race:
    """What was measured, by endpoint and server."""

    timings: dict[Key, Timing] = field(default_factory=dict)
    """The server's time for one request: the samples are microseconds."""
    p50_ms: dict[Key, list[float]] = field(default_factory=dict)
    p99_ms: dict[Key, list[float]] = field(default_factory=dict)
    core_us: dict[Key, list[float]] = field(default_factory=dict)
    """Microseconds of the server's core for one request: what others do on the machine meanwhile changes it less."""
    resident_before: dict[str, int] = field(default_factory=dict)
    """Bytes in memory after the first answers."""
    resident_after: dict[str, int] = field(default_factory=dict)
    """The same after all that was asked."""
    failures: dict[str, str] = field(default_factory=dict)

    def per_second(self, endpoint: str, name: str) -> float | None:
        """Requests per second, the median."""
        timing = self.timings.get((endpoint, name))
        return 1e6 / timing.median_us if timing else None

    def ratio(self, endpoint: str, name: str, other: str) -> float | None:
        """A server's requests per second as a multiple of another's, paired by round."""
        mine, theirs = self.timings.get((endpoint, name)), self.timings.get((endpoint, other))
        return theirs.ratio_to(mine) if mine and theirs else None


class _Runner:
    """A server that takes part."""

    def __init__(self, contender: Contender, server: Server) -> None:
        self.name = contender.name
        self.contender, self.server = contender, server
        self.calls: Mapping[str, Call] = contender.calls(server.port)
        for call in self.calls.values():
            call.check(server.port)
        can_refresh = contender.chains(server.port, 1) is not None
        self.endpoints = {*self.calls, *([REFRESH] if can_refresh else [])}

    def load(self, endpoint: str, seconds: float) -> Load:
        """Load one endpoint."""
        port, script = self.server.port, self.server.directory / "load.lua"
        call: Call | Chains | None = self.calls.get(endpoint) or self.contender.chains(port, _CHAINS)
        assert call is not None  # it is one of the endpoints
        url = f"http://127.0.0.1:{port}{call.path}"
        return wrk(url, seconds, headers=call.sent, script=call.script(script))


def race(contenders: Sequence[Contender], directory: Path, *, rounds: int, seconds: float) -> Race:
    """Start every server, check it, and load them in turn, endpoint by endpoint; each round starts with another one.

    All but the one that is loaded are stopped.
    """
    found, samples = Race(), dict[Key, list[float]]()
    with ExitStack() as stack:
        runners = _start(stack, contenders, directory, found)
        for turn in range(rounds):
            for endpoint in ENDPOINTS:
                able = [runner for runner in runners if endpoint in runner.endpoints]
                for place in range(len(able)):
                    runner = able[(turn + place) % len(able)]
                    _sample(runner, endpoint, seconds, found=found, samples=samples)
        for runner in runners:
            found.resident_after[runner.name] = runner.server.resident()
    # One that failed in a round cannot be paired with the others.
    found.timings = {
        key: Timing(" of ".join(key), tuple(taken)) for key, taken in samples.items() if len(taken) == rounds
    }
    return found


def _start(stack: ExitStack, contenders: Sequence[Contender], directory: Path, found: Race) -> list[_Runner]:
    runners = []
    for contender in contenders:
        name = contender.name
        try:
            runner = _Runner(contender, stack.enter_context(running(contender, directory / name)))
            found.resident_before[name] = runner.server.resident()
            for endpoint in runner.endpoints:
                runner.load(endpoint, _WARM_UP)
            runner.server.pause()
        except Exception as error:  # noqa: BLE001 -- a failure is a result, to be shown
            found.failures[name] = f"{type(error).__name__}: {error}"
        else:
            runners.append(runner)
    return runners


def _sample(
    runner: _Runner, endpoint: str, seconds: float, *, found: Race, samples: dict[Key, list[float]]
) -> None:
    key = (endpoint, runner.name)
    runner.server.resume()
    before = runner.server.processor_ns()
    try:
        load = runner.load(endpoint, seconds)
    except Exception as error:  # noqa: BLE001 -- as above
        found.failures[" of ".join(key)] = f"{type(error).__name__}: {error}"
    else:
        samples.setdefault(key, []).append(1e6 / load.per_second)
        taken = runner.server.processor_ns() - before
        found.core_us.setdefault(key, []).append(taken / load.requests / 1e3)
        found.p50_ms.setdefault(key, []).append(load.p50_ms)
        found.p99_ms.setdefault(key, []).append(load.p99_ms)
    finally:
        runner.server.pause()
