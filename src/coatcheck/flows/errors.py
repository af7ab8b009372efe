"""Every error that the flows raise beyond those of the domains.

::

    CoatcheckError
    └─ FlowError
       ├─ RecentSignInNeededError     the action needs a sign-in that is younger
       ├─ NotSignedInError            no credential came with the request
       ├─ InvalidTokenError           a bearer token that does not verify, has expired, or whose session has ended
       ├─ InsufficientScopeError      the credential may not do this; ``scope`` says what would be needed
       ├─ SignUpClosedError           nobody may sign up by themselves
       ├─ ServerKeyError              a stored key does not open with this server's secret
       ├─ InvalidRevocationError      what is to be revoked is named in no form that anything here has
       ├─ NotOurTokenError            a token that is to be revoked is not a good one of this server
       ├─ UnknownSessionError         there is no session of that identifier (any more)
       ├─ UnknownClientError          there is no client of that identifier
       ├─ InvalidServiceError         a name or an audience that no service can have
       ├─ ServiceTakenError           there is a service of that name already
       ├─ UnknownSigningKeyError      there is no signing key of that name
       ├─ UnknownServiceError         there is no service of that name
       ├─ UnknownServiceKeyError      a service shows a key that is none
       └─ FeedUnavailableError        the feed takes no more readers; ``retry_after`` seconds
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import CoatcheckError

__all__ = [
    "FeedUnavailableError",
    "FlowError",
    "InsufficientScopeError",
    "InvalidRevocationError",
    "InvalidServiceError",
    "InvalidTokenError",
    "NotOurTokenError",
    "NotSignedInError",
    "RecentSignInNeededError",
    "ServerKeyError",
    "ServiceTakenError",
    "SignUpClosedError",
    "UnknownClientError",
    "UnknownServiceError",
    "UnknownServiceKeyError",
    "UnknownSessionError",
    "UnknownSigningKeyError",
]


class FlowError(CoatcheckError):
    """Base of what the flows refuse."""

    code = "flow_error"


class NotSignedInError(FlowError):
    """The request carries no credential."""

    code = "not_signed_in"

    def __init__(self) -> None:
        super().__init__("Please sign in.")


class InvalidTokenError(FlowError):
    """The bearer token is malformed, expired, revoked or for somebody else (RFC 6750 section 3.1)."""

    code = "invalid_token"

    def __init__(self, *, detail: str | None = None) -> None:
        super().__init__("The access token is invalid, has expired, or its session has ended.", detail=detail)


class InsufficientScopeError(FlowError):
    """The credential does not cover what is asked (RFC 6750 section 3.1).

    Attributes:
        scope: What is needed, space-delimited.
    """

    code = "insufficient_scope"

    def __init__(self, needed: Iterable[str]) -> None:
        super().__init__("You are not allowed to do this.")
        self.scope: str = " ".join(sorted(needed))


class RecentSignInNeededError(FlowError):
    """The user must prove who they are once more (RFC 9470).

    Attributes:
        max_age: How old the sign-in may be, in seconds.
    """

    code = "insufficient_user_authentication"

    def __init__(self, *, max_age: int) -> None:
        super().__init__("Please confirm that it is you: your sign-in is too long ago for this.")
        self.max_age = max_age


class SignUpClosedError(FlowError):
    """Accounts are made by administrators only."""

    code = "sign_up_closed"

    def __init__(self) -> None:
        super().__init__("Nobody can sign up here by themselves. Ask whoever runs this site.")


class ServerKeyError(FlowError):
    """A key in the storage does not open with this server's secret: the secret is another one than before."""

    code = "server_key"

    def __init__(self, *, detail: str | None = None) -> None:
        super().__init__(
            "The signing keys in the database were encrypted under another secret than the one configured now.",
            detail=detail,
        )


class InvalidRevocationError(FlowError):
    """What is to be revoked is named in no form that anything here has.

    Attributes:
        field: Which field of the request it is about.
    """

    code = "invalid_revocation"

    def __init__(self, message: str, *, field: str = "value") -> None:
        super().__init__(message)
        self.field = field


class NotOurTokenError(FlowError):
    """A token that is to be revoked is not a good one of this server: it needs no revoking."""

    code = "not_our_token"

    def __init__(self, *, detail: str | None = None) -> None:
        super().__init__(
            "This is not an access token of this server, or it is not good any more: there is nothing to revoke.",
            detail=detail,
        )


class UnknownSessionError(FlowError):
    """There is no session of that identifier (any more)."""

    code = "unknown_session"

    def __init__(self) -> None:
        super().__init__("There is no such session (any more).")


class UnknownClientError(FlowError):
    """There is no client of that identifier."""

    code = "unknown_client"

    def __init__(self) -> None:
        super().__init__("There is no such client. Whoever signs in at this server itself is 'first-party'.")


class InvalidServiceError(FlowError):
    """A name or an audience is one that no service can have.

    Attributes:
        field: Which of them: ``name`` or ``audience``.
    """

    code = "invalid_service"

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


class UnknownSigningKeyError(FlowError):
    """There is no signing key of that name, or not any more."""

    code = "unknown_signing_key"

    def __init__(self, kid: str) -> None:
        super().__init__(f"This server has no signing key {kid!r} (any more).")


class ServiceTakenError(FlowError):
    """There is a service of that name already."""

    code = "service_taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is a service called {name!r} already.")


class UnknownServiceError(FlowError):
    """There is no service of that name."""

    code = "unknown_service"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no service called {name!r}.")


class UnknownServiceKeyError(FlowError):
    """A service shows a key that belongs to none (RFC 6750 section 3.1)."""

    code = "unknown_service_key"

    def __init__(self) -> None:
        super().__init__("The key belongs to no service of this server.")


class FeedUnavailableError(FlowError):
    """The feed takes no more readers: there are as many as may be, or the server is being stopped.

    Attributes:
        retry_after: After how many seconds it makes sense to try again.
    """

    code = "feed_unavailable"

    def __init__(self, *, retry_after: float, detail: str | None = None) -> None:
        super().__init__("The feed takes no more readers now. Please try again in a moment.", detail=detail)
        self.retry_after = retry_after
