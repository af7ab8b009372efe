"""Measures the first check of a token in new processes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable

import msgspec

from .credentials import LIMITS, TYPE, Issuance
from .errors import ComparisonError
from .model import Sample
from .samples import make_sample

__all__ = ["Beginning", "measure_beginnings"]


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """How long the first check in a new process took.

    Attributes:
        loading: The modules.
        check: From the key's text to the verified token.
    """

    loading: Sample
    check: Sample


async def measure_beginnings(
    issuance: Issuance, *, rounds: int, on_round: Callable[[], None]
) -> dict[str, Beginning]:
    """Start a process for each design and round, one after the other.

    Args:
        issuance: Makes the tokens.
        rounds: How many processes for each design.
        on_round: Called after each round.

    Raises:
        ComparisonError: If one fails.
    """
    found: dict[str, list[dict[str, float]]] = {design: [] for design in issuance.tokens}
    for _ in range(rounds):
        for design, taken in found.items():
            taken.append(await _begin(issuance, design))
        on_round()
    return {
        design: Beginning(
            loading=make_sample([[each["import"]] for each in taken]),
            check=make_sample([[each["check"]] for each in taken]),
        )
        for design, taken in found.items()
    }


async def _begin(issuance: Issuance, design: str) -> dict[str, float]:
    key, secret = issuance.tokens[design].private
    told = {
        "key": key,
        "decrypt": secret,
        "issuer": issuance.issuer,
        "audience": issuance.audience,
        "typ": TYPE,
        "longest": LIMITS.token,
        "token": issuance.token(design),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"{__package__}.first_check",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ},
    )
    try:
        output, _ = await process.communicate(json.dumps(told).encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        found: dict[str, float] = json.loads(output)
    except ValueError:
        raise ComparisonError("A process that was to check one token has failed.") from None
    return found
