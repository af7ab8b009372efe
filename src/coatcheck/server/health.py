"""Whether the process answers (``/healthz``), and whether it should be asked (``/readyz``).

The first touches nothing: whoever restarts a process because a database is away makes it worse. The second looks, with
a deadline, at what every sign-in needs. Both are open to everybody and tell nothing but that, and which part.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from typing import Final, Literal

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from .._core.clock import Clock, monotonic_clock
from ..errors import CoatcheckError
from ..flows.context import Context
from ..flows.ports import Storage
from .plain_answers import PLAIN_HEADERS, problem

__all__ = ["LIVE_PATH", "READY_PATH", "Health", "Part", "Probe"]

LIVE_PATH: Final = "/healthz"
READY_PATH: Final = "/readyz"

Part = Literal["storage", "clock", "ledger", "keys", "stopping"]
"""What may be the reason not to be ready."""

_log = logging.getLogger("coatcheck.health")

_DEADLINE: Final = 2.0  # seconds: balancers wait for three to five
_MOST_SKEW: Final = (
    10.0  # seconds: several nodes that differ by more take each other's requests for late or early
)
_KEPT: Final = 0.5  # seconds: however often strangers ask, the storage is asked twice a second
_DETAILS: Final[dict[Part, str]] = {
    "storage": "The storage does not answer.",
    "clock": "The clocks of this server and the storage differ.",
    "ledger": "The ledger cannot be read.",
    "keys": "The keys cannot be opened.",
    "stopping": "This server is being stopped.",
}


class Health:
    """How one process is.

    Attributes:
        is_stopping: Whether it was told to stop.
        was_ready: Whether it was ready when it was last looked.
    """

    def __init__(
        self, context: Context, *, ticks: Clock = monotonic_clock, deadline: float = _DEADLINE
    ) -> None:
        """Take what is looked at.

        Args:
            context: Storage, ledger and keys.
            ticks: The time that passes.
            deadline: After how many seconds a part that does not answer counts as away.
        """
        self._context = context
        self._ticks = ticks
        self._deadline = deadline
        self._begun = ticks()
        self._read_at = -math.inf
        self._looked_at = -math.inf
        self._begun_at = -math.inf
        self._missing: Part | None = None
        self._is_known = False
        self._part: Part = "storage"
        self._looking: asyncio.Task[Part | None] | None = None
        self.is_stopping: bool = False
        self.was_ready: bool = False

    @property
    def view_age(self) -> float:
        """Seconds since the ledger was last read to its end; since the start if it never was."""
        return self._ticks() - max(self._read_at, self._begun)

    def stop(self) -> None:
        """Be ready no more: whoever sends requests here is to send them elsewhere."""
        self.is_stopping = True
        self.was_ready = False

    async def missing(self) -> Part | None:
        """Return what is missing for being ready; ``None`` if nothing is.

        Whoever asks while it is being looked gets what comes of it, and so does who asks shortly after.
        """
        if self.is_stopping:
            return "stopping"
        if self._looking is None and self._ticks() - self._looked_at < _KEPT:
            return self._missing
        if self._looking is None:
            self._begun_at = self._ticks()
            self._looking = asyncio.create_task(self._look(), name="coatcheck readiness")
        looking = self._looking
        # Waited for, not awaited: one who hangs up must not take the answer from the others. And no longer than the
        # deadline: to interrupt a question to a server that hangs may itself take seconds.
        await asyncio.wait({looking}, timeout=max(0.0, self._begun_at + self._deadline - self._ticks()))
        return self._seen(looking)

    def _seen(self, looking: asyncio.Task[Part | None]) -> Part | None:
        if self.is_stopping:
            return "stopping"
        if not looking.done():
            self._found(self._part)
            return self._part
        return looking.result()

    async def _look(self) -> Part | None:
        try:
            missing = await self._look_in_turn()
        finally:
            self._looking = None
        self._looked_at = self._ticks()
        self._found(missing)
        return missing

    def _found(self, missing: Part | None) -> None:
        """Take note of how things are; tell the operator of a change, once."""
        if missing != self._missing or not self._is_known:
            if missing is None:
                _log.info("ready")
            else:
                _log.warning("not ready: %s", _DETAILS[missing])
        self._missing, self._is_known = missing, True
        self.was_ready = missing is None and not self.is_stopping

    async def _look_in_turn(self) -> Part | None:
        self._part = "storage"
        context = self._context
        try:
            async with asyncio.timeout(self._deadline):
                position = context.ledger.registry.position.seq
                await context.storage.records.list_entries(after=position, limit=1)
                self._part = "clock"
                if abs(_clock_skew(context.storage)) > _MOST_SKEW:
                    return "clock"
                self._part = "ledger"
                await context.ledger.catch_up()
                self._read_at = self._ticks()
                self._part = "keys"
                await context.access_tokens.key_set()
        except TimeoutError:
            _log.debug("the %s took longer than %s s", self._part, self._deadline)
        except CoatcheckError as error:
            _log.debug("the %s: %s %s", self._part, error.code, error.detail or "")
        except Exception:  # noqa: BLE001 - whatever it is, the answer is that it is not ready
            _log.exception("looking at the %s failed", self._part)
        else:
            return None
        return self._part


def _clock_skew(storage: Storage) -> float:
    """Return by how many seconds this machine's clock is ahead of the storage's, if that has one and tells."""
    facts: Callable[[], Mapping[str, float]] | None = getattr(storage, "facts", None)
    return 0.0 if facts is None else facts().get("clock_skew", 0.0)


class Probe:
    """An ASGI application that answers whether all is well."""

    def __init__(self, health: Health, *, deep: bool) -> None:
        """Take how it is.

        Args:
            health: Knows it.
            deep: Whether to look at what is needed to answer requests, and not only to answer.
        """
        self._health = health
        self._deep = deep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await (await self._answer(scope["method"]))(scope, receive, send)

    async def _answer(self, method: str) -> Response:
        if method not in {"GET", "HEAD"}:
            return problem(405, "method_not_allowed", headers={"Allow": "GET, HEAD"})
        missing = await self._health.missing() if self._deep else None
        if missing is not None:
            answer = problem(
                503, f"not_ready_{missing}", detail=_DETAILS[missing], headers={"Retry-After": "1"}
            )
        else:
            answer = Response("ok\n", media_type="text/plain", headers=PLAIN_HEADERS)
        if method == "HEAD":
            answer.body = b""
        return answer
