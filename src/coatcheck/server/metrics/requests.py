"""Counting requests: what it costs every one of them, so there is nothing here that could be spared.

No text of a client becomes a label: what is none of the known paths, or none of the known methods, is ``other``.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from typing import Final

from starlette.routing import compile_path

from .catalogue import BUCKETS
from .snapshots import Bins, Point

__all__ = ["OTHER", "RequestCounts", "Templates", "method_label"]

OTHER: Final = "other"
"""What is none of those that have a name here."""

_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


class Templates:
    """Finds the template that a path belongs to, among those that there are."""

    def __init__(self, templates: Iterable[str]) -> None:
        """Take them, with ``{…}`` for what varies."""
        self._fixed: dict[str, str] = {}
        self._varying = []
        for template in templates:
            pattern, _, convertors = compile_path(template)
            if convertors:
                self._varying.append((pattern, template))
            else:
                self._fixed[template] = template

    def of(self, path: str) -> str:
        """Return the template of a path; ``OTHER`` if it has none."""
        fixed = self._fixed.get(path)
        if fixed is not None:
            return fixed
        return next((template for pattern, template in self._varying if pattern.match(path)), OTHER)


class _Histogram:
    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.total = 0.0


class RequestCounts:
    """The requests of one process, counted.

    Attributes:
        in_progress: How many are being answered.
    """

    def __init__(self) -> None:
        self.in_progress: int = 0
        self._counts: dict[tuple[str, str, int], int] = {}
        self._histograms: dict[str, _Histogram] = {}

    def answered(self, route: str, method: str, *, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            route: The template of its path.
            method: Its method.
            status: What it was answered with.
            seconds: After how long.
        """
        key = (route, method, status // 100)
        counts = self._counts
        try:
            counts[key] += 1
        except KeyError:
            self._first(key)
        histogram = self._histograms[route]
        histogram.counts[bisect_left(BUCKETS, seconds)] += 1
        histogram.total += seconds

    def _first(self, key: tuple[str, str, int]) -> None:
        self._counts[key] = 1
        self._histograms.setdefault(key[0], _Histogram())

    def points(self) -> list[Point]:
        """Return the counts, by route, method and class of status."""
        return [
            Point((route, method, f"{status}xx"), count)
            for (route, method, status), count in self._counts.items()
        ]

    def bins(self) -> list[Bins]:
        """Return how long they took, by route."""
        return [Bins((route,), tuple(each.counts), each.total) for route, each in self._histograms.items()]


def method_label(method: str) -> str:
    """Return a method as a label."""
    return method if method in _METHODS else OTHER
