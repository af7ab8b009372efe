"""The name of a request: the same in its answer, in every line of the log that it leads to, and at the proxy.

A proxy that is trusted may give it, in ``X-Request-ID``. What anybody else sends there is not looked at: whoever could
choose the name of their request could hide it among others in the log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextvars import ContextVar

from starlette.types import Scope

from .._core.entropy import random_bytes
from .clients import Network, is_from

__all__ = ["HEADER", "RequestIds", "current_request_id", "current_trace_id", "only_value"]

HEADER = b"x-request-id"

_FORM = re.compile(rb"[A-Za-z0-9._-]{8,128}")
_OCTETS = 12
_AT_ONCE = 128 * _OCTETS

current_request_id: ContextVar[str] = ContextVar("current_request_id", default="")
"""The name of the request that is being answered; ``""`` outside of one."""

current_trace_id: ContextVar[str] = ContextVar("current_trace_id", default="")
"""The trace that it belongs to, in 32 hexadecimal digits; ``""`` where nothing is traced."""


class RequestIds:
    """Names requests. One per process."""

    def __init__(self, trusted_proxies: Sequence[Network] = ()) -> None:
        """Take the proxies whose word counts."""
        self._trusted = tuple(trusted_proxies)
        self._random = b""
        self._used = 0

    def of(self, scope: Scope) -> str:
        """Return the name that a trusted proxy gave a request, else a new one: 24 hexadecimal digits."""
        if self._trusted and is_from(scope, self._trusted):
            given = only_value(scope["headers"], HEADER)
            if given is not None and _FORM.fullmatch(given):
                return given.decode("ascii")
        return self._new()

    def _new(self) -> str:
        start = self._used
        if start >= len(self._random):
            # Asked for many at once: a system call for each would cost more than all the rest.
            self._random, start = random_bytes(_AT_ONCE), 0
        self._used = start + _OCTETS
        return self._random[start : self._used].hex()


def only_value(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """Return the value of a header; ``None`` if it is not there, or several times."""
    values = [value for each, value in headers if each == name]
    return values[0] if len(values) == 1 else None
