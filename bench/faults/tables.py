"""The faults suite's results as tables of text."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Sequence

from bench.faults.probing import BOUND
from bench.faults.stage import CLIENTS, Outcome
from bench.scale.engines import program
from bench.tables import NOTHING, Table

_MOST = 12


def stores() -> str:
    """The versions of the servers."""
    commands = [[program("postgres"), "--version"], ["redis-server", "--version"]]
    found = []
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 -- see above
            found.append(" ".join(done.stdout.split()[:4]))
        except (OSError, subprocess.CalledProcessError):
            found.append(f"no {command[0]}")
    return ", ".join(found)


def outcome_tables(outcomes: Sequence[Outcome]) -> list[Table]:
    """What was lost, how clients were answered, and what was looked for."""
    return [_lost(outcomes), _answers(outcomes), _strange(outcomes)]


def _lost(outcomes: Sequence[Outcome]) -> Table:
    lines = []
    for each in outcomes:
        journal = each.journal
        lines.append(
            [
                each.name,
                str(sum(journal.acknowledged.values())),
                str(sum(journal.checked.values())),
                str(len(journal.lost)),
                str(len(journal.broken)),
                str(len(journal.came_back)),
                f"{journal.longest_stale:.2f}",
                str(len(journal.refused_good)),
                NOTHING if each.back_after_s is None else f"{each.back_after_s:.2f}",
                f"{each.gap_s:.2f}",
            ]
        )
    header = [
        "",
        "acknowledged",
        "looked for",
        "lost",
        "families broken",
        "accepted again",
        "stale, s",
        "refused though good",
    ]
    header += ["back after, s", "longest gap, s"]
    notes = [
        (
            f"{CLIENTS} clients. Acknowledged: sign-ups, accounts, sign-ins, refreshes, code exchanges, sign-outs and "
            "revocations. Looked for: in the end, at every node."
        ),
        (
            f"Accepted again: a revoked credential, more than {BOUND:.0f} s after the answer, or in the end. Stale: "
            "how long after the answer to its revocation a credential was asked about and accepted at the latest."
        ),
        (
            "Refused though good: sessions and codes that should have been taken at that moment. Back after: from the "
            "end of the fault to the next write that succeeded. Longest gap: in which no write of anybody succeeded."
        ),
    ]
    return Table(
        "Faults: what was lost",
        header,
        lines,
        notes + [f"{o.name} FAILED: {o.failure}" for o in outcomes if o.failure],
    )


def _answers(outcomes: Sequence[Outcome]) -> Table:
    kinds = ("ok", "refused", "503", "balancer", "no answer")
    lines = [
        [
            each.name,
            *(str(each.journal.answers[kind]) for kind in kinds),
            str(sum(each.journal.strange.values())),
            str(sum(each.tracebacks.values())),
            str(each.journal.late),
        ]
        for each in outcomes
    ]
    header = [
        "",
        "success",
        "4xx",
        "503 designed",
        "502/504 nginx",
        "no answer",
        "other",
        "tracebacks",
        "late",
    ]
    notes = [
        "Late: families whose client could not ask again within the ten seconds in which it gets the same answer.",
    ]
    return Table("Faults: what clients were answered", header, lines, notes)


def _strange(outcomes: Sequence[Outcome]) -> Table:
    lines = []
    for each in outcomes:
        journal = each.journal
        kinds = (
            ("answer", journal.strange),
            ("lost", Counter(journal.lost)),
            ("broken", Counter(journal.broken)),
            ("refused though good", Counter(journal.refused_good)),
        )
        for kind, found in (*kinds, ("accepted", Counter(journal.came_back)), ("log", each.tracebacks)):
            lines += [[each.name, kind, str(count), what] for what, count in found.most_common(_MOST)]
    return Table("Faults: what should not have been", ["", "kind", "times", "what"], lines)
