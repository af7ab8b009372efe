"""Answers that are the same for everybody: written out once, and again only when what they show has changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.types import Message, Receive, Scope, Send

from .resource import Resource

__all__ = ["Written"]


class Written:
    """An ASGI application that answers as a resource does, for as long as that is the same from what was written.

    Only a plain GET is answered like that. In development each answer is made anew, because it may depend on the name
    by which this machine was reached, and because other machines are refused.
    """

    def __init__(
        self, resource: Resource, state: Callable[[], Awaitable[object]], *, development: bool
    ) -> None:
        """Take what answers.

        Args:
            resource: What answers. With the same state, a GET of anybody gets the same from it, but for conditions.
            state: What the answer depends on, to be compared with what it was.
            development: Whether nothing is kept.
        """
        self._resource = resource
        self._state = state
        self._development = development
        self._written: tuple[object, list[Message]] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        plain = scope["type"] == "http" and scope["method"] == "GET" and not self._development
        if not plain or any(name == b"if-none-match" for name, _ in scope["headers"]):
            await self._resource(scope, receive, send)
            return
        state = await self._state()
        written = self._written
        if written is None or written[0] != state:
            written = (state, await self._answer(scope, receive))
            if written[1][0]["status"] == 200:
                self._written = written
        for message in written[1]:
            await send({**message})

    async def _answer(self, scope: Scope, receive: Receive) -> list[Message]:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._resource(scope, receive, keep)
        return messages
