"""The services of the demonstration: starting them as processes, and ending them whatever happens."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from .observation import NoAnswerError

__all__ = ["services_running"]

_SECONDS_TO_START = 30.0
_SECONDS_TO_END = 5.0
_KEY_VARIABLE = "COATCHECK_VERIFIER_KEY"


@asynccontextmanager
async def services_running(
    names: Sequence[str], *, issuer: str, key: str
) -> AsyncIterator[list[tuple[str, int]]]:
    """Start services; give their names and ports once all answer; end them when the block ends.

    Args:
        names: What they are called.
        issuer: Where the server is.
        key: The key by which they show who they are.

    Raises:
        NoAnswerError: If one does not start.
    """
    started: list[asyncio.subprocess.Process] = []
    try:
        for name in names:
            started.append(await _start(name, issuer=issuer, key=key))  # noqa: PERF401 - one that fails ends the others
        yield [(name, await _port_of(name, process)) for name, process in zip(names, started, strict=True)]
    finally:
        for process in started:
            await _end(process)


async def _start(name: str, *, issuer: str, key: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"{__package__}.service",
        name,
        issuer,
        stdout=asyncio.subprocess.PIPE,
        stdin=asyncio.subprocess.PIPE,  # it ends when we do, however that comes about
        env={**os.environ, _KEY_VARIABLE: key},
    )


async def _port_of(name: str, process: asyncio.subprocess.Process) -> int:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    try:
        async with asyncio.timeout(_SECONDS_TO_START):
            return int(await process.stdout.readline())
    except (TimeoutError, ValueError):
        raise NoAnswerError(name, detail="it did not start") from None


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_SECONDS_TO_END):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
