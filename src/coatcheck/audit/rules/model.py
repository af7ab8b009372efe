"""What a rule is, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from ..evidence import Evidence
from ..model import Severity
from ..recording import Exchange

__all__ = ["Check", "Hit", "Rule"]


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """That a rule is broken.

    Attributes:
        subject: By what it is: hits of one rule on one subject are one finding.
        evidence: What was seen, without secrets.
        exchange: Where; ``None`` for a bare token.
        severity: How bad it is here, if not as bad as the rule says.
    """

    subject: str
    evidence: str
    exchange: Exchange | None
    severity: Severity | None = None


Check = Callable[[Evidence], Iterator[Hit]]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """Something to look for.

    Attributes:
        id: Its stable name.
        severity: How bad it is at worst.
        title: What is wrong, as a sentence.
        why: What can come of it.
        fix: What to do.
        sources: What says so.
        check: Looks for it.
    """

    id: str
    severity: Severity
    title: str
    why: str
    fix: str
    sources: tuple[str, ...]
    check: Check
