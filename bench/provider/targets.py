"""What the provider suite means to show, and whether this run shows it. Never a test: machines differ."""

from __future__ import annotations

from bench.provider.contender import CREDENTIALS, DISCOVERY, INTROSPECTION, JWKS, REFRESH
from bench.provider.ours import Coatcheck
from bench.provider.peers import Panva
from bench.provider.throughput import Race
from bench.targets import Target

_RATIO = 1.2
_PER_SECOND = {CREDENTIALS: 8_000.0, REFRESH: 3_000.0}


def judge(race: Race | None) -> list[Target]:
    """Every target with this run's figure."""
    ours, panva = Coatcheck.name, Panva.name
    judged = [
        Target(what, limit, "a second", "at least", race.per_second(what, ours) if race else None)
        for what, limit in _PER_SECOND.items()
    ]
    for what in (CREDENTIALS, INTROSPECTION, JWKS, DISCOVERY):
        ratio = race.ratio(what, ours, panva) if race else None
        judged.append(Target(f"{what}, against {panva}", _RATIO, "times as many", "at least", ratio))
    return judged
