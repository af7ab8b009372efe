"""The verifier, as a protected service uses it."""

from __future__ import annotations

import os
import re
import sys
import threading
import weakref
from collections.abc import Collection
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, NoReturn, Self

from .._core.clock import Clock, system_clock
from ..jose import JOSEError, Key
from .core import Core
from .discovery import check_issuer
from .errors import (
    InvalidTokenError,
    NotAuthenticatedError,
    NotReadyError,
    VerificationError,
    VerifierConfigurationError,
)
from .introspection import Sessions
from .model import EventHook, Metrics, Principal
from .policy import VerifierPolicy
from .requests import Headers, bearer_token, check_cross_site, check_form, session_cookie
from .requirements import check_requirements
from .state import State
from .view import View

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    import httpx

    from .tasks import Tasks
    from .threaded import Threads

__all__ = ["Verifier"]

_KEY_VARIABLE = "COATCHECK_VERIFIER_KEY"
_KEY = re.compile(r"[A-Za-z0-9._~+/-]{1,512}=*")
_COOKIE = "__Host-coatcheck"

_all: weakref.WeakSet[Verifier] = weakref.WeakSet()


class Verifier:
    """Tells whom a credential of one issuer stands for, in memory, and refuses what has been revoked.

    Make one for the whole process and keep it. It begins to follow the issuer when it is first used, in threads of its
    own; or at ``start()``; or, with ``async with``, in tasks of the event loop. All of it may be called from any thread
    and any task, and none of it waits for the network, but for the first use, and for a session cookie that was not
    seen before.
    """

    def __init__(
        self,
        issuer: str,
        *,
        audience: str | Collection[str],
        key: str | None = None,
        secret: str | bytes | None = None,
        max_staleness: timedelta | None = None,
        cookies: Literal["off", "session"] = "off",
        trusted_origins: Collection[str] = (),
        allow_http: bool = False,
        on_event: EventHook | None = None,
        policy: VerifierPolicy | None = None,
        clock: Clock = system_clock,
    ) -> None:
        """Say whom to believe, and for what.

        Args:
            issuer: The issuer of the credentials, exactly as it calls itself.
            audience: What this service is called in tokens (``aud``): one name, or several.
            key: The key by which the issuer's server knows this service; by default the environment variable
                ``COATCHECK_VERIFIER_KEY``. White space around it, as at the end of a file, does not count.
            secret: Where tokens for this service are signed with a secret (``HS256``), that secret. Then no others are
                accepted; and without it none of that kind.
            max_staleness: How old the view of the ledger may be before everything is refused (503). The server says
                something every 2 seconds, so anything below 6 seconds refuses without need. By default a view of any
                age will do: cut off from the server, tokens are accepted until they expire.
            cookies: Whether session cookies of the issuer are credentials too, beside tokens. For services on the same
                host. It takes a key.
            trusted_origins: Origins beside the own whose pages may send unsafe requests with a cookie.
            allow_http: Whether the issuer may be reached over plain http, for a network that protects it otherwise.
            on_event: Called in the background when something happens there.
            policy: The tunables.
            clock: The time, in seconds since 1970.

        Raises:
            VerifierConfigurationError: If an argument makes no sense.
        """
        self._policy = policy or VerifierPolicy()
        service_key = _service_key(key)
        _check_staleness(max_staleness)
        if cookies not in {"off", "session"}:
            raise VerifierConfigurationError("'cookies' is 'off' or 'session'.")
        if cookies == "session" and service_key is None:
            raise VerifierConfigurationError(
                "The server is asked what a session cookie stands for, which takes the key of this service: "
                f"pass 'key', or set {_KEY_VARIABLE}."
            )
        self.issuer: str = check_issuer(issuer, allow_http=allow_http)
        self.audience: tuple[str, ...] = _audience(audience)
        key_of_secret = None if secret is None else _secret_key(secret)
        self._view = view = View(
            issuer=issuer, audience=self.audience, policy=self._policy, clock=clock, secret=key_of_secret
        )
        self._state = State(
            issuer,
            view=view,
            policy=self._policy,
            clock=clock,
            service_key=service_key,
            allow_http=allow_http,
            on_event=on_event,
        )
        self._core = Core(
            view,
            self._policy,
            clock=clock,
            max_staleness=None if max_staleness is None else max_staleness.total_seconds(),
            unknown_key=self._state.unknown_key,
            await_ready=self._await_start,
        )
        self._sessions = Sessions(self._state, self._core) if cookies == "session" else None
        self._trusted = frozenset(trusted_origins)
        self._lock = threading.Lock()
        self._threads: Threads | None = None
        self._tasks: Tasks | None = None
        self._client: httpx.Client | None = None
        self._askers: ThreadPoolExecutor | None = None
        self._has_waited = False
        _all.add(self)

    def __repr__(self) -> str:
        return f"<Verifier {self.issuer} for {', '.join(self.audience)}>"

    # --- following -----------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to follow the issuer in background threads. Calling it again does nothing.

        Raises:
            VerifierConfigurationError: If ``httpx`` is not installed.
        """
        with self._lock:
            if self._threads is None and self._tasks is None:
                try:
                    from .threaded import Threads  # noqa: PLC0415 - loads httpx
                except ImportError:
                    _lacks_httpx()
                self._threads = Threads(self._state)
                self._threads.start()

    def close(self) -> None:
        """Stop following. What is known stays known."""
        with self._lock:
            threads, self._threads = self._threads, None
            client, self._client = self._client, None
            askers, self._askers = self._askers, None
        if threads is not None:
            threads.stop()
            self._state.renew()
        if askers is not None:
            askers.shutdown(wait=False, cancel_futures=True)
        if client is not None:
            client.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        try:
            from .tasks import Tasks  # noqa: PLC0415 - loads httpx
        except ImportError:
            _lacks_httpx()
        self.close()
        self._tasks = Tasks(self._state)
        self._tasks.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        tasks, self._tasks = self._tasks, None
        if tasks is not None:
            await tasks.stop()
        self.close()

    def wait_until_ready(self, timeout: float | None = 5.0) -> None:
        """Wait until everything is there to verify with. Not for event loops.

        Args:
            timeout: For how long, in seconds; ``None`` for ever.

        Raises:
            NotReadyError: If it takes longer. Its ``detail`` says what is in the way.
        """
        self.start()
        if not self._state.ready.wait(timeout):
            raise NotReadyError(detail=self._obstacle())

    async def ready(self, timeout: float | None = 5.0) -> None:  # noqa: ASYNC109 - callers have no cancel scope at start
        """Wait, in an event loop, until everything is there to verify with.

        Args:
            timeout: For how long, in seconds; ``None`` for ever.

        Raises:
            NotReadyError: If it takes longer. Its ``detail`` says what is in the way.
        """
        self.start()
        from .tasks import wait_for  # noqa: PLC0415 - loads httpx

        if not await wait_for(self._state.ready, timeout):
            raise NotReadyError(detail=self._obstacle())

    def _obstacle(self) -> str:
        error = self._state.last_error
        if error is None:
            return "nothing was heard of the server yet"
        return f"{error.code}: {error.message}" + (f" ({error.detail})" if error.detail else "")

    def _await_start(self) -> None:
        """Give the background a moment, the first time that it is missed."""
        self.start()
        if self._has_waited or _is_in_event_loop():
            return
        self._state.ready.wait(self._policy.startup_timeout)
        self._has_waited = True

    def _after_fork(self) -> None:
        """Follow in this process too, if the parent did: threads stay behind, and locks may be held by them."""
        followed = self._threads is not None or self._tasks is not None
        self._lock = threading.Lock()
        self._threads, self._tasks, self._client, self._askers = None, None, None, None
        self._state.renew()
        if self._sessions is not None:
            self._sessions.renew()
        if followed:
            self.start()

    # --- verifying -----------------------------------------------------------------------------------------

    def verify(self, token: str) -> Principal:
        """Return whom an access token stands for. In memory, in microseconds.

        Raises:
            InvalidTokenError: If it is not good, or not any more.
            NotReadyError: If nothing can be verified yet.
            StaleViewError: If nothing was heard of the ledger for longer than ``max_staleness``.
        """
        return self._core.verify(token)

    def authenticate(self, headers: Headers, *, method: str = "GET") -> Principal | None:
        """Return whom a request comes from; ``None`` if it carries no credential.

        A token counts before a cookie, and has to be good: whoever sends one means it. A cookie that stands for nothing
        any more is as none. About a cookie that was not seen before the server is asked, which takes a
        moment: in an event loop, use ``authenticate_async``.

        Args:
            headers: Its headers: a mapping or pairs, of texts or octets.
            method: Its method: an unsafe one with a cookie has to come from the site itself.

        Raises:
            VerificationError: One of its kinds, if there is a credential and it is refused.
        """
        token = self._bearer(headers)
        if token is not None:
            return self._verified(token)
        secret = self._cookie(headers, method)
        if secret is None or self._sessions is None:
            return None
        try:
            return self._sessions.recall(secret) or self._ask(secret)
        except InvalidTokenError:
            return None  # browsers send a cookie whether anybody means it or not

    async def authenticate_async(self, headers: Headers, *, method: str = "GET") -> Principal | None:
        """Do what ``authenticate`` does, without holding the event loop up for a cookie that was not seen before."""
        token = self._bearer(headers)
        if token is not None:
            return self._verified(token)
        secret = self._cookie(headers, method)
        if secret is None or self._sessions is None:
            return None
        try:
            return self._sessions.recall(secret) or await self._ask_async(secret)
        except InvalidTokenError:
            return None

    def require(
        self,
        headers: Headers,
        *,
        method: str = "GET",
        scopes: Collection[str] = (),
        acr: Collection[str] = (),
        max_age: float | timedelta | None = None,
    ) -> Principal:
        """Return whom a request comes from, if it may do what it is about to.

        Args:
            headers: Its headers: a mapping or pairs, of texts or octets.
            method: Its method.
            scopes: What its credential has to be good for, all of it.
            acr: How strong the sign-in has to be: any of these, or a higher level than one of ``aal1`` to ``aal3``.
            max_age: How long ago the user may have proved who they are, in seconds.

        Raises:
            NotAuthenticatedError: If there is no credential.
            InsufficientScopeError: If it is not good for all of the scopes.
            StepUpNeededError: If the sign-in is too weak or too long ago (RFC 9470).
            VerificationError: Another of its kinds, if the credential is refused.
        """
        principal = self.authenticate(headers, method=method)
        if principal is None:
            raise self._core.refused(NotAuthenticatedError())
        if scopes or acr or max_age is not None:
            self._check(principal, scopes=scopes, acr=acr, max_age=max_age)
        return principal

    async def require_async(
        self,
        headers: Headers,
        *,
        method: str = "GET",
        scopes: Collection[str] = (),
        acr: Collection[str] = (),
        max_age: float | timedelta | None = None,
    ) -> Principal:
        """Do what ``require`` does, without holding the event loop up for a cookie that was not seen before."""
        principal = await self.authenticate_async(headers, method=method)
        if principal is None:
            raise self._core.refused(NotAuthenticatedError())
        self._check(principal, scopes=scopes, acr=acr, max_age=max_age)
        return principal

    def metrics(self) -> Metrics:
        """Return how it is doing."""
        state, view, core = self._state, self._view, self._core
        return Metrics(
            ready=view.ready,
            connected=state.connected,
            view_age=view.age(),
            epoch=view.registry.epoch,
            position=view.registry.position,
            entries=len(view.registry),
            keys=0 if view.keys is None else len(view.keys),
            cached=len(core) + (0 if self._sessions is None else len(self._sessions)),
            hits=core.hits,
            misses=core.misses,
            refusals=dict(core.refusals),
            clock_offset=view.offset,
            connections=state.connections,
            snapshots=state.snapshots,
            key_fetches=state.key_fetches,
            last_error="" if state.last_error is None else state.last_error.code,
        )

    def _bearer(self, headers: Headers) -> str | None:
        try:
            return bearer_token(headers)
        except VerificationError as error:
            raise self._core.refused(error) from None

    def _verified(self, token: str) -> Principal:
        try:
            return self._core.verify(token)
        except InvalidTokenError as error:
            if error.reason == "malformed":
                check_form(token)  # then the request is wrong, more than the token
            raise

    def _cookie(self, headers: Headers, method: str) -> str | None:
        if self._sessions is None:
            return None
        try:
            secret = session_cookie(headers, _COOKIE)
            if secret is not None:
                check_cross_site(headers, method=method, trusted=self._trusted)
        except VerificationError as error:
            raise self._core.refused(error) from None
        return secret

    def _check(
        self,
        principal: Principal,
        *,
        scopes: Collection[str],
        acr: Collection[str],
        max_age: float | timedelta | None,
    ) -> None:
        try:
            check_requirements(principal, scopes=scopes, acr=acr, max_age=max_age, now=self._view.now())
        except VerificationError as error:
            raise self._core.refused(error) from None

    def _ask(self, secret: str) -> Principal:
        from .threaded import run  # noqa: PLC0415 - loads httpx

        if _is_in_event_loop():
            raise VerifierConfigurationError(
                "The server has to be asked about a cookie, which would hold this event loop up: use "
                "authenticate_async or require_async."
            )
        assert self._sessions is not None  # noqa: S101 - that is where the question comes from
        return run(self._http(), self._sessions.ask(secret))

    async def _ask_async(self, secret: str) -> Principal:
        from .tasks import run  # noqa: PLC0415 - loads httpx

        assert self._sessions is not None  # noqa: S101 - that is where the question comes from
        return await run(self._http(), self._sessions.ask(secret), threads=self._threads_for_questions())

    def _http(self) -> httpx.Client:
        import httpx  # noqa: PLC0415 - only when it is needed

        from .transport import client_options  # noqa: PLC0415 - loads httpx

        with self._lock:
            if self._client is None:
                self._client = httpx.Client(**client_options())
            return self._client

    def _threads_for_questions(self) -> ThreadPoolExecutor:
        """Return threads of the verifier's own: those of the application are not for waiting for the server."""
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - only when it is needed

        with self._lock:
            if self._askers is None:
                self._askers = ThreadPoolExecutor(
                    max_workers=max(1, int(self._policy.introspections)),
                    thread_name_prefix="coatcheck introspection",
                )
            return self._askers


