"""What happened, counted: for whoever watches over a server. Every name that is counted under is one of a closed set.

A count costs some tens of nanoseconds. None is ever told to a visitor.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

from ..errors import CoatcheckError
from .model import SignedIn
from .provider.grants.model import TokenRequest

__all__ = ["GRANTS", "OTHER", "OUTCOMES", "Counts", "counted_grant", "counted_sign_in"]

OTHER: Final = "other"
"""What has no name of its own."""

OUTCOMES: Final = frozenset(
    {"success", "invalid_credentials", "too_many_attempts", "overloaded", "too_many_sessions", OTHER}
)
"""How a sign-in ends."""

GRANTS: Final = {
    "authorization_code": "authorization_code",
    "refresh_token": "refresh_token",
    "client_credentials": "client_credentials",
    "urn:ietf:params:oauth:grant-type:jwt-bearer": "jwt_bearer",
    "sign_in": "sign_in",
}
"""For what tokens are issued, and the short names of it."""


class _Context(Protocol):
    @property
    def counts(self) -> Counts: ...


class _Counting(Protocol):
    @property
    def _context(self) -> _Context: ...


Flow = TypeVar("Flow", bound=_Counting)
Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")


class Counts:
    """The counts of one process, since it began.

    Attributes:
        recalled: Credentials that were answered from memory, by what carried them.
        looked_up: Those that took a look at the storage, likewise.
        sign_ins: Sign-ins by ``OUTCOMES``.
        tokens: Tokens issued by the values of ``GRANTS``.
        refusals: Requests refused, by the code of the error.
        revocations: What was written in the ledger here, by kind.
    """

    __slots__ = ("looked_up", "recalled", "refusals", "revocations", "sign_ins", "tokens")

    def __init__(self) -> None:
        self.recalled: dict[str, int] = {"cookie": 0, "bearer": 0}
        self.looked_up: dict[str, int] = {"cookie": 0, "bearer": 0}
        self.sign_ins: dict[str, int] = dict.fromkeys(sorted(OUTCOMES), 0)
        self.tokens: dict[str, int] = dict.fromkeys(GRANTS.values(), 0)
        self.refusals: dict[str, int] = {}
        self.revocations: dict[str, int] = {}

    def signed_in(self, outcome: str) -> None:
        """Count a sign-in; what is no outcome, as another."""
        self.sign_ins[outcome if outcome in OUTCOMES else OTHER] += 1

    def issued(self, grant: str) -> None:
        """Count tokens that were issued for one of ``GRANTS``."""
        name = GRANTS.get(grant, OTHER)
        self.tokens[name] = self.tokens.get(name, 0) + 1

    def refused(self, error: Exception) -> None:
        """Count a request that was refused, or that this program failed at: by its kind, never by its words."""
        # The code of the class: one of an instance might come from anywhere.
        code = type(error).code if isinstance(error, CoatcheckError) else "server_error"
        self.refusals[code] = self.refusals.get(code, 0) + 1

    def revoked(self, kinds: Iterable[str]) -> None:
        """Count what ended."""
        for kind in kinds:
            self.revocations[kind] = self.revocations.get(kind, 0) + 1


def counted_sign_in(
    method: Callable[Concatenate[Flow, Arguments], Coroutine[Any, Any, SignedIn]],
) -> Callable[Concatenate[Flow, Arguments], Coroutine[Any, Any, SignedIn]]:
    """Count how the sign-ins of a flow end."""

    @wraps(method)
    async def counted(self: Flow, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> SignedIn:
        counts = self._context.counts
        try:
            signed_in = await method(self, *args, **kwargs)
        except Exception as error:
            counts.signed_in(error.code if isinstance(error, CoatcheckError) else OTHER)
            raise
        counts.signed_in("success")
        if signed_in.tokens is not None:
            counts.issued("sign_in")
        return signed_in

    return counted


def counted_grant(
    method: Callable[[Flow, TokenRequest], Coroutine[Any, Any, Answer]],
) -> Callable[[Flow, TokenRequest], Coroutine[Any, Any, Answer]]:
    """Count the token requests that a flow answers with tokens."""

    @wraps(method)
    async def counted(self: Flow, request: TokenRequest, /) -> Answer:
        answer = await method(self, request)
        self._context.counts.issued(request.required("grant_type"))
        return answer

    return counted
