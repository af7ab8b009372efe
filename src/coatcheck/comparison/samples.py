"""From figures to a sample: quartiles, and how noisy the rounds were."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median, quantiles

from .model import Sample

__all__ = ["make_sample", "scaled"]

_MOST_FIGURES = 400
_FEWEST_ROUNDS = 4
_FEW = 100


def make_sample(rounds: Sequence[Sequence[float]], *, calls: int | None = None) -> Sample:
    """Return what figures amount to.

    Args:
        rounds: The figures of each round, in seconds; a round without any does not count.
        calls: How many calls were timed, if that is more than there are figures.

    Raises:
        ValueError: If there is no figure at all.
    """
    kept = [each for each in rounds if each]
    figures = sorted(figure for each in kept for figure in each)
    if not figures:
        raise ValueError("nothing was measured")
    medians = tuple(median(each) for each in kept)
    first, middle, third = _quartiles(figures)
    return Sample(
        count=len(figures),
        calls=len(figures) if calls is None else calls,
        minimum=figures[0],
        first_quartile=first,
        median=middle,
        third_quartile=third,
        p99=figures[-1] if len(figures) < _FEW else figures[math.ceil(0.99 * len(figures)) - 1],
        maximum=figures[-1],
        noise=_noise(medians if len(medians) >= _FEWEST_ROUNDS else figures),
        rounds=medians,
        figures=_thinned(figures),
    )


def scaled(sample: Sample, factor: float) -> Sample:
    """Return a sample with all times multiplied."""
    return Sample(
        count=sample.count,
        calls=sample.calls,
        minimum=sample.minimum * factor,
        first_quartile=sample.first_quartile * factor,
        median=sample.median * factor,
        third_quartile=sample.third_quartile * factor,
        p99=sample.p99 * factor,
        maximum=sample.maximum * factor,
        noise=sample.noise,
        rounds=tuple(each * factor for each in sample.rounds),
        figures=tuple(each * factor for each in sample.figures),
    )


def _quartiles(figures: Sequence[float]) -> tuple[float, float, float]:
    if len(figures) == 1:
        return figures[0], figures[0], figures[0]
    first, middle, third = quantiles(figures, n=4, method="inclusive")
    return first, middle, third


def _noise(figures: Sequence[float]) -> float:
    first, middle, third = _quartiles(sorted(figures))
    return (third - first) / 2 / middle if middle > 0 else 0.0


def _thinned(figures: Sequence[float]) -> tuple[float, ...]:
    if len(figures) <= _MOST_FIGURES:
        return tuple(figures)
    step = (len(figures) - 1) / (_MOST_FIGURES - 1)
    return tuple(figures[round(place * step)] for place in range(_MOST_FIGURES))
