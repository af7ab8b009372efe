"""Runs the benchmark: ``python -m bench [--quick] [--only PART ...] [--json FILE] [--markdown FILE]``."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
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
from bench.signatures import race_sign, race_verify

_RACES = ("verify", "sign", "decrypt")
_PARTS = (*_RACES, "refusals", "imports", "memory")


@dataclass
class Report:
    """What was found: shown as it comes, and kept for the files."""

    data: dict[str, Any] = field(default_factory=dict)
    shown: list[tables.Table] = field(default_factory=list)

    def show(self, *found: tables.Table) -> None:
        """Print tables and keep them."""
        for table in found:
            print(table.text(), flush=True)
        self.shown += found

    def write(self, json_file: Path | None, markdown_file: Path | None) -> None:
        """Write the files that were asked for."""
        if json_file:
            json_file.write_text(json.dumps(self.data, indent=1) + "\n", encoding="utf-8")
        if markdown_file:
            body = "\n".join(table.markdown() for table in self.shown)
            markdown_file.write_text(f"# Benchmark\n\n{body}", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for, print it and write it."""
    options = _options(arguments)
    started = time.monotonic()
    report, effort = Report(), QUICK if options.quick else FULL
    peers, missing = load_peers()
    hmac = _introduce(report, effort, missing)
    races = {
        operation: _race(report, operation, list(peers.values()), effort)
        for operation in _RACES
        if operation in options.only
    }
    if "refusals" in options.only:
        _refusals(report, list(peers.values()))
    imports = _imports(report, peers, 10 if options.quick else 20) if "imports" in options.only else None
    if "memory" in options.only:
        _memory(report, peers, 2_000 if options.quick else 10_000)
    judged = targets.judge(races, imports, hmac)
    report.data["targets"] = [asdict(target) | {"verdict": target.verdict} for target in judged]
    report.show(tables.targets_table(judged))
    print(f"{time.monotonic() - started:.0f} s")
    report.write(options.json, options.markdown)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="coatcheck beside its peers")
    parser.add_argument("--quick", action="store_true", help="a rough run of about 20 seconds")
    parser.add_argument("--only", nargs="+", choices=_PARTS, default=_PARTS, help="only these parts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample here")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables here")
    return parser.parse_args(arguments)


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


if __name__ == "__main__":
    main()
