"""From the order to revoke to the refusal, over HTTP, at many verifiers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from bench.ledger.site import Site
from bench.ledger.watchers import Plan, converge, watching

_PATIENCE = 30.0


@dataclass
class Delays:
    """Milliseconds, one for each verifier and revocation."""

    verifiers: int
    processes: int
    revocations: int
    pause_ms: float
    delays_ms: list[float] = field(default_factory=list)
    calls_ms: list[float] = field(default_factory=list)
    """How long the call to revoke took, to its answer."""
    lost: int = 0
    came_back: int = 0
    server_cpu_ms: float = 0.0
    """Of the processor, by the server, for one revocation and all verifiers."""
    verifier_cpu_ms: float = 0.0
    """Of the processor, by one verifier, for one revocation."""
    snapshots: int = 0
    """How often a verifier had to begin anew."""


def measure(directory: Path, *, plan: Plan, revocations: int, pause: float) -> Delays:
    """Revoke one after the other, and see when each verifier refuses."""
    site = Site(directory)
    tickets = site.prepare(revocations)
    found = Delays(plan.verifiers, plan.processes, revocations, pause * 1_000)
    site.start()
    try:
        with watching(site, tickets, plan) as processes:
            time.sleep(1.0)
            cpu_before = [process.report()["cpu"] for process in processes]
            server_before = _cpu(site)
            called: list[int] = []
            for ticket in tickets:
                began = time.monotonic_ns()
                site.sign_out(ticket.token)
                took = time.monotonic_ns() - began
                called.append(began)
                found.calls_ms.append(took / 1e6)
                time.sleep(max(0.0, pause - took / 1e9))
            converge(processes, revocations, within=_PATIENCE)
            found.server_cpu_ms = (_cpu(site) - server_before) / revocations * 1_000
            for process, before in zip(processes, cpu_before, strict=True):
                report = process.report()
                found.verifier_cpu_ms += (report["cpu"] - before) / revocations / plan.verifiers * 1_000
                for watch in report["watches"]:
                    found.lost += watch["refused_at"].count(0)
                    found.snapshots += watch["metrics"]["snapshots"] - 1
                    found.came_back += watch["came_back"]
                    found.delays_ms += [
                        (refused - began) / 1e6
                        for refused, began in zip(watch["refused_at"], called, strict=True)
                        if refused
                    ]
    finally:
        site.kill()
    found.delays_ms.sort()
    return found


def quantile(ordered: list[float], part: float) -> float:
    """Return the smallest value that so large a part of all do not exceed."""
    return ordered[min(len(ordered) - 1, max(0, -int(-part * len(ordered) // 1) - 1))]


def _cpu(site: Site) -> float:
    """Seconds of the processor that the server has used."""
    assert site.process is not None
    stat = Path(f"/proc/{site.process.pid}/stat").read_text(encoding="ascii")
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / 100
