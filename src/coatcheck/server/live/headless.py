"""The same demonstration without a page: so many rounds, and the figures."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

import msgspec

from ...identity import Client
from .observation import Observed
from .stage import Stage

__all__ = ["Figures", "Round", "play"]

_TERMINAL = Client(address="127.0.0.1", user_agent="Coatcheck demonstration, a terminal")

Round = list[Observed]


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """How soon one service refused one kind of credential, over all rounds. Times are milliseconds.

    Attributes:
        service: The service.
        credential: The credential.
        rounds: How many sessions were ended.
        refused: After how many of them the service refused.
        median_ms: Half of them at most after this time.
        p99_ms: 99 of 100 at most after this time.
        slowest_ms: All.
        accepted_before: How many answers before the orders said yes, in all.
    """

    service: str
    credential: str
    rounds: int
    refused: int
    median_ms: float
    p99_ms: float
    slowest_ms: float
    accepted_before: int


async def play(stage: Stage, *, rounds: int, on_round: Callable[[int], None]) -> list[Figures]:
    """Sign in and sign out everywhere, again and again.

    Args:
        stage: Who, and where.
        rounds: How often.
        on_round: Told after each.

    Raises:
        CoatcheckError: If a service does not answer.
    """
    seen: dict[tuple[str, str], Round] = {}
    for number in range(rounds):
        await stage.sign_in(_TERMINAL)
        for observed in await stage.sign_out_everywhere():
            seen.setdefault((observed.service, observed.credential), []).append(observed)
        on_round(number + 1)
    return [_figures(observations) for observations in seen.values()]


def _figures(observations: Sequence[Observed]) -> Figures:
    times = sorted(1000 * each.refused_after for each in observations if each.refused_after is not None)
    return Figures(
        service=observations[0].service,
        credential=observations[0].credential,
        rounds=len(observations),
        refused=len(times),
        median_ms=statistics.median(times) if times else 0.0,
        p99_ms=times[min(len(times) - 1, int(0.99 * len(times)))] if times else 0.0,
        slowest_ms=times[-1] if times else 0.0,
        accepted_before=sum(each.accepted_before for each in observations),
    )
