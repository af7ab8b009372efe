"""Turns a coroutine that takes a storage into a test that pytest can run, without a plug-in."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from ...flows.ports import Storage

__all__ = ["Factory", "run", "scenario"]

Factory = Callable[[], Storage]
"""Opens a storage; what an earlier call in the same test has stored is there."""


def run(factory: Factory, body: Callable[[Storage], Awaitable[None]]) -> None:
    """Open a storage, run ``body`` with it in an event loop of its own, and close it."""

    async def drive() -> None:
        storage = factory()
        try:
            await body(storage)
        finally:
            await storage.close()

    asyncio.run(drive())


def scenario(body: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Make a test method out of a coroutine method. Its ``storage`` comes from the fixture ``new_storage``."""

    def test(self: object, new_storage: Factory, **arguments: Any) -> None:
        run(new_storage, lambda storage: body(self, storage, **arguments))

    own, _, *others = inspect.signature(body).parameters.values()
    test.__name__ = test.__qualname__ = getattr(body, "__name__", "test")
    test.__doc__ = body.__doc__
    fixture = inspect.Parameter("new_storage", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    test.__signature__ = inspect.Signature([own, fixture, *others])  # type: ignore[attr-defined] # read by pytest
    return test
