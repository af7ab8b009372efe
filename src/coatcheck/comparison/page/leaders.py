"""Who is first in each discipline, in three large figures, and where Coatcheck is if it is not first."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..model import Report
from ..plots.markup import Markup, element
from .parts import name_of
from .saying import say_octets, say_seconds
from .wording import OWN, Entry, best_of, entries, order_of, together

__all__ = ["leaders"]


def leaders(report: Report) -> Markup:
    """Return a list of those who are first: by size, by the cost of a check, by the time until access ends."""
    sizes = [(name_of(report, size.design), size.line_octets) for size in report.sizes]
    disciplines: list[tuple[str, list[Entry], Callable[[float], str]]] = [
        (
            "Least with each request",
            order_of([Entry(name=d.name, family=d.family, middle=n, low=n, high=n) for d, n in sizes]),
            say_octets,
        ),
        (
            "Cheapest to check again",
            entries(report, {check.design: check.warm for check in report.checks}),
            say_seconds,
        ),
        (
            "Soonest refused after sign-out",
            entries(report, {each.design: each.sample for each in report.windows if each.sample is not None}),
            say_seconds,
        ),
    ]
    items = [_leader(title, found, say) for title, found, say in disciplines if found]
    return element("ul", *items, class_="leaders") if items else Markup()


def _leader(title: str, found: Sequence[Entry], say: Callable[[float], str]) -> Markup:
    best = best_of(found)
    parts = [
        element("span", title, class_="discipline"),
        element("strong", say(found[0].middle)),
        element("span", together([entry.name for entry in best])),
    ]
    own = next(((place, entry) for place, entry in enumerate(found, start=1) if entry.family == OWN), None)
    if own is not None and own[1] not in best:
        text = f"{own[1].name}: {say(own[1].middle)}, place {own[0]} of {len(found)}"
        parts.append(element("span", text, class_="behind"))
    return element("li", *parts)
