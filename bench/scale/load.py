"""Requests per second of several setups, what each request costs nodes and stores, and how often a store is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median
from time import monotonic, sleep

from bench.scale.cheap import CHEAP
from bench.scale.engines import Postgres
from bench.scale.nodes import Setup, Site, running
from bench.scale.processes import memory, processor_s
from bench.scale.redis import Redis
from bench.scale.requests import CHECK, ISSUE, REFRESH, SIGN_IN, Sender
from bench.scale.seeding import more_chains, more_people, seed
from bench.web.load import Load

CHEAP_SIGN_IN = "sign-in, argon2id at its least"
KINDS = (CHECK, ISSUE, REFRESH, SIGN_IN, CHEAP_SIGN_IN)
_PEOPLE, _SESSIONS, _CHAINS = 300, 300, 64
_IDLE, _SETTLE = 2.0, 2.5
_WARM_UP = 1.0


@dataclass
class Figures:
    """What one kind of request did in one setup, sample by sample."""

    per_second: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    node_ms: list[float] = field(default_factory=list)
    """Milliseconds of processor for one request: of all nodes together, and so on."""
    postgres_ms: list[float] = field(default_factory=list)
    redis_ms: list[float] = field(default_factory=list)
    balancer_ms: list[float] = field(default_factory=list)
    statements: list[float] = field(default_factory=list)
    """Statements that PostgreSQL ran for one request, without those that it runs for nodes that do nothing."""
    commands: list[float] = field(default_factory=list)
    """The same of Redis, the commands in scripts included."""


@dataclass
class Run:
    """One setup."""

    name: str
    nodes: int
    figures: dict[str, Figures] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    resident: int = 0
    """Bytes of all nodes, at the end."""
    idle_statements: float = 0.0
    """That PostgreSQL runs in a second when nobody asks for anything."""


@dataclass(frozen=True)
class Stores:
    """The servers that are there."""

    postgres: Postgres | None = None
    redis: Redis | None = None


class Meter:
    """Reads what everybody has taken so far."""

    def __init__(self, site: Site, stores: Stores) -> None:
        self._site = site
        self._stores = stores
        self.idle = (0.0, 0.0)

    def read(self) -> tuple[float, ...]:
        """Seconds of nodes, PostgreSQL, Redis and balancer; statements, and commands of Redis."""
        site, stores = self._site, self._stores
        return (
            processor_s([node.pid for node in site.nodes]),
            processor_s([stores.postgres.pid]) if stores.postgres else 0.0,
            processor_s([stores.redis.pid]) if stores.redis else 0.0,
            processor_s([site.balancer.pid]) if site.balancer else 0.0,
            float(stores.postgres.statements()[0]) if stores.postgres else 0.0,
            float(stores.redis.commands()) if stores.redis else 0.0,
        )

    def weigh_idleness(self) -> None:
        """Learn what goes on when nobody asks for anything."""
        sleep(_SETTLE)  # what wrk asked for last, and did not wait for
        before, began = self.read(), monotonic()
        sleep(_IDLE)
        after, took = self.read(), monotonic() - began
        self.idle = ((after[4] - before[4]) / took, (after[5] - before[5]) / took)

    def sample(self, into: Figures, load: Callable[[], Load]) -> None:
        """Load the site once, and note what it took."""
        before, began = self.read(), monotonic()
        done = load()
        after, took = self.read(), monotonic() - began
        taken = [new - old for old, new in zip(before, after, strict=True)]
        into.per_second.append(done.per_second)
        into.p50_ms.append(done.p50_ms)
        into.p99_ms.append(done.p99_ms)
        for name, seconds in zip(("node", "postgres", "redis", "balancer"), taken, strict=False):
            getattr(into, f"{name}_ms").append(seconds * 1e3 / done.requests)
        if self._stores.postgres:
            into.statements.append(max(0.0, taken[4] - self.idle[0] * took) / done.requests)
        if self._stores.redis:
            into.commands.append(max(0.0, taken[5] - self.idle[1] * took) / done.requests)


Way = Callable[[float], Callable[[], Load]]
"""Prepares to send one kind of request for so many seconds, and returns what does it."""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How long to measure."""

    rounds: int
    seconds: float
    kinds: Sequence[str] = KINDS


def measure(setup: Setup, directory: Path, stores: Stores, *, effort: Effort) -> Run:
    """Start a setup on an empty database, and load it with every kind of request."""
    found = Run(setup.name, setup.nodes * setup.workers)
    people = seed(setup, directory, people=_PEOPLE, sessions=_SESSIONS, chains=1)
    with running(setup, directory) as site:
        meter, sender = Meter(site, stores), Sender(site, people)
        sample_all(found, meter, ways_of(sender), effort=effort)
        found.resident = memory([node.pid for node in site.nodes])
        found.idle_statements = meter.idle[0]
    if CHEAP_SIGN_IN in effort.kinds:
        cheap = replace(setup, more={**setup.more, **CHEAP})
        people.emails = more_people(cheap, directory, count=_PEOPLE)
        with running(cheap, directory) as site:
            sender = Sender(site, people, sent=1 << 22)
            ways: dict[str, Way] = {CHEAP_SIGN_IN: lambda seconds: partial(sender.sign_in, seconds)}
            sample_all(found, Meter(site, stores), ways, effort=effort)
    return found


def ways_of(sender: Sender) -> dict[str, Way]:
    """All kinds of requests but one."""

    def refresh(seconds: float) -> Callable[[], Load]:
        site = sender.site
        chains = more_chains(site.setup, site.directory, sender.people.app_id, count=_CHAINS)
        return partial(sender.refresh, seconds, chains)

    return {
        CHECK: lambda seconds: partial(sender.check, seconds),
        ISSUE: lambda seconds: partial(sender.issue, seconds),
        REFRESH: refresh,
        SIGN_IN: lambda seconds: partial(sender.sign_in, seconds),
    }


def sample_all(found: Run, meter: Meter, ways: Mapping[str, Way], *, effort: Effort) -> None:
    """Load a site with every kind of request that is wanted, in turn."""
    wanted = {kind: way for kind, way in ways.items() if kind in effort.kinds}
    for kind, way in wanted.items():
        _attempt(found, kind, partial(_warm_up, way))
    meter.weigh_idleness()
    for _ in range(effort.rounds):
        for kind, way in wanted.items():
            figures = found.figures.setdefault(kind, Figures())
            _attempt(found, kind, partial(_sample, meter, figures, partial(way, effort.seconds)))


def _warm_up(way: Way) -> None:
    way(_WARM_UP)()


def _sample(meter: Meter, figures: Figures, prepare: Callable[[], Callable[[], Load]]) -> None:
    meter.sample(figures, prepare())


def _attempt(found: Run, kind: str, act: Callable[[], object]) -> None:
    try:
        act()
    except Exception as error:  # noqa: BLE001 -- a failure is a result, to be shown
        found.failures[kind] = f"{type(error).__name__}: {error}"


def middle(values: Sequence[float]) -> float | None:
    """The median, if there is anything."""
    return median(values) if values else None
