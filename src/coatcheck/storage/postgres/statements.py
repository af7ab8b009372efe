"""The records' statements as this engine takes them."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import msgspec

from ..sql.access import SKIPS_LOCKED

__all__ = ["TOLD", "Statement", "statement_of"]

TOLD: Final = frozenset(
    {
        "apis",
        "keys",
        "ledger",
        "oauth_clients",
        "permissions",
        "role_members",
        "roles",
        "services",
        "signal_streams",
        "signals",
    }
)
"""The tables whose changes every node is told of: what is kept in memory, or waited for."""

_PARAMETER: Final = re.compile(r":([a-z_]+)")
_TARGET: Final = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+([a-z_]+)")


class Statement(msgspec.Struct, frozen=True, gc=False):
    """A statement.

    Attributes:
        text: It, with parameters as the driver names them.
        tells: Whether it changes a table of ``TOLD``.
    """

    text: str
    tells: bool


@cache  # the statements are constants of the program, some two hundred
def statement_of(sql: str) -> Statement:
    """Return a statement whose parameters are named ``:so``."""
    target = _TARGET.match(sql)
    text = _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))
    text = text.replace(SKIPS_LOCKED, "FOR UPDATE SKIP LOCKED")
    return Statement(text=text, tells=target is not None and target[1] in TOLD)
