"""How long to wait before trying again."""

from __future__ import annotations

from .._core.entropy import random_bytes
from ..errors import CoatcheckError
from .errors import ServiceKeyRefusedError, UnexpectedAnswerError
from .policy import VerifierPolicy

__all__ = ["Backoff"]


class Backoff:
    """Twice as long each time, up to a limit, and never all at once: many lose their server in the same moment."""

    __slots__ = ("_failures", "_policy")

    def __init__(self, policy: VerifierPolicy) -> None:
        self._policy = policy
        self._failures = 0

    def reset(self) -> None:
        """Begin anew: it went well."""
        self._failures = 0

    def next(self, error: CoatcheckError | None = None) -> float:
        """Return how many seconds to wait after another failure."""
        policy = self._policy
        pause = min(policy.longest_pause, policy.first_pause * 2.0 ** min(self._failures, 20))
        self._failures += 1
        if isinstance(error, ServiceKeyRefusedError):
            pause = policy.longest_pause  # it takes a person to mend that
        pause *= 0.5 + random_bytes(1)[0] / 510  # between half of it and all
        if isinstance(error, UnexpectedAnswerError) and error.retry_after is not None:
            return pause + error.retry_after
        return pause
