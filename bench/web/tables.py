"""The web suite's results as tables of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.harness import Row, Timing
from bench.tables import NOTHING, Table, number
from bench.web import added
from bench.web.contenders import LINE, Program
from bench.web.many_sessions import Crowd
from bench.web.signing_in import SignIns
from bench.web.starting import Starts
from bench.web.throughput import Race

_MB = 1e6
_BUSY = 0.1


def throughput_table(race: Race, programs: Sequence[Program]) -> Table:
    """Requests per second, and what part of the line that is."""
    lines = [
        [program.name, *_throughput(race, program)]
        for program in programs
        if program.name not in race.failures
    ]
    header = ["", "requests/s", f"of {LINE}", "of its own framework", "µs more", "p99 ms", "resident MB"]
    notes = _failures(race.failures)
    if any(timing.spread > _BUSY for timing in race.timings.values()):
        notes.append("The machine was busy with something else: these figures mean little. Run it again.")
    return Table("The same route: one process, one core", header, lines, notes)


def _throughput(race: Race, program: Program) -> list[str]:
    timing = race.timings[program.name]
    own = race.ratio(program.name, program.line)
    p99 = sorted(race.p99_ms[program.name])
    return [
        f"{1e6 / timing.median_us:.0f} ±{timing.spread:.0%}",
        _percent(race.ratio(program.name, LINE)),
        NOTHING if program.name == program.line else _percent(own),
        _beyond(timing, race.timings.get(program.line)),
        number(p99[len(p99) // 2]),
        f"{race.resident[program.name] / _MB:.0f}",
    ]


def added_table(row: Row) -> Table:
    """Microseconds in process."""
    line = row.timing(added.LINE)
    lines = []
    for timing in row.timings:
        alone = timing.name in {added.BARE_COOKIE, added.BARE_BEARER}
        lines.append(
            [
                timing.name,
                f"{number(timing.median_us)} ±{timing.spread:.0%}",
                NOTHING if alone else _beyond(timing, line),
            ]
        )
    title = "In process, without a network: µs, median of the rounds ± half the interquartile range"
    return Table(title, ["", "µs a call", "µs added"], lines, _failures(row.failures))


def sign_in_table(found: SignIns | str) -> Table:
    """Sign-ins per second, and argon2's part in them."""
    title = "Signing in with a password: one core, 16 at a time"
    header = ["", "a second", "argon2's share", "ms beyond argon2"]
    if isinstance(found, str):
        return Table(title, header, [], [f"coatcheck FAILED: {found}"])
    lines = [[f"{found.bare.name}, nothing else", _rate(found.bare), NOTHING, NOTHING]]
    lines += [
        [
            f"sign-in, answered with {timing.name}",
            _rate(timing),
            f"{1 / timing.ratio_to(found.bare):.1%}",
            number(timing.beyond(found.bare) / 1_000),
        ]
        for timing in found.sign_ins
    ]
    return Table(title, header, lines)


def starts_table(starts: Starts) -> Table:
    """Seconds from nothing to the first answer."""
    lines = [
        [
            name,
            f"{timing.median_us / 1e6:.2f} ±{timing.spread:.0%}",
            f"{starts.first_s[name]:.2f}",
            f"{starts.resident[name] / _MB:.0f}",
        ]
        for name, timing in starts.timings.items()
    ]
    title = "From the start of the process to the first answer"
    header = ["", "s", "s, the very first", "resident MB"]
    return Table(title, header, lines, _failures(starts.failures))


def crowd_table(crowd: Crowd | str) -> Table:
    """What many sessions take."""
    if isinstance(crowd, str):
        return Table("Many sessions", ["", ""], [], [f"coatcheck FAILED: {crowd}"])
    lines = [
        ["octets in the database for each", f"{crowd.per_session:.0f}"],
        ["resident MB without them", f"{crowd.resident_without / _MB:.0f}"],
        ["resident MB with them, unused", f"{crowd.resident_with / _MB:.0f}"],
        [
            f"resident MB after {_thousands(crowd.used)} of them were used",
            f"{crowd.resident_after / _MB:.0f}",
        ],
        ["requests/s, each with another session", f"{crowd.per_second:.0f}"],
    ]
    return Table(f"{_thousands(crowd.sessions)} sessions", ["", ""], lines)


def _thousands(count: int) -> str:
    return f"{count:,}".replace(",", " ")


def _rate(timing: Timing) -> str:
    return f"{1e6 / timing.median_us:.1f} ±{timing.spread:.0%}"


def _percent(ratio: float | None) -> str:
    return NOTHING if ratio is None else f"{ratio:.1%}"


def _beyond(timing: Timing, line: Timing | None) -> str:
    return NOTHING if line is None or line is timing else number(timing.beyond(line))


def _failures(failures: Mapping[str, str]) -> list[str]:
    return [f"{name} FAILED: {why}" for name, why in failures.items()]
