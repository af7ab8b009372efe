"""The scale suite's results as tables of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.ledger.delay import quantile
from bench.scale.growth import FIRST_CHECK, Size
from bench.scale.load import KINDS, Figures, Run, middle
from bench.scale.operations import OPERATIONS
from bench.scale.plans import Plan
from bench.scale.revocation import Delays
from bench.tables import NOTHING, Table, number

ONE_SQLITE, WORKERS = "one node, SQLite", "one machine, SQLite, 4 workers"
ONE, THREE = "one node, PostgreSQL", "three nodes, PostgreSQL"
WITH_REDIS = "three nodes, PostgreSQL and Redis"
_MB, _GB = 1e6, 1e9
_NO_PART = 0.005
_PAGES = 40
"""Statements that touch no more are not shown, but for these, which requests wait for most often."""
_HOT = {
    "sessions._FIND_BY_DIGEST",
    "sessions._FIND",
    "sessions._LIST",
    "sessions._ADD",
    "sessions._TOUCH",
    "sessions._DELETE",
    "users._FIND",
    "users._FIND_BY_EMAIL",
    "refresh_tokens._FIND",
    "refresh_tokens._ROTATE",
    "refresh_tokens._ADD",
    "refresh_tokens._FORGET",
    "throttles._READ",
    "ledger._APPEND",
    "ledger._LIST",
}


def load_tables(runs: Sequence[Run]) -> list[Table]:
    """Requests per second, latency, processor, and statements."""
    kinds = [kind for kind in KINDS if any(kind in run.figures for run in runs)]

    def table(title: str, cell: Callable[[Figures], str], *notes: str) -> Table:
        lines = [[run.name, *(_cell(run, kind, cell) for kind in kinds)] for run in runs]
        return Table(title, ["", *kinds], lines, notes)

    failures = [f"{run.name}, {kind} FAILED: {why}" for run in runs for kind, why in run.failures.items()]
    rates = table(
        "Load: requests per second, and p50 / p99 in milliseconds",
        lambda figures: (
            f"{_of(figures.per_second):.0f}  {number(_of(figures.p50_ms))} / {number(_of(figures.p99_ms))}"
        ),
        "16 connections of wrk. Nodes, balancer, stores and wrk share the processors of one machine: more nodes cannot "
        "bring more here. What scales is what a request costs, which the next tables show.",
        *failures,
    )
    return [
        rates,
        table(
            "Load: milliseconds of processor for one request: nodes + PostgreSQL + Redis + nginx",
            lambda figures: " + ".join(
                number(part)
                for part in map(
                    _of, (figures.node_ms, figures.postgres_ms, figures.redis_ms, figures.balancer_ms)
                )
                if part >= _NO_PART
            ),
        ),
        table(
            "Load: statements that PostgreSQL ran for one request, and commands of Redis",
            _asked,
            "By pg_stat_statements, BEGIN and COMMIT included; less what runs when nobody asks for anything: "
            + ", ".join(f"{run.name} {run.idle_statements:.1f}/s" for run in runs if run.idle_statements)
            + ".",
            *(f"Memory of {run.name}: {run.resident / _MB:.0f} MB." for run in runs),
        ),
    ]


def _asked(figures: Figures) -> str:
    if not figures.statements:
        return NOTHING
    commands = f" + {_of(figures.commands):.2f}" if figures.commands else ""
    return f"{_of(figures.statements):.2f}{commands}"


def _cell(run: Run, kind: str, cell: Callable[[Figures], str]) -> str:
    figures = run.figures.get(kind)
    if figures is None or not figures.per_second:
        return "FAILED" if kind in run.failures else NOTHING
    return cell(figures)


def _of(values: Sequence[float]) -> float:
    return middle(values) or 0.0


def growth_tables(sizes: Sequence[Size]) -> list[Table]:
    """Costs and sizes as sessions become more, and the plans at the largest."""
    tables = [_requests(sizes), _operations(sizes), _storage(sizes)]
    return tables + [table for size in sizes if size.plans for table in _plans(size)]


def _requests(sizes: Sequence[Size]) -> Table:
    kinds = [
        kind for kind in (KINDS[0], FIRST_CHECK, *KINDS[1:4]) if any(kind in s.run.figures for s in sizes)
    ]
    lines = [
        [
            f"{size.engine}, {size.sessions:,}",
            *(
                _cell(
                    size.run,
                    kind,
                    lambda figures: (
                        f"{_of(figures.per_second):.0f}/s  {number(_of(figures.node_ms) + _of(figures.postgres_ms))} ms"
                    ),
                )
                for kind in kinds
            ),
        ]
        for size in sizes
    ]
    failures = [f"{s.run.name}, {kind} FAILED: {why}" for s in sizes for kind, why in s.run.failures.items()]
    return Table(
        "Growth: requests per second of one node, and milliseconds of processor of node and PostgreSQL for one",
        ["sessions", *kinds],
        lines,
        ["Sign-in with argon2id at its least: what is left is ours.", *failures],
    )


def _operations(sizes: Sequence[Size]) -> Table:
    header = ["", *(f"{size.engine}, {size.sessions:,}" for size in sizes)]
    lines = []
    for name in OPERATIONS:
        cells = []
        for size in sizes:
            found = size.operations.get(name)
            if found is None:
                cells.append(NOTHING)
            else:
                spent = "" if found.postgres_ms is None else f" ({number(found.postgres_ms)})"
                cells.append(f"{number(found.milliseconds)}{spent}")
        lines.append([name, *cells])
    notes = [
        "In brackets: of PostgreSQL's processor, the mean. Writes wait for the disk, which takes as long as it likes."
    ]
    return Table("Growth: operations of the storage, ms, median of one after the other", header, lines, notes)


def _storage(sizes: Sequence[Size]) -> Table:
    lines = [
        [
            f"{size.engine}, {size.sessions:,}",
            f"{size.users:,}",
            f"{size.per_session:.0f}",
            *(
                f"{sum(size.tables[name]) / _GB:.2f}" if name in size.tables else NOTHING
                for name in ("sessions", "refresh_tokens", "users")
            ),
            NOTHING if size.remembered_bytes is None else f"{size.remembered_bytes:.0f}",
            f"{size.run.resident / _MB:.0f}",
            NOTHING if size.started_in_s is None else f"{size.started_in_s:.1f}",
            f"{size.filled_in_s:.0f}",
        ]
        for size in sizes
    ]
    header = ["sessions", "users", "octets each", "sessions, GB", "tokens, GB", "users, GB"]
    header += ["octets in a node", "node, MB", "node ready in, s", "filled in, s"]
    notes = [
        (
            "Octets each: on disk, with indexes; in SQLite of the whole file, users and tokens included. In a node: "
            "what it grows by for a session that it remembers, of which there are 10,000 at most."
        )
    ]
    return Table("Growth: on disk and in memory", header, lines, notes)


def _plans(size: Size) -> list[Table]:
    scanning = [plan for plan in size.plans if plan.scans]
    failed = [plan for plan in size.plans if plan.failure]
    worst = sorted(size.plans, key=lambda plan: -plan.buffers)
    shown = [plan for plan in worst if plan.buffers > _PAGES or plan.name in _HOT]
    others = max((plan.buffers for plan in worst if plan not in shown), default=0)
    lines = [_plan(plan) for plan in shown]
    notes = [
        (
            f"{len(size.plans)} statements; those not shown touch {others} pages at most. {len(scanning)} read a "
            f"large table as a whole, {sum(not plan.excused for plan in scanning)} of them without an excuse."
        ),
        *(f"{plan.name}: {plan.excused or 'NO EXCUSE'}: {plan.scans}" for plan in scanning),
        *(f"{plan.name} FAILED: {plan.failure}" for plan in failed),
    ]
    title = f"Plans at {size.sessions:,} sessions: EXPLAIN (ANALYZE, BUFFERS) of every statement"
    return [Table(title, ["statement", "scans", "pages", "ms"], lines, notes)]


def _plan(plan: Plan) -> list[str]:
    return [plan.name, plan.nodes or NOTHING, str(plan.buffers), f"{plan.milliseconds:.2f}"]


def revocation_table(found: Sequence[Delays]) -> Table:
    """Milliseconds from a sign-out at one node to the refusal at the others."""
    lines = [
        [
            each.what,
            str(each.sign_outs),
            *(
                number(quantile(sorted(each.delays_ms), part)) if each.delays_ms else NOTHING
                for part in (0.5, 0.99, 1)
            ),
            number(quantile(sorted(each.from_call_ms), 0.5)) if each.from_call_ms else NOTHING,
            str(each.accepted_after),
            number(each.longest_ms),
            str(each.lost),
            str(each.unavailable),
            str(each.unanswered),
        ]
        for each in found
    ]
    header = [
        "",
        "sign-outs",
        "p50",
        "p99",
        "max",
        "from the call, p50",
        "accepted after",
        "last, ms after",
        "lost",
    ]
    header += ["503", "no answer"]
    notes = [
        (
            "Of three nodes, two others are asked again and again by cookie, each on a connection of its own. The time "
            "is from the answer to the sign-out to the first refusal. Accepted after: answers 200 to requests made "
            "after it was answered; last: how long after it the last of them was made."
        ),
        "Paused: the time is from SIGCONT; the request lay there before.",
        *(f"{each.what}: other answers: {each.strange}" for each in found if each.strange),
    ]
    return Table("Sign-out at one node: ms until the others refuse", header, lines, notes)
