"""How quiet the machine was, and what that means for the figures."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Final

from .figures import say_count, say_share
from .model import Noise, Sample
from .samples import make_sample
from .timing import clock_resolution

__all__ = ["is_noisy", "noise_of"]

_QUIET, _NOISY = 0.05, 0.2
_LONG_TAIL: Final = 3.0


def noise_of(rounds: Sequence[Sequence[float]]) -> Noise:
    """Return what the yardstick tells.

    Args:
        rounds: What the same work took, in seconds, round by round.

    Raises:
        ValueError: If there is nothing.
    """
    sample = make_sample(rounds)
    third = max(1, len(sample.rounds) // 3)
    drift = median(sample.rounds[-third:]) / median(sample.rounds[:third]) - 1
    return Noise(
        resolution=clock_resolution(), yardstick=sample, drift=drift, verdict=_verdict(sample, drift)
    )


def is_noisy(noise: Noise) -> bool:
    """Tell whether only large differences mean anything."""
    return _worst(noise.yardstick, noise.drift) > _NOISY


def _worst(sample: Sample, drift: float) -> float:
    return max(sample.noise, abs(drift))


def _verdict(sample: Sample, drift: float) -> str:
    worst = _worst(sample, drift)
    said = f"the same work took {say_share(worst)} more or less from round to round"
    if worst <= _QUIET:
        verdict = f"The machine was quiet: {said}."
    elif worst <= _NOISY:
        verdict = f"The machine was somewhat busy: {said}. Differences smaller than that mean nothing."
    else:
        verdict = f"The machine was busy: {said}. Only large differences mean something; run it again on a quiet one."
    tail = sample.p99 / sample.median
    if tail > _LONG_TAIL:
        verdict += f" Now and then something else ran: one in a hundred took {say_count(tail)} times as long."
    return verdict
