"""What coatcheck means to reach, and whether this run shows it. Never a test: machines differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.bare import CRYPTOGRAPHY, STDLIB
from bench.harness import Row, Timing
from bench.importing import PRIMITIVES
from bench.material import SIGNATURES
from bench.peers.base import OURS

_OVERHEAD_US = 3.0
_REFERENCE_HMAC_US = 1.5
_IMPORT_MS = 60.0
_RATIOS = (
    ("verify", "HS256", 3.5),
    ("sign", "HS256", 3.0),
    ("verify", "RS256", 1.6),
    ("verify", "ES256", 1.35),
)


@dataclass(frozen=True)
class Target:
    """A limit, and the figure of this run once there is one."""

    what: str
    limit: float
    unit: str
    sense: Literal["at most", "at least"]
    figure: float | None = None

    @property
    def wanted(self) -> str:
        """The limit in words."""
        return f"{self.sense} {self.limit:.2f} {self.unit}"

    @property
    def verdict(self) -> str:
        """``met``, ``missed``, or that it was not measured."""
        if self.figure is None:
            return "not measured"
        met = self.figure <= self.limit if self.sense == "at most" else self.figure >= self.limit
        return "met" if met else "missed"


def overhead_limit(hmac: Timing) -> float:
    """Microseconds allowed beyond the bare primitive, scaled to this machine's speed."""
    return _OVERHEAD_US * hmac.median_us / _REFERENCE_HMAC_US


def judge(races: dict[str, list[Row]], imports: Row | None, hmac: Timing) -> list[Target]:
    """Every target with the figure the races and the imports give it."""
    limit = overhead_limit(hmac)
    verify = {row.label: row for row in races.get("verify", [])}
    judged = [
        Target(f"{alg} verify beyond the bare primitive", limit, "µs", "at most", _overhead(verify.get(alg)))
        for alg in SIGNATURES
    ]
    for operation, alg, ratio in _RATIOS:
        row = next((row for row in races.get(operation, []) if row.label == alg), None)
        what = f"{alg} {operation} against the fastest peer"
        judged.append(Target(what, ratio, "times as fast", "at least", _lead(row)))
    what = "import coatcheck.jose beyond cryptography and its primitives"
    judged.append(Target(what, _IMPORT_MS, "ms", "at most", _import_cost(imports)))
    return judged


def bare_of(row: Row) -> Timing | None:
    """The fastest bare way to do the row's work."""
    bare = [timing for timing in row.timings if timing.name in {CRYPTOGRAPHY, STDLIB}]
    return min(bare, key=lambda timing: timing.median_us, default=None)


def peers_of(row: Row) -> Sequence[Timing]:
    """The other libraries in the row."""
    return [timing for timing in row.timings if timing.name not in {OURS, CRYPTOGRAPHY, STDLIB}]


def _overhead(row: Row | None) -> float | None:
    if row is None or (ours := row.timing(OURS)) is None or (bare := bare_of(row)) is None:
        return None
    return ours.beyond(bare)


def _lead(row: Row | None) -> float | None:
    if row is None or (ours := row.timing(OURS)) is None:
        return None
    return min((peer.ratio_to(ours) for peer in peers_of(row)), default=None)


def _import_cost(imports: Row | None) -> float | None:
    if imports is None or (ours := imports.timing(OURS)) is None:
        return None
    bare = imports.timing(PRIMITIVES)
    return None if bare is None else ours.beyond(bare) / 1_000
