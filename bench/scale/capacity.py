"""What so many users need, computed from what was measured. Nothing here was run at that size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.scale.growth import Size
from bench.scale.load import Figures, Run, middle
from bench.scale.requests import CHECK, REFRESH, SIGN_IN
from bench.scale.tables import THREE
from bench.tables import NOTHING, Table

SIZES = (10_000, 1_000_000, 100_000_000)
_SESSIONS, _TOKENS = 3.0, 1.5
"""Kept for a user: sessions, and refresh tokens."""
_ACTIVE = 0.3
"""Of all users, on a day."""
_CHECKS, _REFRESHES, _SIGN_INS = 50.0, 6.0, 0.25
"""Of an active user, on a day."""
_BUSIEST = 0.2 / 3600
"""Of a day's requests, in a second of its busiest hour."""
_BUSY = 0.5
"""How busy a processor may be in that hour."""
_BLOAT = 1.5
"""Rows that were changed and not yet cleared away, and pages that are not full."""
_GB = 1e9


@dataclass(frozen=True)
class Need:
    """Of so many users, in the busiest hour."""

    users: int
    checks: float
    refreshes: float
    sign_ins: float
    """Requests per second."""
    node_cores: float
    store_cores: float
    disk_gb: float | None


def needs(runs: Sequence[Run], grown: Sequence[Size]) -> list[Need]:
    """Return what each size needs, as far as three nodes on PostgreSQL were measured."""
    run = next((each for each in runs if each.name == THREE), None)
    if run is None or not all(_has(run, kind) for kind in (CHECK, REFRESH, SIGN_IN)):
        return []
    largest = max((each for each in grown if each.tables), key=lambda each: each.sessions, default=None)
    return [_need(users, run, largest) for users in SIZES]


def _has(run: Run, kind: str) -> bool:
    return kind in run.figures and bool(run.figures[kind].per_second)


def _need(users: int, run: Run, size: Size | None) -> Need:
    checks, refreshes, sign_ins = (
        users * _ACTIVE * each * _BUSIEST for each in (_CHECKS, _REFRESHES, _SIGN_INS)
    )
    rates = (
        (checks, run.figures[CHECK]),
        (refreshes, run.figures[REFRESH]),
        (sign_ins, run.figures[SIGN_IN]),
    )
    return Need(
        users=users,
        checks=checks,
        refreshes=refreshes,
        sign_ins=sign_ins,
        node_cores=sum(rate * _ms(figures, "node_ms") for rate, figures in rates) / 1e3 / _BUSY,
        store_cores=sum(rate * _ms(figures, "postgres_ms") for rate, figures in rates) / 1e3 / _BUSY,
        disk_gb=None if size is None else users * _octets(size) * _BLOAT / _GB,
    )


def _ms(figures: Figures, name: str) -> float:
    return middle(getattr(figures, name)) or 0.0


def _octets(size: Size) -> float:
    """On disk, of one user with all that belongs to them."""
    tables = {name: float(sum(both)) for name, both in size.tables.items()}
    return (
        tables["users"] / size.users
        + _SESSIONS * tables["sessions"] / size.sessions
        + _TOKENS * tables["refresh_tokens"] / (size.sessions / 2)
    )


def table(found: Sequence[Need]) -> Table:
    """The needs as a table."""
    lines = [
        [
            f"{each.users:,}",
            f"{each.checks:,.0f}",
            f"{each.refreshes:,.1f}",
            f"{each.sign_ins:,.2f}",
            f"{each.node_cores:,.2f}",
            f"{each.store_cores:,.2f}",
            NOTHING if each.disk_gb is None else f"{each.disk_gb:,.2f}",
        ]
        for each in found
    ]
    header = [
        "users",
        "checks/s",
        "refreshes/s",
        "sign-ins/s",
        "cores of nodes",
        "cores of PostgreSQL",
        "disk, GB",
    ]
    notes = [
        (
            f"Computed, not run: of three nodes on PostgreSQL, what each request cost. Of all users {_ACTIVE:.0%} come "
            f"on a day, with {_CHECKS:.0f} checks, {_REFRESHES:.0f} refreshes and {_SIGN_INS} sign-ins each; a fifth "
            "of that in the busiest hour, in which processors are half busy."
        ),
        (
            f"Disk: {_SESSIONS:.0f} sessions and {_TOKENS} refresh tokens for each user, and {_BLOAT} times that for "
            "rows that were changed."
        ),
    ]
    return Table("Capacity, computed", header, lines, notes)
