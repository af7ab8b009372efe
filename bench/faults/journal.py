"""What clients were told, and what came of their requests: the truth that everything is checked against."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from time import monotonic

from bench.scale.http import Answer

_READS = {"probe", "check", "authorization"}


@dataclass
class Journal:
    """Of one scenario. Times are of the monotonic clock of this process."""

    acknowledged: Counter[str] = field(default_factory=Counter)
    """By kind: what was answered as done."""
    answers: Counter[str] = field(default_factory=Counter)
    """By kind of answer: ``ok``, ``refused`` (4xx), ``503`` as designed, ``no answer``, ``balancer`` (502, 504)."""
    refusals: Counter[str] = field(default_factory=Counter)
    """By kind of request: what was refused, and why."""
    strange: Counter[str] = field(default_factory=Counter)
    """Answers that no release should give."""
    successes: list[float] = field(default_factory=list)
    """When something that writes was answered with success."""
    lost: list[str] = field(default_factory=list)
    """Acknowledged writes that are not there."""
    broken: list[str] = field(default_factory=list)
    """Families of refresh tokens that were ended, though their client did nothing wrong."""
    late: int = 0
    """Families whose client could not ask again within the window of grace."""
    came_back: list[str] = field(default_factory=list)
    """Revoked credentials that were accepted later than the bound."""
    longest_stale: float = 0.0
    """Seconds after the acknowledgement at which a revoked credential was asked about and accepted last."""
    checked: Counter[str] = field(default_factory=Counter)
    """By kind: what was looked for afterwards."""

    refused_good: list[str] = field(default_factory=list)
    """Credentials that should have been taken at that moment, and were not."""

    def note(self, what: str, answer: Answer | None) -> None:
        """Note an answer, or that there was none."""
        if answer is None:
            self.answers["no answer"] += 1
            return
        status = answer.status
        if status < 400:
            self.answers["ok"] += 1
            if what not in _READS:
                self.successes.append(answer.at)
        elif status < 500:
            self.answers["refused"] += 1
            self.refusals[
                f"{what}: {status} {answer.json().get('code') or answer.json().get('error') or ''}"
            ] += 1
        elif status in {502, 504} and b"nginx" in answer.body:
            self.answers["balancer"] += 1
        elif status == 503 and is_designed(answer):
            self.answers["503"] += 1
        else:
            self.strange[f"{what}: {status} {answer.body[:120]!r}"] += 1

    def done(self, what: str) -> None:
        """Note that something was acknowledged."""
        self.acknowledged[what] += 1

    def accepted(self, what: str, *, asked: float, revoked: float, bound: float) -> None:
        """Note that a revoked credential was accepted when it was asked about."""
        stale = asked - revoked
        self.longest_stale = max(self.longest_stale, stale)
        if stale > bound:
            self.came_back.append(f"{what}, {stale:.2f} s after its end")

    def back_after(self, mended: float) -> float | None:
        """Seconds from the end of a fault to the first write after it that succeeded."""
        return next((each - mended for each in sorted(self.successes) if each > mended), None)

    def longest_gap(self) -> float:
        """The longest time, in seconds, in which nobody was told that anything was written."""
        ordered = sorted(self.successes)
        return max((later - earlier for earlier, later in pairwise(ordered)), default=0.0)


def is_designed(answer: Answer) -> bool:
    """Whether a 503 is one of ours: a problem with a code, an error of OAuth, or a page, and not a traceback."""
    told = answer.json()
    return bool(told.get("code") or told.get("error")) or b"Coatcheck</title>" in answer.body


def now() -> float:
    """The clock of the journal."""
    return monotonic()
