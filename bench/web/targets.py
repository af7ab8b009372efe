"""What the web suite means to show, and whether this run shows it. Never a test: machines differ."""

from __future__ import annotations

from bench.harness import Row
from bench.targets import Target
from bench.web import added
from bench.web.contenders import BEARER, COOKIE, LINE
from bench.web.starting import Starts
from bench.web.throughput import Race

_SHARE = 85.0
_ADDED_US = {added.COOKIE: 10.0, added.BEARER: 5.0}
_START_S = 1.0


def judge(race: Race | None, row: Row | None, starts: Starts | None) -> list[Target]:
    """Every target with this run's figure."""
    judged = [
        Target(f"{name}: requests/s", _SHARE, f"% of {LINE}", "at least", _share(race, name))
        for name in (COOKIE, BEARER)
    ]
    for name, limit in _ADDED_US.items():
        judged.append(Target(f"{name}: added in process", limit, "µs", "at most", _added(row, name)))
    what = f"{COOKIE}: start to first answer"
    judged.append(Target(what, _START_S, "s", "at most", _start(starts)))
    return judged


def _share(race: Race | None, name: str) -> float | None:
    ratio = race.ratio(name, LINE) if race else None
    return None if ratio is None else 100 * ratio


def _added(row: Row | None, name: str) -> float | None:
    if row is None or (line := row.timing(added.LINE)) is None or (timing := row.timing(name)) is None:
        return None
    return timing.beyond(line)


def _start(starts: Starts | None) -> float | None:
    timing = starts.timings.get(COOKIE) if starts else None
    return None if timing is None else timing.median_us / 1e6
