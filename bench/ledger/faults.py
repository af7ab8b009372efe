"""Whatever happens on the way: afterwards every verifier refuses what was revoked, and none let it in for too long.

``python -m bench.ledger.faults DIRECTORY HOW SECONDS BATCH VERIFIERS`` prints what was found. All of it plays on one
machine, in one namespace; ``HOW`` says how its network is cut.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.ledger import partition
from bench.ledger.site import Site, Ticket
from bench.ledger.watchers import BOUND, Plan, Process, converge, watching
from bench.web.environment import CHILD

_PATIENCE = 60.0
_BETWEEN = 0.03
_SETTLED = 2.5
_SLOW_READERS = 8
_FLOOD, _PART = 40, 500
_PROCESSES = 2
_GRACE = 0.05  # seconds: between reading the clock and verifying, another process may be given the processor


@dataclass
class Fault:
    """One fault, and what came of it."""

    name: str
    revocations: int
    recovered_s: float | None
    """From the end of the fault until every verifier refused all; ``None``: some never did."""


@dataclass
class Faults:
    """All of them."""

    how: str
    partition_s: float
    verifiers: int
    revocations: int = 0
    faults: list[Fault] = field(default_factory=list)
    lost: int = 0
    """Revocations that a verifier does not know in the end."""
    came_back: int = 0
    """How often a verifier accepted what it, or one before it in its place, had refused."""
    forbidden: int = 0
    """How often a verifier with a bound accepted a token longer than that after its revocation."""
    longest_bounded_s: float = 0.0
    longest_unbounded_s: float = 0.0
    """The longest that a revoked token was still accepted."""
    stale: int = 0
    """How often a verifier refused because its view was too old."""


def measure(directory: Path, *, seconds: float, batch: int, verifiers: int) -> Faults:
    """Play it in a process of its own, in a namespace if there can be one."""
    with partition.namespace() as (within, how):
        command = [*within, sys.executable, "-W", "ignore", "-m", "bench.ledger.faults", str(directory), how]
        done = subprocess.run(  # noqa: S603 -- this very module
            [*command, str(seconds), str(batch), str(verifiers)],
            env=CHILD,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().rpartition("\n")[2])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    faults = [Fault(**each) for each in found.pop("faults")]
    return Faults(**found, faults=faults)


class _Play:
    """The course of it: tokens are revoked in their order, a batch for each fault."""

    def __init__(self, site: Site, tickets: Sequence[Ticket], processes: list[Process], plan: Plan) -> None:
        self.site = site
        self.processes = processes
        self.plan = plan
        self.tickets = tickets
        self.revoked_at: list[int] = []
        self.watches: list[dict[str, Any]] = []
        """What verifiers saw that are no more."""

    def revoke(self, count: int) -> None:
        """Sign out at the server."""
        for _ in range(count):
            ticket = self.tickets[len(self.revoked_at)]
            self.revoked_at.append(time.monotonic_ns())
            self.site.sign_out(ticket.token)
            time.sleep(_BETWEEN)

    def revoke_beside(self, count: int) -> None:
        """Revoke in this process, by the file alone: the server cannot be reached, or does not run."""
        first = len(self.revoked_at)
        self.revoked_at += [time.monotonic_ns()] * count
        self.site.end_beside([ticket.session for ticket in self.tickets[first : first + count]])

    def replace(self, number: int) -> None:
        """Start verifiers in the place of some that were killed."""
        log = self.site.directory / f"verifiers-{number}.log"
        self.processes[number] = Process(self.site, self.tickets, self.plan, log=log)
        self.processes[number].wait()

    def converge(self) -> float | None:
        """Wait until all refuse what was revoked."""
        return converge(self.processes, len(self.revoked_at), within=_PATIENCE)

    def note(self, process: Process) -> None:
        """Note what the verifiers of a process saw, before it ends."""
        self.watches += process.report()["watches"]


def _play(directory: Path, how: str, *, seconds: float, batch: int, verifiers: int) -> Faults:
    found = Faults(how, seconds, verifiers)
    site = Site(directory)
    tickets = site.prepare(8 * batch)
    plan = Plan(verifiers, _PROCESSES, len(tickets), asking=True)
    site.start()
    try:
        with watching(site, tickets, plan) as processes:
            play = _Play(site, tickets, processes, plan)
            acts: dict[str, Callable[[], float | None]] = {
                "none": lambda: _nothing(play, batch),
                "kill -9 of the server": lambda: _kill_server(play, batch),
                "kill -9 of half of the verifiers": lambda: _kill_verifiers(play, batch),
                f"partition, {seconds:.0f} s": lambda: _part(play, how, seconds, count=batch),
                f"{_SLOW_READERS} readers that read nothing": lambda: _read_nothing(play, batch),
                "an old backup restored": lambda: _restore(play, batch),
            }
            for name, act in acts.items():
                before = len(play.revoked_at)
                recovered = act()
                if play.converge() is None:
                    recovered = None
                found.faults.append(Fault(name, len(play.revoked_at) - before, recovered))
                time.sleep(_SETTLED)
            _judge(found, play)
    finally:
        site.kill()
    return found


def _nothing(play: _Play, batch: int) -> float | None:
    play.revoke(batch)
    return play.converge()


def _kill_server(play: _Play, batch: int) -> float | None:
    play.revoke(batch // 2)
    play.site.kill()  # right after the answer: whatever was not sent yet is sent by nobody
    play.revoke_beside(batch - batch // 2)
    play.site.start()
    return play.converge()


def _kill_verifiers(play: _Play, batch: int) -> float | None:
    play.revoke(batch // 2)
    play.note(play.processes[0])
    play.processes[0].kill()
    play.revoke(batch - batch // 2)
    play.replace(0)
    return play.converge()


def _part(play: _Play, how: str, seconds: float, *, count: int) -> float | None:
    play.site.forget_connection()
    partition.cut(play.site, how)
    began = time.monotonic()
    time.sleep(0.1)
    play.revoke_beside(count // 2)
    time.sleep(max(0.0, seconds - (time.monotonic() - began)))
    partition.mend(play.site, how)
    recovered = play.converge()
    play.revoke(count - count // 2)
    return recovered


def _read_nothing(play: _Play, batch: int) -> float | None:
    with ExitStack() as stack:
        for number in range(_SLOW_READERS):
            slow = stack.enter_context(socket.socket())
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(("127.0.0.1", play.site.port))
            lines = [f"GET /auth/ledger?nonce={number:024} HTTP/1.1", f"Host: 127.0.0.1:{play.site.port}"]
            lines += [f"Authorization: Bearer {play.site.key}", "", ""]
            slow.sendall("\r\n".join(lines).encode())
        play.site.flood(_FLOOD, _PART)
        play.revoke(batch)
        return play.converge()  # while they still read nothing


def _restore(play: _Play, batch: int) -> float | None:
    backup = play.site.directory / "backup"
    play.site.back_up(backup)
    play.revoke(batch)
    if play.converge() is None:
        raise TimeoutError("not all is known before the backup is restored")
    play.site.kill()
    play.site.restore(backup)
    play.site.start()
    play.revoke(1)  # of a session that is alive in the backup too; the ledger counts from there
    recovered = play.converge()
    play.revoke(batch - 1)
    return recovered


def _judge(found: Faults, play: _Play) -> None:
    found.revocations = len(play.revoked_at)
    for process in play.processes:
        play.note(process)
    for watch in play.watches:
        found.came_back += watch["came_back"]
        found.stale += watch["stale"]
        lasted = [
            (accepted - revoked) / 1e9
            for accepted, revoked in zip(watch["accepted_at"], play.revoked_at, strict=False)
            if accepted
        ]
        longest = max([0.0, *lasted])
        if watch["bounded"]:
            found.longest_bounded_s = max(found.longest_bounded_s, longest)
            found.forbidden += sum(each > BOUND + _GRACE for each in lasted)
        else:
            found.longest_unbounded_s = max(found.longest_unbounded_s, longest)
    for process in play.processes:
        found.lost += sum(found.revocations - refused for refused in process.progress())


if __name__ == "__main__":
    directory, how, seconds, batch, verifiers = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    played = _play(Path(directory), how, seconds=float(seconds), batch=int(batch), verifiers=int(verifiers))
    print(json.dumps(asdict(played)))
