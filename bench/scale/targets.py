"""What the scale suite means to show, and whether this run shows it. Never a test: machines differ."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bench.ledger.delay import quantile
from bench.scale.growth import Size
from bench.scale.load import Figures, Run, middle
from bench.scale.operations import OPERATIONS
from bench.scale.requests import CHECK
from bench.scale.revocation import Delays
from bench.scale.tables import THREE
from bench.targets import Target

_FLAT = 1.2
_P50_MS, _P99_MS = 5.0, 50.0
_NO_STATEMENT = 0.01


def judge(runs: Sequence[Run], grown: Sequence[Size], delays: Sequence[Delays]) -> list[Target]:
    """Every target with this run's figure."""
    three = next((run.figures.get(CHECK) for run in runs if run.name == THREE), None)
    asked = middle(three.statements) if three else None
    judged = [Target("a session check: statements of the store", _NO_STATEMENT, "", "at most", asked)]
    postgres = [size for size in grown if size.engine == "PostgreSQL"]
    judged += [*_requests(postgres), *_operations(postgres)]
    plans = [plan for size in postgres for plan in size.plans]
    scans = float(sum(bool(plan.scans) and not plan.excused for plan in plans)) if plans else None
    judged.append(Target("statements that read a large table as a whole", 0, "", "at most", scans))
    for each in delays:
        if len(each.delays_ms) > 1 and ":" not in each.what:
            ordered = sorted(each.delays_ms)
            judged += [
                Target(
                    f"{each.what}: {part:.0%} refuse within", limit, "ms", "at most", quantile(ordered, part)
                )
                for part, limit in ((0.5, _P50_MS), (0.99, _P99_MS))
            ]
    lost = float(sum(each.lost for each in delays)) if delays else None
    judged.append(Target("revocation across nodes: lost", 0, "", "at most", lost))
    return judged


def _requests(sizes: Sequence[Size]) -> list[Target]:
    judged = []
    for one, other in pairwise(sizes):
        kinds = [kind for kind in one.run.figures if kind in other.run.figures]
        ratios = [
            _cost(other.run.figures[kind]) / _cost(one.run.figures[kind])
            for kind in kinds
            if _cost(one.run.figures[kind])
        ]
        what = f"growth {one.sessions:,} to {other.sessions:,}: dearest request"
        judged.append(Target(what, _FLAT, "times as dear", "at most", max(ratios, default=None)))
    return judged


def _operations(sizes: Sequence[Size]) -> list[Target]:
    judged = []
    for one, other in pairwise(sizes):
        ratios = [
            (other.operations[name].postgres_ms or 0.0) / (one.operations[name].postgres_ms or 1.0)
            for name in OPERATIONS
            if name in one.operations and name in other.operations
        ]
        what = f"growth {one.sessions:,} to {other.sessions:,}: dearest operation, PostgreSQL's processor"
        judged.append(Target(what, _FLAT, "times as dear", "at most", max(ratios, default=None)))
    return judged


def _cost(figures: Figures) -> float:
    return (middle(figures.node_ms) or 0.0) + (middle(figures.postgres_ms) or 0.0)
