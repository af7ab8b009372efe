"""All metrics: one closed table, from which the page of the documentation is written."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

__all__ = ["BUCKETS", "CATALOGUE", "PREFIX", "STORAGE_FACTS", "Metric", "describe"]

PREFIX: Final = "coatcheck_storage_"
"""What the facts of a storage begin with."""

BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of the histogram, in seconds."""


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric.

    Attributes:
        name: Its name; that of a counter without ``_total``.
        kind: What it is.
        meaning: What it tells, in one sentence.
        labels: The names of its labels.
        across: What the gauges of several processes on one machine come to. Counters and histograms are added up.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: tuple[str, ...] = ()
    across: Literal["sum", "max", "min"] = "sum"


def _counter(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name=name, kind="counter", meaning=meaning, labels=labels)


def _gauge(name: str, meaning: str, *labels: str, across: Literal["sum", "max", "min"] = "sum") -> Metric:
    return Metric(name=name, kind="gauge", meaning=meaning, labels=labels, across=across)


CATALOGUE: Final = (
    _gauge("coatcheck_build_info", "1, beside the release that runs.", "version", across="max"),
    _gauge("coatcheck_workers", "Processes of this node that answer."),
    _gauge("coatcheck_ready", "1 while every one of them is ready, else 0.", across="min"),
    _counter("coatcheck_http_requests", "Requests that were answered.", "route", "method", "status"),
    Metric(
        name="coatcheck_http_request_duration_seconds",
        kind="histogram",
        meaning="Seconds until an answer began.",
        labels=("route",),
    ),
    _gauge(
        "coatcheck_http_requests_in_progress", "Requests that are being answered, open streams among them."
    ),
    _counter("coatcheck_refusals", "Requests that were refused or failed, by the code of the error.", "code"),
    _counter(
        "coatcheck_credentials_checked",
        "Credentials that were checked, by what carried them, and whether memory or the storage answered.",
        "credential",
        "answered",
    ),
    _counter("coatcheck_sign_ins", "Sign-ins with a password, by how they ended.", "outcome"),
    _counter("coatcheck_tokens_issued", "Token responses, by the grant.", "grant"),
    _counter(
        "coatcheck_revocations", "Entries that this node wrote in the ledger, by what they end.", "kind"
    ),
    _gauge("coatcheck_ledger_position", "The number of the last entry that was read.", across="max"),
    _gauge("coatcheck_ledger_entries", "What is known to be void.", across="max"),
    _gauge(
        "coatcheck_ledger_view_age_seconds",
        "Seconds since the ledger was last read to its end.",
        across="max",
    ),
    _gauge("coatcheck_feed_readers", "Services that read the ledger here at the moment."),
    _counter("coatcheck_mails", "Attempts to deliver mail, by how they ended.", "outcome"),
    _gauge("coatcheck_hashing_load", "Passwords that are being hashed or wait for it."),
    _gauge("coatcheck_storage_pool_size", "Connections to the storage."),
    _gauge("coatcheck_storage_pool_in_use", "Those that are in use."),
    _gauge("coatcheck_storage_pool_waiting", "Who waits for one."),
    _gauge(
        "coatcheck_storage_is_current",
        "1 while the database tells of what other nodes commit, 0 while it is asked instead.",
        across="min",
    ),
    _counter("coatcheck_storage_round_trips", "Questions to the storage."),
    _counter("coatcheck_storage_errors", "Those that failed."),
    _gauge("coatcheck_storage_fact", "What else the storage tells of itself, by name.", "fact", across="max"),
    _counter("process_cpu_seconds", "Processor time, user and system, in seconds."),
    _gauge("process_resident_memory_bytes", "Memory in use, in octets."),
    _gauge("process_virtual_memory_bytes", "Address space, in octets."),
    _gauge("process_open_fds", "Open files and sockets."),
    _gauge("process_max_fds", "How many may be open in one process.", across="min"),
    _gauge(
        "process_start_time_seconds", "When the oldest process began, in seconds since 1970.", across="min"
    ),
)
"""All metrics, in the order in which they are shown."""

STORAGE_FACTS: Final = {
    each.name.removeprefix(PREFIX): each.name
    for each in CATALOGUE
    if each.name.startswith(PREFIX) and not each.labels
}
"""The facts that a storage may tell under a name of their own, and the metrics that they are."""


def describe() -> str:
    """Return the table of all metrics for the documentation, in Markdown."""
    rows = [
        f"| `{each.name}{'_total' if each.kind == 'counter' else ''}` | {each.kind} "
        f"| {', '.join(f'`{label}`' for label in each.labels)} | {each.meaning} |"
        for each in CATALOGUE
    ]
    return "\n".join(["| metric | type | labels | meaning |", "|---|---|---|---|", *rows]) + "\n"
