"""Every error that the flows raise beyond those of the domains.

::

    CoatcheckError
    └─ FlowError
       ├─ RecentSignInNeededError     the action needs a sign-in that is younger
       ├─ NotSignedInError            no credential came with the request
       ├─ InvalidTokenError           a bearer token that does not verify, has expired, or whose session has ended
       ├─ InsufficientScopeError      the credential may not do this; ``scope`` says what would be needed
       ├─ SignUpClosedError           nobody may sign up by themselves
       └─ ServerKeyError              a stored key does not open with this server's secret
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import CoatcheckError

__all__ = [
    "FlowError",
    "InsufficientScopeError",
    "InvalidTokenError",
    "NotSignedInError",
    "RecentSignInNeededError",
    "ServerKeyError",
    "SignUpClosedError",
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