def _check_staleness(limit: object) -> None:
    if limit is not None and not (isinstance(limit, timedelta) and limit > timedelta(0)):
        raise VerifierConfigurationError("'max_staleness' must be a positive timedelta, or None.")


def _secret_key(secret: str | bytes) -> Key:
    """Return the key that a secret is: its octets, in UTF-8 if it is text."""
    try:
        return Key.from_secret(secret.encode() if isinstance(secret, str) else secret, "HS256")
    except (JOSEError, UnicodeEncodeError, AttributeError, TypeError):
        raise VerifierConfigurationError(
            "'secret' is the secret of this API, of at least 32 octets, as its server gave it."
        ) from None


def _service_key(given: object) -> str | None:
    key = given if given is not None else os.environ.get(_KEY_VARIABLE, "").strip() or None
    if key is None:
        return None
    if not isinstance(key, str) or not _KEY.fullmatch(key.strip()):
        raise VerifierConfigurationError(
            f"The service key ('key' or {_KEY_VARIABLE}) is none: it is one word."
        )
    return key.strip()


def _audience(audience: object) -> tuple[str, ...]:
    names = (audience,) if isinstance(audience, str) else audience
    if (
        not isinstance(names, Collection)
        or not names
        or not all(isinstance(each, str) and each for each in names)
    ):
        raise VerifierConfigurationError("'audience' must be the name of this service in tokens, or several.")
    return tuple(names)


def _is_in_event_loop() -> bool:
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _lacks_httpx() -> NoReturn:
    raise VerifierConfigurationError(
        "The verifier needs httpx to follow its issuer: pip install 'coatcheck[verifier]'."
    ) from None


def _after_fork() -> None:
    for verifier in list(_all):
        verifier._after_fork()  # noqa: SLF001 - this module's own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
