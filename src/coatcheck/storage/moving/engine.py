"""Moving, one table after another, and what both sides add up to at the end.

What was moved is found out by reading it, not by believing a note: after an interruption, the rows that are in the
target are added up, and so are as many of the source's, from the first on. If the sums agree, it goes on with the next
row; if not (somebody has written to the source since), the table is moved anew. At the end all of the target is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import islice
from typing import Final

from msgspec.structs import replace

from ..errors import RecordConflictError
from .digests import Adder, digest_of
from .errors import InconsistentSourceError, MoveNotVerifiedError, UnfitRecordError
from .model import Digest, Mark, Progress, Report, Row, Stage, Table, TableReport
from .sides import Side, Target

__all__ = ["OnProgress", "check_fit", "compare_sides", "count_rows", "move_rows"]

OnProgress = Callable[[Progress], None]

_BATCH: Final = 20_000  # rows that are committed together
_STEP: Final = 2_000  # rows between two words about how far it is


class _Meter:
    """Counts rows of all tables, and tells now and then."""

    def __init__(self, stage: Stage, total: int, on_progress: OnProgress) -> None:
        self._stage: Stage = stage
        self._total = total
        self._on_progress = on_progress
        self._done = 0

    def passing(self, table: str, rows: Iterable[Row]) -> Iterator[Row]:
        """Hand on rows, and count them."""
        self.tell(table)
        for row in rows:
            self._done += 1
            if not self._done % _STEP:
                self.tell(table)
            yield row
        self.tell(table)

    def back(self, rows: int) -> None:
        """Note that rows have to be moved once more."""
        self._done -= rows

    def tell(self, table: str) -> None:
        self._on_progress(Progress(stage=self._stage, table=table, done=self._done, total=self._total))


def count_rows(side: Side) -> dict[str, int]:
    """Return how many rows each table has."""
    return {name: side.count(table) for name, table in side.tables().items()}


def check_fit(source: Side, *, holds_nul: bool) -> None:
    """Raise ``UnfitRecordError`` if the target cannot hold what the source holds."""
    if holds_nul:
        return
    for name, table in source.tables().items():
        key = source.find_nul(table)
        if key is not None:
            raise UnfitRecordError(name, key)


def move_rows(source: Side, target: Target, mark: Mark, *, on_progress: OnProgress) -> Report:
    """Move all rows that are not in the target yet, verify, and finish.

    Raises:
        InconsistentSourceError: If rows refer to others that are not there.
        MoveNotVerifiedError: If the target holds something else at the end. It stays marked as unfinished.
        StorageError: If a side fails. So it does then.
    """
    total = sum(count_rows(source).values())
    meter = _Meter("copy", total, on_progress)
    sources = {
        name: _move_table(source, target, table, meter=meter) for name, table in source.tables().items()
    }
    report = _report(source, target, sources, meter=_Meter("verify", total, on_progress))
    differ = [each.table for each in report.tables if not each.is_equal]
    if differ:
        raise MoveNotVerifiedError(differ)
    try:
        target.finish(mark, source.numbers())
    except RecordConflictError as error:
        raise InconsistentSourceError(error.detail) from None
    return _with_numbers(report, source, target)


def compare_sides(source: Side, target: Side, *, on_progress: OnProgress) -> Report:
    """Read both sides and return what they add up to."""
    total = sum(count_rows(source).values()) + sum(count_rows(target).values())
    meter = _Meter("verify", total, on_progress)
    sources = {name: _digest(source, table, meter) for name, table in source.tables().items()}
    return _with_numbers(_report(source, target, sources, meter=meter), source, target)


def _move_table(source: Side, target: Target, table: Table, *, meter: _Meter) -> Digest:
    into = target.tables()[table.name]
    with closing(target.rows(into)) as rows:
        there = digest_of(rows)
    with closing(source.rows(table)) as rows:
        adder = Adder()
        passing = adder.passing(meter.passing(table.name, rows))
        for _ in islice(passing, there.rows):
            pass
        if adder.digest == there:
            _write(target, into, passing)
            return adder.digest
    target.clear(into)
    meter.back(adder.rows)
    with closing(source.rows(table)) as rows:
        adder = Adder()
        _write(target, into, adder.passing(meter.passing(table.name, rows)))
    return adder.digest


def _write(target: Target, table: Table, rows: Iterator[Row]) -> None:
    for first in rows:
        target.write(table, _batch(first, rows))


def _batch(first: Row, rows: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from islice(rows, _BATCH - 1)


def _report(source: Side, target: Side, sources: dict[str, Digest], *, meter: _Meter) -> Report:
    tables = []
    for name, table in target.tables().items():
        found = _digest(target, table, meter)
        tables.append(TableReport(table=name, source=sources[name], target=found))
    return Report(source=source.shown, target=target.shown, tables=tuple(tables), numbers={})


def _digest(side: Side, table: Table, meter: _Meter) -> Digest:
    with closing(side.rows(table)) as rows:  # also if somebody who is told of the progress raises
        return digest_of(meter.passing(table.name, rows))


def _with_numbers(report: Report, source: Side, target: Side) -> Report:
    theirs = target.numbers()
    return replace(
        report, numbers={name: (number, theirs[name]) for name, number in source.numbers().items()}
    )
