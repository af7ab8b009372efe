"""The figures of one process at one moment, as a value, and how those of several come together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

import msgspec

from ..._core.exposition import Family, Sample
from .catalogue import BUCKETS, CATALOGUE, Metric

__all__ = ["Bins", "Point", "Snapshot", "families", "merge", "only_counted"]

Labels = tuple[str, ...]


class Point(msgspec.Struct, frozen=True, array_like=True):
    """A figure of a counter or a gauge.

    Attributes:
        labels: The values of its labels.
        value: The figure.
    """

    labels: tuple[str, ...]
    value: float


class Bins(msgspec.Struct, frozen=True, array_like=True):
    """A histogram.

    Attributes:
        labels: The values of its labels.
        counts: How many were within each bound of ``BUCKETS`` and above the one before; last, beyond all.
        total: The sum of all.
    """

    labels: tuple[str, ...]
    counts: tuple[int, ...]
    total: float


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one process, or of several put together.

    Attributes:
        points: Counters and gauges by name.
        bins: Histograms by name.
    """

    points: dict[str, list[Point]] = {}
    bins: dict[str, list[Bins]] = {}


_KINDS: Final = {each.name: each.kind for each in CATALOGUE}
_ACROSS: Final = {each.name: each.across for each in CATALOGUE}
_BOUNDS: Final = (*map(repr, BUCKETS), "+Inf")


def only_counted(snapshot: Snapshot) -> Snapshot:
    """Return what stays true of a process that has ended: what it counted, and not how things stand with it."""
    points = {name: points for name, points in snapshot.points.items() if _KINDS.get(name) == "counter"}
    return Snapshot(points=points, bins=snapshot.bins)


def merge(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Put the figures of several processes together. Names that are in no catalogue are left out."""
    points: dict[str, dict[Labels, float]] = {}
    bins: dict[str, dict[Labels, Bins]] = {}
    for snapshot in snapshots:
        for name in snapshot.points.keys() & _ACROSS.keys():
            known = points.setdefault(name, {})
            for point in snapshot.points[name]:
                value, before = float(point.value), known.get(point.labels)
                known[point.labels] = value if before is None else _together(name, before, value)
        for name, histograms in snapshot.bins.items():
            together = bins.setdefault(name, {})
            for each in histograms:
                earlier = together.get(each.labels)
                together[each.labels] = each if earlier is None else _added(earlier, each)
    return Snapshot(
        points={
            name: [Point(labels, value) for labels, value in known.items()] for name, known in points.items()
        },
        bins={name: list(together.values()) for name, together in bins.items()},
    )


def families(snapshot: Snapshot) -> list[Family]:
    """Return the figures as they are written, in the order of the catalogue."""
    return [
        Family(name=metric.name, kind=metric.kind, meaning=metric.meaning, samples=samples)
        for metric in CATALOGUE
        if (samples := _samples(metric, snapshot))
    ]


def _together(name: str, one: float, other: float) -> float:
    across = _ACROSS[name]
    if across == "sum":
        return one + other
    return max(one, other) if across == "max" else min(one, other)


def _added(one: Bins, other: Bins) -> Bins:
    counts = tuple(a + b for a, b in zip(one.counts, other.counts, strict=True))
    return Bins(one.labels, counts, one.total + other.total)


def _samples(metric: Metric, snapshot: Snapshot) -> Sequence[Sample]:
    if metric.kind == "histogram":
        each = sorted(snapshot.bins.get(metric.name, ()), key=lambda bins: bins.labels)
        return [sample for bins in each for sample in _lines(metric, bins)]
    points = sorted(snapshot.points.get(metric.name, ()), key=lambda point: point.labels)
    return [Sample(each.value, _named(metric, each.labels)) for each in points]


def _lines(metric: Metric, bins: Bins) -> Iterable[Sample]:
    labels, count = _named(metric, bins.labels), 0
    for bound, count in zip(_BOUNDS, accumulate(bins.counts), strict=True):
        yield Sample(count, (*labels, ("le", bound)), "_bucket")
    yield Sample(bins.total, labels, "_sum")
    yield Sample(count, labels, "_count")


def _named(metric: Metric, labels: Labels) -> tuple[tuple[str, str], ...]:
    return tuple(zip(metric.labels, labels, strict=True))
