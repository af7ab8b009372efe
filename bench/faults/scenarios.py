"""What is done to a site, each within half a minute."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

from bench.faults.disk import Disk
from bench.faults.network import Cable
from bench.faults.stage import Fault
from bench.scale.engines import Postgres
from bench.scale.nodes import Site
from bench.scale.redis import Redis
from bench.web.client import UnexpectedAnswerError

_CUT = 5.0
_DOWN = 3.0
_FULL = 6.0
_JUMP = 5.0
_BETWEEN = 1.0
_LIBRARIES = "/usr/lib/*-linux-gnu/faketime/libfaketime.so.1"


def nothing(seconds: float) -> Fault:
    """No fault."""
    return lambda: sleep(seconds)


def kill_nodes(site: Site, seconds: float) -> Fault:
    """Kill one node after the other, and start each again."""

    def act() -> None:
        began, number = monotonic(), 0
        while monotonic() - began < seconds:
            node = site.nodes[number % len(site.nodes)]
            node.end(signal.SIGKILL)
            sleep(_BETWEEN / 2)
            node.start()
            sleep(_BETWEEN / 2)
            number += 1

    return act


def restart_postgres(postgres: Postgres) -> Fault:
    """As an upgrade does: all connections are ended."""
    return postgres.restart


def kill_postgres(postgres: Postgres) -> Fault:
    """Kill it with all it has in memory; what starts then recovers from its log."""

    def act() -> None:
        postgres.end(signal.SIGKILL)
        sleep(_DOWN)
        postgres.start()

    return act


def kill_redis(redis: Redis, seconds: float) -> Fault:
    """Kill it again and again; it comes back with nothing in it."""

    def act() -> None:
        began = monotonic()
        while monotonic() - began < seconds:
            redis.end(signal.SIGKILL)
            sleep(_BETWEEN)
            redis.start()
            sleep(_BETWEEN)

    return act


def pause_redis(redis: Redis) -> Fault:
    """Let it stand still: it takes connections, and answers nobody."""

    def act() -> None:
        redis.send(signal.SIGSTOP)
        sleep(_CUT)
        redis.send(signal.SIGCONT)

    return act


def cut(cable: Cable) -> Fault:
    """Pull the cable between all nodes and PostgreSQL."""

    def act() -> None:
        cable.pull()
        sleep(_CUT)
        cable.plug()

    return act


def cut_off(cable: Cable) -> Fault:
    """Cut one node off from PostgreSQL, while the others go on: it knows nothing of what they end."""

    def act() -> None:
        cable.detach()
        sleep(_CUT)
        cable.attach()

    return act


def fill_disk(disk: Disk, postgres: Postgres | None) -> Fault:
    """Leave no room on the disk of the database for a while. Whatever that ends is started again then."""

    def act() -> None:
        disk.fill()
        sleep(_FULL)
        disk.free()
        if postgres is not None:
            sleep(0.5)
            if not postgres.runs:
                postgres.start()
            postgres.until(postgres.accepts)

    return act


def jump(clock: Path, by: str) -> Fault:
    """Let the clock of the node that reads it from a file jump, and jump back."""

    def act() -> None:
        clock.write_text(by, encoding="ascii")
        sleep(_JUMP)
        clock.write_text("+0", encoding="ascii")
        sleep(1.0)  # the node reads it once a second

    return act


def false_clock(clock: Path) -> dict[str, str]:
    """Return the variables that give a process a clock that a file shifts.

    Raises:
        UnexpectedAnswerError: If libfaketime is not there.
    """
    library = next(_libraries(), None)
    if library is None:
        raise UnexpectedAnswerError("libfaketime is not installed: apt-get install libfaketime")
    clock.write_text("+0", encoding="ascii")
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


def _libraries() -> Iterator[Path]:
    root = Path("/")
    yield from root.glob(_LIBRARIES.lstrip("/"))
