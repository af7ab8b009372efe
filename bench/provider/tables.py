"""The provider suite's results as tables of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from bench.provider.code_flow import Ways
from bench.provider.contender import ENDPOINTS, Contender
from bench.provider.ours import Coatcheck
from bench.provider.peers import Panva
from bench.provider.throughput import Race
from bench.tables import NOTHING, Table, number

_MB = 1e6
_BUSY = 0.1


def throughput_table(race: Race, contenders: Sequence[Contender]) -> Table:
    """Requests per second of each endpoint."""
    lines = [
        [endpoint, contender.name, *_cells(race, endpoint, contender.name)]
        for endpoint in ENDPOINTS
        for contender in contenders
        if (endpoint, contender.name) in race.timings
    ]
    notes = [f"{contender.name}: {contender.about}" for contender in contenders]
    notes += [f"{name} FAILED: {why}" for name, why in race.failures.items()]
    if any(timing.spread > _BUSY for timing in race.timings.values()):
        notes.append("The machine was busy with something else: these figures mean little. Run it again.")
    header = ["", "", "requests/s", f"of {Panva.name}", "µs of the core", "p50 ms", "p99 ms"]
    return Table("One process, one core: 16 connections", header, lines, notes)


def _cells(race: Race, endpoint: str, name: str) -> list[str]:
    key = (endpoint, name)
    timing, ratio = race.timings[key], race.ratio(endpoint, name, Panva.name)
    return [
        f"{1e6 / timing.median_us:.0f} ±{timing.spread:.0%}",
        NOTHING if ratio is None else f"{ratio:.2f}",
        number(median(race.core_us[key])),
        number(median(race.p50_ms[key])),
        number(median(race.p99_ms[key])),
    ]


def memory_table(race: Race) -> Table:
    """Megabytes in memory."""
    lines = [
        [name, f"{before / _MB:.0f}", f"{race.resident_after[name] / _MB:.0f}"]
        for name, before in race.resident_before.items()
        if name in race.resident_after
    ]
    return Table("Memory: resident MB", ["", "after the first answers", "after all of the above"], lines)


def flow_table(found: Mapping[str, Ways | str]) -> Table:
    """What the way of a browser takes."""
    lines, notes = [], []
    for name, ways in found.items():
        if isinstance(ways, str):
            notes.append(f"{name} FAILED: {ways}")
            continue
        lines += [
            [
                name,
                what,
                str(ways.requests[what]),
                f"{ways.octets[what]}",
                number(median(times)),
                number(max(times)),
            ]
            for what, times in ways.milliseconds.items()
        ]
    if Coatcheck.name in found:
        notes.append(f"{Coatcheck.name} hashes the password with argon2id; {Panva.name}'s sign-in takes any.")
    header = ["", "", "requests", "octets", "ms, median", "ms, longest"]
    title = "The code flow in a browser, from the app's link to userinfo, without styles and images"
    return Table(title, header, lines, notes)
