"""What the figures say, in sentences. Each is worked out from the report: none praises who did not win.

Whoever is called cheapest, smallest or soonest is so by the median, and only if its quartiles do not overlap with those
of the next one; otherwise both are named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from ..model import Report, Sample

__all__ = ["Entry", "best_of", "entries", "order_of", "own_against_others", "times", "together"]

OWN: Final = "coatcheck"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One design in one discipline, in which less is better.

    Attributes:
        name: Its name.
        family: Its kind.
        middle: Its figure, by which it is ranked.
        low: The lower end of what it may well be.
        high: The upper end.
    """

    name: str
    family: str
    middle: float
    low: float
    high: float


def entries(report: Report, samples: Mapping[str, Sample]) -> list[Entry]:
    """Return an entry for each design that has a sample, the least median first."""
    known = {design.id: design for design in report.designs}
    found = [
        Entry(
            name=known[key].name if key in known else key,
            family=known[key].family if key in known else "revocation",
            middle=sample.median,
            low=sample.first_quartile,
            high=sample.third_quartile,
        )
        for key, sample in samples.items()
    ]
    return order_of(found)


def order_of(found: Sequence[Entry]) -> list[Entry]:
    """Return them with the least first; those that are alike stay in their order."""
    return sorted(found, key=lambda entry: entry.middle)


def best_of(found: Sequence[Entry]) -> list[Entry]:
    """Return the first of an ordered list, and all whose quartiles overlap with its own."""
    return [entry for entry in found if entry is found[0] or entry.low <= found[0].high]


def together(names: Sequence[str]) -> str:
    """Return names as a list in a sentence: ``A, B and C``; with semicolons if a name has a comma in it."""
    if not names:
        return ""
    comma, last = (
        ("; ", "; and ") if len(names) > 1 and any("," in name for name in names) else (", ", " and ")
    )
    return last.join(filter(None, (comma.join(names[:-1]), names[-1])))


def times(ratio: float) -> str:
    """Return how many times as much: ``1.4 times``, ``83 times``, ``12,000 times``."""
    digits = f"{ratio:.1f}" if ratio < 9.95 else f"{float(f'{ratio:.2g}'):,.0f}"
    return f"{digits.removesuffix('.0')} times"


def own_against_others(
    found: Sequence[Entry], say: Callable[[float], str], *, verb: str, measured: bool = True
) -> str:
    """Return where the best of Coatcheck stands: ahead, level or behind, with both figures.

    Args:
        found: In order.
        say: How a figure is said.
        verb: What it does, as in "takes 3 µs".
        measured: Whether the figures have a spread; what is counted is just alike or not.
    """
    own = next((entry for entry in found if entry.family == OWN), None)
    other = next((entry for entry in found if entry.family != OWN), None)
    if own is None or other is None:
        return ""
    both = f"{own.name} {verb} {say(own.middle)}; {other.name}, the best of the others, {say(other.middle)}"
    if own.high < other.low:
        return f"{both}: here Coatcheck is ahead."
    if other.high < own.low:
        return f"{both}: here Coatcheck is not the best."
    if measured:
        return f"{both}. Their quartiles overlap, so this run does not tell them apart."
    return f"{both}: here they are alike."
