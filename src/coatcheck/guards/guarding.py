"""What the guards of all frameworks have in common: their words, and what lies behind them.

A guard translates. It hands the headers of a request to the verifier, puts the principal where handlers of its
framework look for it, and writes an error down as its framework writes responses. Whatever is decided is decided by
the verifier.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, nullcontext, suppress
from datetime import timedelta
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakKeyDictionary

import msgspec

from ..identity import parse_scope
from ..verifier import (
    NotReadyError,
    Principal,
    VerificationError,
    Verifier,
    VerifierConfigurationError,
)
from ..verifier.refusals import Refusal, refusal
from ..verifier.resource_metadata import metadata_path, metadata_url, resource_metadata

__all__ = ["UPGRADE", "BaseGuard", "Decorator", "Demand", "Headers", "VerificationError"]

App = TypeVar("App")
Guarded = TypeVar("Guarded")
Handler = TypeVar("Handler", bound=Callable[..., Any])

Headers = Mapping[str, str] | Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]]

UPGRADE = "CONNECT"
"""The method that the handshake of a WebSocket counts as (RFC 8441). It is a GET, but no safe one: browsers let any
page open a WebSocket to any site and send the cookies along, so a cookie must prove where the handshake comes from."""

_PATIENCE = 5.0

_process = (
    0  # counts up in each process that is forked, since asking the system for a number takes a microsecond
)

_followed_by: WeakKeyDictionary[Verifier, int] = WeakKeyDictionary()


class Decorator(Protocol):
    """What ``require`` and ``optional`` return where handlers are decorated: it keeps the handler's type."""

    def __call__(self, handler: Handler, /) -> Handler:
        """Return the handler, guarded."""
        ...


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """What a route demands of whoever calls it.

    Attributes:
        scopes: What the credential must cover.
        acr: The authentication contexts of which the session must have one; ``()`` for any.
        max_age: How long ago the user may have proved who they are.
        optional: Whether the request may come without a credential. One that it has must be good.
    """

    scopes: tuple[str, ...] = ()
    acr: tuple[str, ...] = ()
    max_age: timedelta | None = None
    optional: bool = False


class BaseGuard(Generic[App, Guarded]):
    """The words of all guards.

    A subclass says how an application is told of the guard (``protect``) and what one demand becomes (``_guarded``).

    Attributes:
        verifier: What answers.
    """

    def __init__(self, app: App | None, verifier: Verifier) -> None:
        """Take the verifier, and protect an application.

        Args:
            app: The application, as for ``protect``; ``None`` if it is protected later, or needs not be told.
            verifier: What answers. One verifier may serve several guards.
        """
        self.verifier: Verifier = verifier
        self._resource: str = verifier.audience[0]
        self._scopes: set[str] = set()
        self._settled_in: int | None = None
        if app is not None:
            self.protect(app)

    def protect(self, app: App) -> App:
        """Tell an application of this guard: it answers what is refused, and serves the metadata (RFC 9728).

        Returns:
            The application, so that this can be handed to what makes applications.
        """
        return app

    def require(
        self, *scopes: str, acr: str | Iterable[str] = (), max_age: timedelta | None = None
    ) -> Guarded:
        """Demand a credential, and what is named besides.

        Args:
            scopes: What the credential must cover, all of it.
            acr: The authentication contexts of which the session must have one, best first.
            max_age: How long ago the user may have proved who they are (RFC 9470).

        Returns:
            What the framework takes, which is a dependency, a decorator, or an application.

        Raises:
            MalformedScopeError: If a scope is none.
            VerifierConfigurationError: If a scope is no text.
        """
        if not all(
            isinstance(scope, str) for scope in scopes
        ):  # a handler: ``@guard.require``, without parentheses
            raise VerifierConfigurationError(
                "'require' takes each scope as a text of its own, require('a', 'b'), and none as require()."
            )
        wanted = " ".join(scopes)
        self._scopes.update(parse_scope(wanted))
        contexts = (acr,) if isinstance(acr, str) else tuple(acr)
        return self._guarded(Demand(scopes=tuple(wanted.split()), acr=contexts, max_age=max_age))

    def optional(self) -> Guarded:
        """Let everybody in, and tell who it is: the principal is ``None`` for whoever shows no credential.

        A bearer token that is not good is refused all the same: whoever sends one means it.
        """
        return self._guarded(Demand(optional=True))

    def _guarded(self, demand: Demand) -> Guarded:
        raise NotImplementedError

    def admit(self, demand: Demand, headers: Headers, method: str) -> Principal | None:
        """Return who a request comes from; ``None`` only if the demand is optional.

        The first request waits until the verifier is ready, but not for ever.

        Args:
            demand: What the route demands.
            headers: The headers.
            method: The method of the request.

        Raises:
            VerificationError: If the request is to be refused.
        """
        if demand.optional:
            return self.verifier.authenticate(headers, method=method)
        return self.verifier.require(
            headers, method=method, scopes=demand.scopes, acr=demand.acr, max_age=demand.max_age
        )

    async def admit_async(self, demand: Demand, headers: Headers, method: str) -> Principal | None:
        """Do what ``admit`` does; the event loop goes on while it waits."""
        if self._settled_in != _process:
            with suppress(NotReadyError):
                await self.verifier.ready(timeout=_PATIENCE)
            self._settled_in = _process
        if demand.optional:
            return await self.verifier.authenticate_async(headers, method=method)
        return await self.verifier.require_async(
            headers, method=method, scopes=demand.scopes, acr=demand.acr, max_age=demand.max_age
        )

    def admit_scope(self, demand: Demand, scope: Mapping[str, Any]) -> Awaitable[Principal | None]:
        """Do what ``admit_async`` does, for an ASGI scope."""
        return self.admit_async(demand, scope["headers"], scope.get("method", UPGRADE))

    @property
    def metadata_path(self) -> str:
        """Where the metadata is served, the well-known path with that of the audience behind it."""
        return metadata_path(self._resource)

    def metadata(self) -> Refusal:
        """Return the metadata (RFC 9728), as a response."""
        return resource_metadata(self._resource, issuer=self.verifier.issuer, scopes=sorted(self._scopes))

    def refusal(self, error: VerificationError) -> Refusal:
        """Return an error as the response that tells of it."""
        return refusal(error, metadata_url=metadata_url(self._resource))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let the verifier follow the ledger in this event loop, for as long as the application lives.

        Where it follows for one application already, that goes on; for who is left when that ends, in a thread.
        """
        verifier = self.verifier
        others = _followed_by.get(verifier, 0)
        _followed_by[verifier] = others + 1
        try:
            async with nullcontext() if others else verifier:
                yield
        finally:
            self._settled_in = None  # whoever still asks makes it follow again
            _followed_by[verifier] -= 1
            if _followed_by[verifier] and not others:
                verifier.start()


def _note_fork() -> None:
    global _process  # noqa: PLW0603 - it belongs to the process
    _process += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)
