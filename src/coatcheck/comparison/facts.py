"""The machine and the versions: without them a figure means nothing."""

from __future__ import annotations

import os
import platform
import sqlite3
import ssl
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .._core.clock import system_clock
from .model import Machine

__all__ = ["load_average", "machine_facts", "now"]

_PACKAGES = ("coatcheck", "cryptography", "msgspec", "psycopg", "redis")


def machine_facts(*, command: str, quick: bool, began: float, seconds: float, load: float | None) -> Machine:
    """Return on what it was measured.

    Args:
        command: The command, without anything secret.
        quick: Whether it was cut short.
        began: When it began, in seconds since 1970.
        seconds: How long it took.
        load: What ``load_average`` said before.
    """
    return Machine(
        cpu=_cpu_model(),
        cores=os.cpu_count() or 1,
        usable_cores=_usable_cores(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        versions=_versions(),
        load=load,
        measured_at=datetime.fromtimestamp(int(began), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        seconds=seconds,
        command=command,
        quick=quick,
    )


def load_average() -> float | None:
    """Return how many processes wanted to run in the last minute; ``None`` where nobody says."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None


def now() -> float:
    """Return the time, in seconds since 1970."""
    return system_clock()


def _versions() -> dict[str, str]:
    found = {name: known for name in _PACKAGES if (known := _version(name)) is not None}
    return {**found, "OpenSSL": ssl.OPENSSL_VERSION, "SQLite": sqlite3.sqlite_version}


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_model(described: Path = Path("/proc/cpuinfo")) -> str:
    try:
        lines = described.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine() or "unknown"
