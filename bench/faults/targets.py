"""What the faults suite means to show, and whether this run shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.faults.stage import Outcome
from bench.targets import Target


def judge(outcomes: Sequence[Outcome]) -> list[Target]:
    """Every target with this run's figure."""
    played = [each for each in outcomes if not each.failure]
    counts: Sequence[tuple[str, Callable[[Outcome], int]]] = (
        ("acknowledged writes that were lost", lambda each: len(each.journal.lost)),
        ("refresh families broken by our fault", lambda each: len(each.journal.broken)),
        ("revoked credentials accepted after the bound", lambda each: len(each.journal.came_back)),
        ("answers that were not designed", lambda each: sum(each.journal.strange.values())),
        ("tracebacks in logs", lambda each: sum(each.tracebacks.values())),
    )
    judged = [
        Target(f"faults: {what}", 0, "", "at most", float(sum(map(count, played))) if played else None)
        for what, count in counts
    ]
    failed = float(len(outcomes) - len(played))
    return [*judged, Target("faults: scenarios that could not be played", 0, "", "at most", failed)]
