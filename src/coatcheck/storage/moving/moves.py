"""The three things to do with two storages: look whether one can be moved, move it, and compare them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import msgspec

from ..._core.clock import monotonic_clock, system_clock
from ..errors import HalfMovedError, StorageError
from .engine import OnProgress, check_fit, compare_sides, count_rows, move_rows
from .errors import (
    DriverMissingError,
    OtherMoveError,
    SameStorageError,
    SchemaTooOldError,
    TargetNotEmptyError,
)
from .model import Mark, Problem, Report, Survey
from .sides import Side, Target
from .sqlite_side import SQLiteSide, SQLiteTarget, identity_of

__all__ = ["address_shown", "compare", "is_url", "move", "read_keys", "survey"]

_URLS: Final = ("postgresql://", "postgres://")
_SEEDED: Final = frozenset({"session_generation"})  # has its row from the beginning


def _quietly(progress: object) -> None:
    """Tell nobody."""


def is_url(address: str) -> bool:
    """Tell whether an address is that of a PostgreSQL database, and not the path of a file."""
    return address.startswith(_URLS)


def move(source: str, target: str, *, start_over: bool = False, on_progress: OnProgress = _quietly) -> Report:
    """Move all records into an empty storage, or go on with that, and verify that the target holds all.

    Until the end nobody can write to the source, and no server opens the target. A move that is interrupted, at
    whichever moment, goes on when this is called again.

    Args:
        source: The path of an SQLite file, or the URL of a PostgreSQL database.
        target: The same. A file is made, and so are the tables.
        start_over: Drop what an unfinished move from another source has left in the target.
        on_progress: Told now and then.

    Raises:
        MoveError: If it cannot be done, one subclass per reason. Before anything was written, but for the last.
        StorageError: If a side cannot be opened, or fails.
    """
    begun = monotonic_clock()
    _refuse_same(source, target)
    with ExitStack() as opened:
        origin = opened.enter_context(_side(source, locked=True))
        _refuse_half_moved(origin)
        check_fit(origin, holds_nul=not is_url(target))
        goal = opened.enter_context(_target(target))
        left = goal.mark()
        if left is None and _filled(goal):
            report = _was_there(origin, goal, on_progress)
        else:
            mark = _marked(origin, goal, left, start_over=start_over)
            report = move_rows(origin, goal, mark, on_progress=on_progress)
    return msgspec.structs.replace(
        report, resumed=left is not None and not start_over, seconds=monotonic_clock() - begun
    )


def compare(source: str, target: str, *, on_progress: OnProgress = _quietly) -> Report:
    """Read two storages, each as it is at one moment, and tell where they differ. Nothing is changed or locked.

    Args:
        source: The path of an SQLite file, or the URL of a PostgreSQL database.
        target: The same.
        on_progress: Told now and then.

    Raises:
        StorageError: If a side cannot be opened, or fails.
    """
    begun = monotonic_clock()
    with _side(source) as origin, _side(target) as goal:
        # Its rows may all be there, and still it is not to be taken for the other.
        _refuse_half_moved(origin)
        _refuse_half_moved(goal)
        report = compare_sides(origin, goal, on_progress=on_progress)
    return msgspec.structs.replace(report, seconds=monotonic_clock() - begun)


def survey(source: str, target: str, *, start_over: bool = False) -> Survey:
    """Tell what ``move`` would do, and why it would be refused. Nothing is changed or locked.

    Args:
        source: The path of an SQLite file, or the URL of a PostgreSQL database.
        target: The same.
        start_over: As for ``move``.

    Raises:
        StorageError: If the source cannot be opened, or fails.
    """
    try:
        with _side(source) as origin:
            return _surveyed(origin, source, target, start_over=start_over)
    except SchemaTooOldError:
        shown = address_shown(source), address_shown(target)
        return Survey(source=shown[0], target=shown[1], rows={}, resumes=False, problems=(), is_old=True)


def _surveyed(origin: Side, source: str, target: str, *, start_over: bool) -> Survey:
    problems: list[Problem] = []
    resumes = False
    try:
        _refuse_same(source, target)
        _refuse_half_moved(origin)
        check_fit(origin, holds_nul=not is_url(target))
    except StorageError as error:
        problems.append(_problem(error))
    try:
        resumes = _look(origin, target, start_over=start_over)
    except StorageError as error:
        problems.append(_problem(error))
    return Survey(
        source=origin.shown,
        target=address_shown(target),
        rows=count_rows(origin),
        resumes=resumes,
        problems=tuple(problems),
    )


def read_keys(address: str) -> list[dict[str, Any]]:
    """Return the rows of the table ``keys`` by their columns' names. They are sealed, as they are stored.

    Args:
        address: The path of an SQLite file, or the URL of a PostgreSQL database.

    Raises:
        StorageError: If it cannot be opened, or fails.
    """
    with _side(address) as side:
        table = side.tables()["keys"]
        names = [column.name for column in table.columns]
        return [dict(zip(names, row, strict=True)) for row in side.rows(table)]


def address_shown(address: str) -> str:
    """Return an address for people: without a password."""
    return str(_postgres().shown(address)) if is_url(address) else address


def _problem(error: StorageError) -> Problem:
    return Problem(code=error.code, message=error.message)


def _look(origin: Side, target: str, *, start_over: bool) -> bool:
    """Return whether a move into the target was begun, and raise if it would be refused."""
    if _is_new(target):
        return False
    try:
        return _looked_at(origin, target, start_over=start_over)
    except SchemaTooOldError:
        return False  # it is brought up to date first, and then looked at


def _looked_at(origin: Side, target: str, *, start_over: bool) -> bool:
    with _side(target) as goal:
        left = goal.mark()
        if left is not None:
            _refuse_other(origin, goal, left, start_over=start_over)
            return not start_over
        filled = _filled(goal)
        if filled and filled != _without_seeded(count_rows(origin)):
            raise TargetNotEmptyError(goal.shown, filled)
    return False


@contextmanager
def _side(address: str, *, locked: bool = False) -> Iterator[Side]:
    engine = _postgres().PostgresSide if is_url(address) else SQLiteSide
    side: Side = engine(address, locked=locked)
    with closing(side):
        yield side


@contextmanager
def _target(address: str) -> Iterator[Target]:
    side: Target = _postgres().PostgresTarget(address) if is_url(address) else SQLiteTarget(address)
    with closing(side):
        yield side


def _postgres() -> ModuleType:
    """Return what speaks to PostgreSQL. It is loaded only when an address names one.

    Raises:
        DriverMissingError: If it is not installed.
    """
    if find_spec("psycopg") is None:
        raise DriverMissingError
    return import_module(".postgres_side", __package__)


def _is_new(target: str) -> bool:
    if not is_url(target):
        path = Path(target)
        return not path.exists() or not path.stat().st_size
    return bool(_postgres().is_new(target))


def _refuse_same(source: str, target: str) -> None:
    if _identity(source) == _identity(target):
        raise SameStorageError(address_shown(source))


def _identity(address: str) -> str:
    return str(_postgres().identity_of(address)) if is_url(address) else identity_of(address)


def _refuse_half_moved(side: Side) -> None:
    if side.mark() is not None:
        raise HalfMovedError(path=side.shown)


def _refuse_other(source: Side, target: Side, left: Mark, *, start_over: bool) -> None:
    if left.source != source.identity and not start_over:
        raise OtherMoveError(target.shown, source=left.shown)


def _without_seeded(rows: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in rows.items() if count and name not in _SEEDED}


def _filled(target: Side) -> dict[str, int]:
    return _without_seeded(count_rows(target))


def _was_there(source: Side, target: Side, on_progress: OnProgress) -> Report:
    """Return the report on a target that holds the same already: whoever moved it was killed before saying so."""
    filled = _filled(target)
    if filled == _without_seeded(count_rows(source)):
        report = compare_sides(source, target, on_progress=on_progress)
        if report.is_equal:
            return msgspec.structs.replace(report, was_there=True)
    raise TargetNotEmptyError(target.shown, filled)


def _marked(source: Side, target: Target, left: Mark | None, *, start_over: bool) -> Mark:
    """Return what is noted in the target, as it now has to be."""
    if left is not None:
        _refuse_other(source, target, left, start_over=start_over)
        if not start_over:
            return left
    target.begin(
        Mark(
            source=source.identity,
            shown=source.shown,
            begun_at=system_clock(),
            set_aside=() if left is None else left.set_aside,
        )
    )
    return target.mark() or Mark(source="", shown="", begun_at=0.0)
