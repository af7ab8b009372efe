"""The provider suite: an authorization server's endpoints, coatcheck beside its peers, each alone on one core."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import facts
from bench.provider import code_flow, tables, targets, throughput
from bench.provider.code_flow import Ways
from bench.provider.contender import Contender
from bench.provider.ours import Coatcheck
from bench.provider.peers import peers
from bench.provider.running import running
from bench.report import Report
from bench.tables import facts_table, targets_table
from bench.web import cores
from bench.web.load import CONNECTIONS

PARTS = ("endpoints", "code-flow")


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    rounds: int
    seconds: int
    """One sample of a load."""
    flows: int


FULL = Effort(rounds=7, seconds=1, flows=20)
QUICK = Effort(rounds=3, seconds=1, flows=5)


def run(report: Report, parts: Collection[str], *, quick: bool) -> None:
    """Measure the parts that are asked for."""
    effort, contenders = QUICK if quick else FULL, [Coatcheck(), *peers()]
    _introduce(report, contenders, effort)
    race = None
    with cores.load_core(), tempfile.TemporaryDirectory(prefix="coatcheck-bench-") as directory:
        if "endpoints" in parts:
            race = _endpoints(report, contenders, effort, Path(directory))
        if "code-flow" in parts:
            _code_flow(report, contenders, effort, Path(directory))
    judged = targets.judge(race)
    report.data["provider targets"] = [asdict(target) | {"verdict": target.verdict} for target in judged]
    report.show(targets_table(judged))


def _introduce(report: Report, contenders: Sequence[Contender], effort: Effort) -> None:
    found = facts.machine_facts() | {
        "suite": "provider",
        "served by": facts.versions(("starlette", "uvicorn", "uvloop", "httptools")),
        "peers": ", ".join(f"{each.name} {each.version}" for each in contenders[1:] if not each.failure),
        "cores": "one for the server, one for wrk" if cores.SEPARATE else "SHARED by server and wrk",
        "effort": f"{effort.rounds} rounds of {effort.seconds} s, {CONNECTIONS} connections",
    }
    report.data["provider facts"] = found
    report.show(facts_table(found, [each.failure for each in contenders if each.failure]))


def _endpoints(
    report: Report, contenders: Sequence[Contender], effort: Effort, directory: Path
) -> throughput.Race:
    race = throughput.race(contenders, directory, rounds=effort.rounds, seconds=effort.seconds)
    report.data["endpoints"] = {
        "timings": [[*key, asdict(timing)] for key, timing in race.timings.items()],
        "core_us": [[*key, found] for key, found in race.core_us.items()],
        "p50_ms": [[*key, found] for key, found in race.p50_ms.items()],
        "p99_ms": [[*key, found] for key, found in race.p99_ms.items()],
        "resident": {"before": race.resident_before, "after": race.resident_after},
        "failures": race.failures,
    }
    report.show(tables.throughput_table(race, contenders), tables.memory_table(race))
    return race


def _code_flow(report: Report, contenders: Sequence[Contender], effort: Effort, directory: Path) -> None:
    found: dict[str, Ways | str] = {}
    for contender in contenders:
        try:
            with running(contender, directory / f"flow-{contender.name}") as server:
                flow = contender.flow(server.port)
                if flow is not None:
                    found[contender.name] = code_flow.measure(server.port, flow, times=effort.flows)
        except Exception as error:  # noqa: BLE001 -- a failure is a result, to be shown
            found[contender.name] = f"{type(error).__name__}: {error}"
    report.data["code flow"] = {
        name: ways if isinstance(ways, str) else asdict(ways) for name, ways in found.items()
    }
    report.show(tables.flow_table(found))
