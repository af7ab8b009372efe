"""The ledger suite's results as tables of text."""

from __future__ import annotations

from collections.abc import Sequence

from bench.harness import Row
from bench.ledger import verifying
from bench.ledger.delay import Delays, quantile
from bench.ledger.faults import Faults
from bench.ledger.routes import CALLERS, Calls
from bench.ledger.sizes import Download, List
from bench.ledger.verifying import Sizes
from bench.ledger.watchers import BOUND
from bench.tables import NOTHING, Table, number

_MB = 1e6


def verifier_table(row: Row, length: int, sizes: Sizes | None) -> Table:
    """Microseconds a token, beside the bare HMAC of as many octets."""
    hmac = row.timing(verifying.HMAC)
    lines = [
        [
            timing.name,
            f"{number(timing.median_us)} ±{timing.spread:.0%}",
            NOTHING if hmac is None else f"{timing.ratio_to(hmac):.2f}",
        ]
        for timing in row.timings
    ]
    notes = [f"Tokens of {length} octets. Each call makes the text anew from octets, as a request does."]
    if sizes is not None:
        notes.append(
            f"Memory: {sizes.per_million / _MB:.0f} MB for a million entries, {sizes.per_token:.0f} octets for a "
            "token that is remembered."
        )
    notes += [f"{name} FAILED: {why}" for name, why in row.failures.items()]
    title = "Verifying: µs, median of the rounds ± half the interquartile range"
    return Table(title, ["", "µs", "of the bare HMAC"], lines, notes)


def route_table(calls: Calls) -> Table:
    """Microseconds a request, and whether whoever has signed out is still served."""
    lines = []
    for caller in CALLERS:
        timing, line = calls.row.timing(caller.name), calls.row.timing(caller.line)
        if timing is None:
            continue
        beyond = NOTHING if line is None or line is timing else number(timing.beyond(line))
        after = calls.after.get(caller.name)
        said = NOTHING if after is None else f"SERVED ({after})" if after == 200 else f"refused ({after})"
        lines.append([caller.name, f"{number(timing.median_us)} ±{timing.spread:.0%}", beyond, said])
    failures = [f"{name} FAILED: {why}" for name, why in calls.row.failures.items()]
    title = "The route in process: µs a request, and what whoever has signed out is answered"
    return Table(title, ["", "µs", "µs added", "after signing out"], lines, failures)


def delay_table(runs: Sequence[Delays]) -> Table:
    """Milliseconds from the call to revoke to the refusal."""
    lines = [
        [
            f"{run.verifiers} in {run.processes}, {run.revocations} revocations",
            *(number(quantile(run.delays_ms, part)) for part in (0.5, 0.9, 0.99, 1.0)),
            f"{run.lost} of {run.verifiers * run.revocations}",
            number(quantile(sorted(run.calls_ms), 0.5)),
            number(run.server_cpu_ms),
            f"{run.verifier_cpu_ms:.2f}",
        ]
        for run in runs
        if run.delays_ms
    ]
    header = [
        "verifiers, in processes",
        "p50",
        "p90",
        "p99",
        "max",
        "lost",
        "the call",
        "CPU, server",
        "CPU, a verifier",
    ]
    notes = ["CPU: for one revocation; the server's contains what it does between two."]
    return Table("From the call to sign out to the refusal: ms", header, lines, notes)


def fault_table(found: Faults) -> Table:
    """What came of each fault."""
    lines = [
        [
            fault.name,
            str(fault.revocations),
            "NEVER" if fault.recovered_s is None else f"{fault.recovered_s:.2f}",
        ]
        for fault in found.faults
    ]
    notes = [
        (
            f"{found.verifiers} verifiers, every second one with max_staleness={BOUND:.0f} s; {found.revocations} "
            f"revocations. The partition: {found.how}."
        ),
        (
            f"Lost: {found.lost}. Accepted again: {found.came_back}. Accepted longer than max_staleness allows: "
            f"{found.forbidden}."
        ),
        (
            f"The longest that a revoked token was accepted: {found.longest_bounded_s:.2f} s with a bound, "
            f"{found.longest_unbounded_s:.2f} s without."
        ),
    ]
    return Table("Faults", ["", "revocations", "s until all refuse"], lines, notes)


def size_tables(downloads: Sequence[Download], lists: Sequence[List]) -> list[Table]:
    """Octets."""
    first = [[each.what, *(str(count) for count in each.octets.values())] for each in downloads]
    second = [
        [
            each.what,
            str(each.revoked),
            str(each.octets),
            str(each.gzip_octets),
            f"{each.sign_ms:.2f}",
            f"{each.read_ms:.2f}",
        ]
        for each in lists
    ]
    return [
        Table(
            "What a verifier downloads: octets at its socket, headers and all", ["", "plain", "gzip"], first
        ),
        Table(
            "A status list of a million tokens, 1 % revoked",
            ["", "revoked", "octets", "with gzip", "ms to sign", "ms to read"],
            second,
        ),
    ]
