"""Reading off the figures of this process, when somebody asks for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from itertools import islice
from typing import Any, Final

from ...accounts.hashing import HashingPool
from ...flows.service import Flows
from ...mail.delivery import Delivery
from ..health import Health
from .catalogue import STORAGE_FACTS
from .process import process_facts
from .requests import RequestCounts
from .snapshots import Point, Snapshot

__all__ = ["Collector"]

_VERSION: Final = version("coatcheck")
_MOST_FACTS: Final = 64
_FACT: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Collector:
    """Knows where the figures of one process are."""

    def __init__(
        self,
        flows: Flows,
        *,
        hasher: HashingPool,
        delivery: Delivery,
        health: Health,
        requests: RequestCounts,
    ) -> None:
        """Take the parts that know them."""
        self._flows = flows
        self._hasher = hasher
        self._delivery = delivery
        self._health = health
        self._requests = requests

    def snapshot(self) -> Snapshot:
        """Return the figures as they are."""
        points: dict[str, list[Point]] = {
            "coatcheck_build_info": [Point((_VERSION,), 1)],
            "coatcheck_http_requests": self._requests.points(),
            **{name: [Point((), value)] for name, value in self._single()},
            **self._counted(),
            **self._stored(),
        }
        return Snapshot(
            points=points, bins={"coatcheck_http_request_duration_seconds": self._requests.bins()}
        )

    def _single(self) -> Iterator[tuple[str, float]]:
        registry = self._flows.context.ledger.registry
        yield "coatcheck_workers", 1
        yield "coatcheck_ready", float(self._health.was_ready)
        yield "coatcheck_http_requests_in_progress", self._requests.in_progress
        yield "coatcheck_ledger_position", registry.position.seq
        yield "coatcheck_ledger_entries", len(registry)
        yield "coatcheck_ledger_view_age_seconds", self._health.view_age
        yield "coatcheck_feed_readers", self._flows.feed.readers
        yield "coatcheck_hashing_load", self._hasher.load
        yield from process_facts()

    def _counted(self) -> dict[str, list[Point]]:
        counts = self._flows.context.counts
        checked = [
            *(((credential, "memory"), count) for credential, count in counts.recalled.items()),
            *(((credential, "storage"), count) for credential, count in counts.looked_up.items()),
        ]
        return {
            "coatcheck_credentials_checked": [Point(labels, count) for labels, count in checked],
            "coatcheck_refusals": _points(counts.refusals),
            "coatcheck_sign_ins": _points(counts.sign_ins),
            "coatcheck_tokens_issued": _points(counts.tokens),
            "coatcheck_revocations": _points(counts.revocations),
            "coatcheck_mails": _points(self._delivery.tally),
        }

    def _stored(self) -> dict[str, list[Point]]:
        """Return what the storage tells of itself, if it does."""
        tells: Callable[[], Mapping[str, float]] | Any = getattr(self._flows.context.storage, "facts", None)
        facts: Mapping[str, float] = tells() if callable(tells) else {}
        points: dict[str, list[Point]] = {}
        for name, value in islice(sorted(facts.items()), _MOST_FACTS):
            if name in STORAGE_FACTS:
                points[STORAGE_FACTS[name]] = [Point((), float(value))]
            elif _FACT.fullmatch(name):
                points.setdefault("coatcheck_storage_fact", []).append(Point((name,), float(value)))
        return points


def _points(counts: Mapping[str, int]) -> list[Point]:
    return [Point((label,), count) for label, count in counts.items()]
