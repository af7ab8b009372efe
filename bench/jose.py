"""The jose suite: tokens, beside other libraries and the bare primitives."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bench import facts, tables, targets
from bench.encryption import race_decrypt
from bench.harness import FULL, QUICK, Effort, Row, Timing
from bench.importing import time_imports
from bench.material import ENCRYPTIONS, SIGNATURES, claims_ring, protected_header, signing_input
from bench.memory import Weight, Weights, weigh_all
from bench.peers import load_peers
from bench.peers.base import OURS, Peer
from bench.refusals import probe
from bench.report import Report
from bench.signatures import race_sign, race_verify

_RACES = ("verify", "sign", "decrypt")
PARTS = (*_RACES, "refusals", "imports", "memory")


def run(report: Report, parts: Collection[str], *, quick: bool) -> None:
    """Measure the parts that are asked for."""
    effort = QUICK if quick else FULL
    peers, missing = load_peers()
    hmac = _introduce(report, effort, missing)
    races = {
        operation: _race(report, operation, list(peers.values()), effort)
        for operation in _RACES
        if operation in parts
    }
    if "refusals" in parts:
        _refusals(report, list(peers.values()))
    imports = _imports(report, peers, 10 if quick else 20) if "imports" in parts else None
    if "memory" in parts:
        _memory(report, peers, 2_000 if quick else 10_000)
    judged = targets.judge(races, imports, hmac)
    report.data["targets"] = [asdict(target) | {"verdict": target.verdict} for target in judged]
    report.show(tables.targets_table(judged))


def _introduce(report: Report, effort: Effort, missing: Sequence[str]) -> Timing:
    """The machine and the targets; returns the yardstick."""
    hmac = facts.bare_hmac(effort)
    message = signing_input(protected_header("HS256"), claims_ring()[0])
    found = facts.machine_facts() | {
        "HMAC-SHA256": f"{hmac.median_us:.2f} µs ±{hmac.spread:.0%} for 400 bytes, hmac.digest",
        "signing input": f"{len(message)} bytes with HS256",
        "effort": f"{effort.rounds} rounds, samples of {effort.sample_ms:g} ms",
    }
    report.data["facts"], report.data["missing"] = found, list(missing)
    report.show(tables.facts_table(found, missing), tables.limits_table(targets.judge({}, None, hmac)))
    return hmac


def _race(report: Report, operation: str, peers: Sequence[Peer], effort: Effort) -> list[Row]:
    if operation == "decrypt":
        rows = [race_decrypt(alg, enc, peers, effort) for alg, enc in ENCRYPTIONS]
    else:
        race = race_verify if operation == "verify" else race_sign
        rows = [race(alg, peers, effort) for alg in SIGNATURES]
    report.data[operation] = [_row(row) for row in rows]
    names = [OURS, *(peer.name for peer in peers if peer.name != OURS)]
    report.show(*tables.race_tables(operation, rows, names))
    return rows


def _refusals(report: Report, peers: Sequence[Peer]) -> None:
    refused, failures = probe(peers)
    report.data["refusals"] = {"refused": refused, "failures": failures}
    report.show(tables.refusal_table(refused, failures))


def _imports(report: Report, peers: Mapping[str, Peer], runs: int) -> Row:
    row = time_imports(list(peers.values()), runs)
    report.data["imports"] = _row(row)
    report.show(tables.import_table(row))
    return row


def _memory(report: Report, peers: Mapping[str, Peer], count: int) -> None:
    weights = weigh_all(list(peers), count=count)
    report.data["memory"] = _weights(weights, peers)
    report.show(tables.memory_table(weights, {module: peer.name for module, peer in peers.items()}))


def _row(row: Row) -> dict[str, Any]:
    ours, bare = row.timing(OURS), targets.bare_of(row)
    contenders = [
        {
            "name": timing.name,
            "note": timing.note,
            "median_us": timing.median_us,
            "spread": timing.spread,
            "times_ours": ours and timing.ratio_to(ours),
            "beyond_bare_us": bare and timing.beyond(bare),
            "samples_us": timing.samples_us,
        }
        for timing in row.timings
    ]
    return {"label": row.label, "contenders": contenders, "failures": row.failures}


def _weights(weights: Weights, peers: Mapping[str, Peer]) -> list[dict[str, Any]]:
    return [
        {"name": peers[module].name, "subject": subject}
        | (asdict(weight) if isinstance(weight, Weight) else {"failure": weight})
        for (module, subject), weight in weights.items()
    ]
