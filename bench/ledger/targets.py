"""What the ledger suite means to show, and whether this run shows it. Never a test: machines differ."""

from __future__ import annotations

from bench.harness import Row
from bench.ledger import verifying
from bench.ledger.delay import Delays, quantile
from bench.ledger.faults import Faults
from bench.ledger.routes import OURS_FASTAPI, Calls
from bench.targets import Target

_WARM_US = 1.5
_P50_MS, _P99_MS = 5.0, 50.0
LIMITS_MS = (_P50_MS, _P99_MS)
_NOISE = 1.1
_PEER = "better-auth-server, cookie cache"


def judge(row: Row | None, calls: Calls | None, delays: Delays | None, faults: Faults | None) -> list[Target]:
    """Every target with this run's figure."""
    hmac = row.timing(verifying.HMAC) if row else None
    limit = max(_WARM_US, hmac.median_us) if hmac else _WARM_US
    many = row.timing(verifying.WARM_MANY) if row else None
    few = row.timing(verifying.WARM_FEW) if row else None
    judged = [
        Target(
            "a token seen before, a million entries", limit, "µs", "at most", many.median_us if many else None
        ),
        Target(
            "a million entries against ten",
            _NOISE,
            "times as long",
            "at most",
            many.ratio_to(few) if many and few else None,
        ),
        Target(f"route: {OURS_FASTAPI}, against {_PEER}", 1.0, "times as long", "at most", _route(calls)),
    ]
    for part, most in ((0.5, _P50_MS), (0.99, _P99_MS)):
        figure = quantile(delays.delays_ms, part) if delays and delays.delays_ms else None
        judged.append(Target(f"revoke to refuse: {part:.0%} within", most, "ms", "at most", figure))
    counted = (
        ("revoke to refuse: lost", delays.lost + delays.came_back if delays else None),
        ("faults: lost", faults.lost if faults else None),
        ("faults: accepted again after a refusal", faults.came_back if faults else None),
        ("faults: accepted against max_staleness", faults.forbidden if faults else None),
    )
    judged += [Target(what, 0, "", "at most", figure) for what, figure in counted]
    return judged


def _route(calls: Calls | None) -> float | None:
    if calls is None:
        return None
    ours, peer = calls.row.timing(OURS_FASTAPI), calls.row.timing(_PEER)
    return ours.ratio_to(peer) if ours and peer else None
