"""Figures as text for whoever scrapes them: the format of Prometheus, version 0.0.4, and OpenMetrics 1.0."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

__all__ = ["OPENMETRICS_TYPE", "TEXT_TYPE", "Family", "Sample", "number", "write"]

TEXT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"

_IN_LABEL: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_IN_HELP: Final = str.maketrans({"\\": r"\\", "\n": r"\n"})
_IN_HELP_OF_OPENMETRICS: Final = _IN_LABEL


class Sample(msgspec.Struct, frozen=True):
    """One line.

    Attributes:
        value: The figure.
        labels: Names and values, in the order in which they are written.
        suffix: What follows the name of the family in a histogram: ``_bucket``, ``_sum`` or ``_count``.
    """

    value: float
    labels: tuple[tuple[str, str], ...] = ()
    suffix: str = ""


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """All lines of one name.

    Attributes:
        name: The name, that of a counter without ``_total``.
        kind: What it is.
        meaning: One sentence.
        samples: Its lines.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    samples: Sequence[Sample]


def write(families: Iterable[Family], *, openmetrics: bool = False) -> str:
    """Return the figures as text.

    Args:
        families: What to write.
        openmetrics: Whether as ``OPENMETRICS_TYPE``; by default as ``TEXT_TYPE``.
    """
    lines: list[str] = []
    for family in families:
        total = "_total" if family.kind == "counter" else ""
        # OpenMetrics names the family, the older format the lines.
        named = family.name if openmetrics else family.name + total
        meaning = family.meaning.translate(_IN_HELP_OF_OPENMETRICS if openmetrics else _IN_HELP)
        lines += (f"# HELP {named} {meaning}", f"# TYPE {named} {family.kind}")
        lines += (
            f"{family.name}{total}{each.suffix}{_labels(each.labels)} {number(each.value)}"
            for each in family.samples
        )
    if openmetrics:
        lines.append("# EOF")
    return "\n".join(lines) + "\n"


def number(value: float) -> str:
    """Return a figure as both formats write it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(float(value))


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{value.translate(_IN_LABEL)}"' for name, value in labels) + "}"
