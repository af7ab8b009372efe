"""All windows, as rows of the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import httpx
import msgspec

from ...server.live.processes import services_running
from ..designs import WAYS, asked_each_time, denylist_in
from ..ground import Ground
from ..model import Design, Event, Load, Window
from ..samples import make_sample, scaled
from ..stores.base import Line, Store
from .holders import Holder, observe_together
from .ledger import Introspector, across_services, in_one_process
from .lifetimes import (
    ACCESS,
    CACHED,
    SIGNED_IN,
    Lifetime,
    Tickets,
    kept_answers,
    refreshed,
    until_expiry,
)
from .stored import denylisted, looked_up, measure

__all__ = ["EVENTS", "Extent", "Windows", "designs_of", "steps_of"]

EVENTS: Final[tuple[Event, ...]] = ("revoked", "role removed")
_SERVICES: Final = ("orders", "invoices")
_LONG_ENOUGH: Final = 3600.0
_SECONDS_TO_ANSWER: Final = 10.0

_HOW: Final = {
    "expiry-only": "Tokens are verified again and again; the order comes at moments evenly spread over their life.",
    "refresh": "The same, with short tokens; whoever holds one refreshes it where the server looks into SQLite.",
    "introspection-cached": "A service asks the server over HTTP on this machine, and again when its answer is old.",
    "introspection": "A service asks the server over HTTP on this machine with each request.",
    "ledger-process": "The server's own check of a cookie, while the same process gives the order; commit included.",
    "ledger-services": (
        "Two services, each a process of its own, are asked over HTTP with a cookie and a token while the server gives "
        "the order; commit, feed and request included."
    ),
    "denylist": "Every half millisecond a token is verified and looked for in the list; another connection adds it.",
    "session": "Every half millisecond a session is looked up; another connection removes or changes it.",
}
_HOW_STALE_DENYLIST: Final = (
    "A list of revoked tokens says nothing about roles, so that short tokens keep theirs until they are refreshed: "
    "the figures are those of refreshing."
)


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured.

    Attributes:
        lifetime: What stands for the lifetimes.
        rounds: How many credentials, where no lifetime decides.
    """

    lifetime: Lifetime
    rounds: int


def designs_of(stores: Sequence[Store]) -> tuple[Design, ...]:
    """Return the designs that there are windows of, with these stores."""
    asked = [make(each.kind, each.name) for each in _real(stores) for make in (denylist_in, asked_each_time)]
    return (*WAYS[:2], *asked, *WAYS[2:])


def steps_of(stores: Sequence[Store], extent: Extent) -> int:
    """Return how many steps of progress it is."""
    return len(EVENTS) * (3 + 2 * len(_real(stores)) + extent.rounds)


def _real(stores: Sequence[Store]) -> list[Store]:
    return [each for each in stores if each.kind != "memory"]


