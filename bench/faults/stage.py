"""A site under clients, a fault, and what was left of it: one scenario after the other in one event loop."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.faults.journal import Journal, now
from bench.faults.mailbox import Mailbox
from bench.faults.people import World, authorize, browse, refresh, sign_up
from bench.faults.probing import probe, verify
from bench.scale.http import Connection, NoAnswerError
from bench.scale.nodes import Node, Site
from bench.scale.seeding import People, more_people

_CALM = 3.0
_AFTER = 4.0
_FINISH = 30.0
_READY = 40.0
_VERIFY = 90.0
_KINDS = (browse, refresh, authorize)
_EACH = 5
_SIGN_UPS = 3
CLIENTS = len(_KINDS) * _EACH + _SIGN_UPS
_CAUSE = re.compile(r"direct cause of the following|During handling of the above")
_ERROR = re.compile(
    r"^\s*(?:[A-Za-z_]+\.)*[A-Z][A-Za-z_]*(?:Error|Exception|Timeout|Closed|Group)\b.*", re.MULTILINE
)

Fault = Callable[[], object]
"""Does something to the site, and returns when it is mended."""


@dataclass
class Outcome:
    """One scenario, and what came of it."""

    name: str
    journal: Journal = field(default_factory=Journal)
    back_after_s: float | None = None
    """Seconds from the end of the fault until the next write of anybody succeeds."""
    gap_s: float = 0.0
    """The longest time in which no write of anybody succeeded."""
    seconds: float = 0.0
    """How long the fault lasted."""
    tracebacks: Counter[str] = field(default_factory=Counter)
    """What nodes wrote of errors that nobody designed: their last lines."""
    failure: str = ""


@dataclass
class Stage:
    """Where it plays."""

    site: Site
    people: People
    mailbox: Mailbox

    async def play(self, name: str, fault: Fault) -> Outcome:
        """Let clients work, do something to the site, let them go on, and look for all that they were told."""
        outcome = Outcome(name)
        try:
            await self._play(outcome, fault)
        except Exception as error:  # noqa: BLE001 -- a failure is a result, to be shown
            outcome.failure = f"{type(error).__name__}: {error}"
        return outcome

    async def _play(self, outcome: Outcome, fault: Fault) -> None:
        loop, site = asyncio.get_running_loop(), self.site
        emails = await loop.run_in_executor(None, self._people)
        marks = {node.log: _size(node.log) for node in site.nodes}
        world = World(
            port=site.port,
            journal=outcome.journal,
            mailbox=self.mailbox,
            app=self.people.app,
            app_id=self.people.app_id,
        )
        each = iter(emails)
        tasks = [asyncio.create_task(kind(world, next(each))) for kind in _KINDS for _ in range(_EACH)]
        tasks += [asyncio.create_task(sign_up(world, number)) for number in range(_SIGN_UPS)]
        tasks += [asyncio.create_task(probe(world, node)) for node in site.nodes]
        await asyncio.sleep(_CALM)
        began = now()
        await loop.run_in_executor(None, fault)
        mended = now()
        outcome.seconds = mended - began
        await asyncio.sleep(_AFTER)
        outcome.back_after_s = outcome.journal.back_after(mended)
        outcome.gap_s = outcome.journal.longest_gap()
        await _ready(site.nodes)
        world.goes_on.set()
        done, pending = await asyncio.wait(tasks, timeout=_FINISH)
        for task in pending:
            task.cancel()
        failed = [task.exception() for task in done if task.exception() is not None]
        async with asyncio.timeout(_VERIFY):
            await verify(world, site.nodes)
        outcome.tracebacks = tracebacks(marks)
        if failed:
            raise RuntimeError(f"a client of the benchmark failed: {failed[0]!r}")

    def _people(self) -> list[str]:
        return more_people(self.site.setup, self.site.directory, count=len(_KINDS) * _EACH)


async def _ready(nodes: Sequence[Node]) -> None:
    """Wait until every node reads from its store again."""
    limit = now() + _READY
    for node in nodes:
        connection = Connection(node.port, timeout=5.0)
        while True:
            try:
                answer = await connection.get("/auth/session", Cookie="__Host-coatcheck=" + "A" * 43)
                if answer.status == 401:
                    break
            except NoAnswerError:
                pass
            if now() > limit:
                raise TimeoutError(f"{node.name} does not come back: {node.last_words()}")
            await asyncio.sleep(0.1)
        connection.close()


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def tracebacks(marks: dict[Path, int]) -> Counter[str]:
    """Count the tracebacks that were written behind a mark in each log, by their last lines."""
    found = Counter[str]()
    for log, mark in marks.items():
        if not log.exists():
            continue
        text = log.read_bytes()[mark:].decode("utf-8", "replace")
        for part in text.split("Traceback (most recent call last):")[1:]:
            if _CAUSE.search(part):
                continue  # another follows that says more
            last = _ERROR.search(part)
            found[last.group().strip()[:140] if last else "a traceback"] += 1
    return found
