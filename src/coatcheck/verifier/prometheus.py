"""The figures of a verifier in the text format of Prometheus, for whatever route shows them."""

from __future__ import annotations

from typing import Final, Literal

from .._core.exposition import TEXT_TYPE, Family, Sample, write
from .model import Metrics

__all__ = ["CONTENT_TYPE", "exposition"]

CONTENT_TYPE: Final = TEXT_TYPE

_FIGURES: Final[tuple[tuple[str, Literal["counter", "gauge"], str], ...]] = (
    ("ready", "gauge", "Whether keys and ledger have been read."),
    ("connected", "gauge", "Whether the ledger is being read as it grows."),
    ("view_age", "gauge", "Seconds since the server last said how far the ledger goes."),
    ("epoch", "counter", "Changes of the view."),
    ("entries", "gauge", "What is known to be void."),
    ("keys", "gauge", "Keys that are known."),
    ("cached", "gauge", "Credentials that are remembered."),
    ("hits", "counter", "Credentials that were remembered."),
    ("misses", "counter", "Credentials that had to be verified."),
    ("clock_offset", "gauge", "Seconds that the server's clock is ahead."),
    ("connections", "counter", "Connections to the ledger."),
    ("snapshots", "counter", "Times that the ledger was read from its start."),
    ("key_fetches", "counter", "Times that the keys were fetched."),
)
_UNITS: Final = {"view_age": "_seconds", "clock_offset": "_seconds"}


def exposition(metrics: Metrics) -> str:
    """Return the figures as text. Its media type is ``CONTENT_TYPE``."""
    families = [
        Family(
            name=f"coatcheck_verifier_{name}{_UNITS.get(name, '')}",
            kind=kind,
            meaning=meaning,
            samples=[Sample(getattr(metrics, name))],
        )
        for name, kind, meaning in _FIGURES
    ]
    refusals = Family(
        name="coatcheck_verifier_refusals",
        kind="counter",
        meaning="Requests that were refused.",
        samples=[Sample(count, (("reason", reason),)) for reason, count in sorted(metrics.refusals.items())],
    )
    return write([*families, refusals])