class Windows:
    """Measures them."""

    def __init__(
        self,
        ground: Ground,
        stores: Sequence[Store],
        *,
        line: Line,
        load: Load,
        extent: Extent,
        on_step: Callable[[], None],
    ) -> None:
        """Take what is needed.

        Args:
            ground: The server.
            stores: The stores that are measured.
            line: A connection to the one in which the server of the designs with refresh looks.
            load: How many requests there are.
            extent: How much is measured.
            on_step: Called after each step.
        """
        self._ground = ground
        self._stores = _real(stores)
        self._line = line
        self._load = load
        self._extent = extent
        self._on_step = on_step
        self._order = {each.id: place for place, each in enumerate(designs_of(stores))}

    def __repr__(self) -> str:
        return f"<Windows of {self._ground!r}>"

    async def measure(self) -> dict[Event, tuple[Window, ...]]:
        """Return the windows of each event, in the order of the designs.

        Raises:
            CoatcheckError: If something does not answer.
        """
        found: dict[Event, list[Window]] = {event: [] for event in EVENTS}
        async with httpx.AsyncClient(timeout=_SECONDS_TO_ANSWER, trust_env=False) as client:
            introspector = Introspector(self._ground, client)
            for event, windows in found.items():
                windows.extend(await self._lifetimes(event, introspector))
                for store in self._stores:
                    windows.extend(await self._of_store(event, store))
                windows.extend(await self._of_server(event, introspector))
        async with services_running(_SERVICES, issuer=self._ground.issuer, key=self._ground.key) as services:
            for event, windows in found.items():
                rounds = await across_services(
                    self._ground, services, event, rounds=self._extent.rounds, on_round=self._on_step
                )
                windows.append(self._window("ledger-services", event, rounds))
        return {
            event: tuple(sorted(rows, key=lambda row: self._order[row.design]))
            for event, rows in found.items()
        }

    async def _lifetimes(self, event: Event, introspector: Introspector) -> list[Window]:
        lifetime = self._extent.lifetime
        tickets = Tickets(lifetime.seconds)
        cases = await introspector.cases(lifetime.holders, event)
        groups: list[tuple[str, float, list[Holder]]] = [
            ("introspection-cached", CACHED, kept_answers(lifetime, cases)),
            ("refresh", ACCESS, refreshed(tickets, lifetime, line=self._line, event=event)),
            ("expiry-only", SIGNED_IN, until_expiry(tickets, lifetime)),
        ]
        figures = await observe_together([holder for _, _, holders in groups for holder in holders])
        self._on_step()
        found = []
        for design, seconds, holders in groups:
            own, figures = figures[: len(holders)], figures[len(holders) :]
            found.append(self._scaled(design, event, own, seconds=seconds))
        if event == "role removed":
            # Nothing about a role is in such a list, so the token behind it lives as long as with refreshing alone.
            refreshing = next(each for each in found if each.design == "refresh")
            found += [
                msgspec.structs.replace(
                    refreshing,
                    design=denylist_in(each.kind, each.name).id,
                    how=_HOW_STALE_DENYLIST,
                    look_up=True,
                )
                for each in self._stores
            ]
        return found

    async def _of_store(self, event: Event, store: Store) -> list[Window]:
        found = []
        if event == "revoked":
            figures = await measure(store, denylisted(Tickets(_LONG_ENOUGH)), rounds=self._extent.rounds)
            design = denylist_in(store.kind, store.name).id
            found.append(self._window(design, event, [figures], how="denylist", look_up=True))
        self._on_step()
        figures = await measure(store, looked_up(event), rounds=self._extent.rounds)
        design = asked_each_time(store.kind, store.name).id
        found.append(self._window(design, event, [figures], how="session", look_up=True))
        self._on_step()
        return found

    async def _of_server(self, event: Event, introspector: Introspector) -> list[Window]:
        asked = await introspector.each_time(event, rounds=self._extent.rounds)
        self._on_step()
        local = await in_one_process(self._ground, event, rounds=self._extent.rounds)
        self._on_step()
        return [
            self._window("introspection", event, [asked], look_up=True),
            self._window("ledger-process", event, [local]),
        ]

    def _window(
        self,
        design: str,
        event: Event,
        rounds: Sequence[Sequence[float]],
        *,
        how: str | None = None,
        look_up: bool = False,
    ) -> Window:
        sample = make_sample(rounds)
        return Window(
            design=design,
            event=event,
            how=_HOW[how or design],
            basis="measured",
            sample=sample,
            accepted_after=round(sample.median * self._load.requests_per_second),
            look_up=look_up,
        )

    def _scaled(self, design: str, event: Event, figures: Sequence[float], *, seconds: float) -> Window:
        short = self._extent.lifetime.seconds
        raw = make_sample([figures])
        sample = scaled(raw, seconds / short)
        return Window(
            design=design,
            event=event,
            how=_HOW[design],
            basis="scaled",
            lifetime=seconds,
            measured_lifetime=short,
            factor=seconds / short,
            longest=seconds,
            sample=sample,
            raw=raw,
            accepted_after=round(sample.median * self._load.requests_per_second),
        )
