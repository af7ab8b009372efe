"""Verifiers that note when they refuse what was revoked: ``python -m bench.ledger.watching``, told what on its input.

One process has many ``Verifier``s, each with a connection and a view of its own, in tasks of one event loop. Tokens are
revoked in the order in which they are given, so what a verifier refuses is always a beginning of the list.

When a verifier has taken note of entries, its hook is called; there and then the next tokens are verified, until one is
accepted, and the time after each refusal is what counts. No request could have been refused before that: the resolution
is that of a call of ``verify``. Beside that, every token that may have been revoked meanwhile is asked about again and
again, and the last time that it was accepted is kept.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

import uvloop

from coatcheck.verifier import StaleViewError, VerificationError, Verifier, VerifierEvent

_BETWEEN = 0.02
_AHEAD = 40
_SLICE = 16
_READY = 60.0


@dataclass
class Watch:
    """What one verifier did: by token, when it first refused (0: never), and when it last accepted."""

    refused_at: list[int]
    accepted_at: list[int]
    bounded: bool
    refused_all: int = 0
    """How many tokens from the first on it refuses."""
    stale: int = 0
    """How often it refused because its view was too old."""
    came_back: int = 0
    """How many tokens it accepted after it had refused them."""
    metrics: dict[str, Any] = field(default_factory=dict)


class Watcher:
    """A verifier, and the tokens that it is asked about."""

    def __init__(self, url: str, key: str, tokens: list[str], *, bound: float | None) -> None:
        self._tokens = tokens
        self.watch = Watch([0] * len(tokens), [0] * len(tokens), bound is not None)
        self.verifier = Verifier(
            url,
            audience=url,
            key=key,
            max_staleness=None if bound is None else timedelta(seconds=bound),
            on_event=self._notice,
        )

    def _notice(self, event: VerifierEvent) -> None:
        if event.kind in {"revoked", "snapshot"}:
            self.advance()

    def advance(self) -> None:
        """Verify the next tokens until one is accepted."""
        watch = self.watch
        while watch.refused_all < len(self._tokens) and self._refuses(watch.refused_all) == "revoked":
            watch.refused_at[watch.refused_all] = time.monotonic_ns()
            watch.refused_all += 1

    def ask_again(self) -> None:
        """Verify those that may have been revoked by now, and some that were refused long ago."""
        watch, first = self.watch, self.watch.refused_all
        for index in range(first, min(first + _AHEAD, len(self._tokens))):
            answer = self._refuses(index)
            if answer is None:
                watch.accepted_at[index] = time.monotonic_ns()
            elif answer == "stale":
                watch.stale += 1
                break
            elif index > watch.refused_all:
                break
        for index in range(0, first, max(1, first // _AHEAD)):
            watch.came_back += self._refuses(index) is None

    def _refuses(self, index: int) -> str | None:
        try:
            self.verifier.verify(self._tokens[index])
        except StaleViewError:
            return "stale"
        except VerificationError as error:
            return "revoked" if error.reason.startswith("revoked") else error.reason
        return None

    def report(self) -> dict[str, Any]:
        """Return what was seen."""
        found = self.verifier.metrics()
        self.watch.metrics = {"snapshots": found.snapshots, "connections": found.connections}
        return asdict(self.watch)


async def _main() -> None:
    loop = asyncio.get_running_loop()
    told = json.loads(await loop.run_in_executor(None, sys.stdin.readline))
    tokens = told["tokens"]
    watchers = [
        Watcher(told["url"], told["key"], tokens, bound=told["bound"] if number % 2 else None)
        for number in range(told["verifiers"])
    ]
    async with AsyncExitStack() as stack:
        for watcher in watchers:
            await stack.enter_async_context(watcher.verifier)
        for watcher in watchers:
            await watcher.verifier.ready(_READY)
            watcher.advance()
        await _warm(watchers, tokens[: told["warm"]])
        asking = asyncio.create_task(_keep_asking(watchers)) if told["asking"] else None
        _say({"ready": len(watchers)})
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            match line.strip():
                case "progress":
                    _say({"refused": [watcher.watch.refused_all for watcher in watchers]})
                case "report":
                    used = resource.getrusage(resource.RUSAGE_SELF)
                    _say(
                        {
                            "watches": [watcher.report() for watcher in watchers],
                            "cpu": used.ru_utime + used.ru_stime,
                            "resident_kib": used.ru_maxrss,
                        }
                    )
        if asking is not None:
            asking.cancel()


async def _warm(watchers: list[Watcher], tokens: list[str]) -> None:
    """See that every verifier accepts what is still good, which it remembers from then on."""
    for watcher in watchers:
        for first in range(watcher.watch.refused_all, len(tokens), _SLICE):
            for token in tokens[first : first + _SLICE]:
                watcher.verifier.verify(token)
            await asyncio.sleep(0)


async def _keep_asking(watchers: list[Watcher]) -> None:
    while True:
        for watcher in watchers:
            watcher.ask_again()
            await asyncio.sleep(0)
        await asyncio.sleep(_BETWEEN)


def _say(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    uvloop.run(_main())
