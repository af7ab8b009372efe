"""The figures of a verifier in the text format of Prometheus, for whatever route shows them."""

from __future__ import annotations

from typing import Final

from .model import Metrics

__all__ = ["CONTENT_TYPE", "exposition"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_FIGURES: Final = (
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
    lines: list[str] = []
    for name, kind, meaning in _FIGURES:
        full = f"coatcheck_verifier_{name}{_UNITS.get(name, '')}{'_total' if kind == 'counter' else ''}"
        lines += (
            f"# HELP {full} {meaning}",
            f"# TYPE {full} {kind}",
            f"{full} {_number(getattr(metrics, name))}",
        )
    full = "coatcheck_verifier_refusals_total"
    lines += (f"# HELP {full} Requests that were refused.", f"# TYPE {full} counter")
    lines += (f'{full}{{reason="{reason}"}} {count}' for reason, count in sorted(metrics.refusals.items()))
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if value == int(value) else repr(float(value))
