"""Every error that ``coatcheck.verifier`` raises.

::

    CoatcheckError
    ├─ VerificationError               the request is refused; ``status`` says how over HTTP
    │  ├─ NotAuthenticatedError        401: there is no credential
    │  ├─ InvalidTokenError            401: there is one, and it is not (any more) good; ``reason`` says why
    │  │  └─ UnknownKeyError           401: signed with a key that is not known (yet)
    │  ├─ StepUpNeededError            401: good, but the sign-in was too weak or is too long ago (RFC 9470)
    │  ├─ InsufficientScopeError       403: good, but not for this
    │  ├─ CrossSiteError               403: sent by a page of another site (CSRF)
    │  ├─ MalformedCredentialError     400: not in the form of RFC 6750
    │  └─ UnavailableError             503: nobody can tell at the moment
    │     ├─ NotReadyError             keys or ledger have not been read yet
    │     ├─ StaleViewError            the view of the ledger is older than ``max_staleness`` allows
    │     └─ IntrospectionFailedError  the server could not be asked about a session cookie
    ├─ VerifierConfigurationError      an argument makes no sense
    └─ FollowingError                  what the background met; it goes on trying
       ├─ ConnectionFailedError        no connection, or it broke
       ├─ UnexpectedAnswerError        the server answered something else: another status, a redirect, too much
       │  └─ ServiceKeyRefusedError    it does not know the service key
       ├─ DiscoveryError               its metadata is not that of the issuer (RFC 8414 section 3.3)
       ├─ UnusableKeysError            its key set has no key that could be used
       ├─ MalformedStreamError         not a stream of events, or beyond a limit
       └─ UntrustedEventError          an event that is not the issuer's, or not meant for this connection

What the background refuses because the order of the ledger is broken is ``revocation.errors.BrokenOrderError``.
"""

from __future__ import annotations

from typing import ClassVar

from ..errors import CoatcheckError

__all__ = [
    "ConnectionFailedError",
    "CrossSiteError",
    "DiscoveryError",
    "FollowingError",
    "InsufficientScopeError",
    "IntrospectionFailedError",
    "InvalidTokenError",
    "MalformedCredentialError",
    "MalformedStreamError",
    "NotAuthenticatedError",
    "NotReadyError",
    "ServiceKeyRefusedError",
    "StaleViewError",
    "StepUpNeededError",
    "UnavailableError",
    "UnexpectedAnswerError",
    "UnknownKeyError",
    "UntrustedEventError",
    "UnusableKeysError",
    "VerificationError",
    "VerifierConfigurationError",
]


class VerificationError(CoatcheckError):
    """Base of every reason to refuse a request. Catch this around ``verify`` and ``require``.

    Attributes:
        status: The HTTP status that says it (RFC 6750 section 3.1).
        reason: One word for logs and metrics.
    """

    code: ClassVar[str] = "verification_error"
    status: ClassVar[int] = 401
    reason: str = "refused"


class NotAuthenticatedError(VerificationError):
    """The request carries no credential."""

    code: ClassVar[str] = "not_authenticated"
    reason = "no-credential"

    def __init__(self, message: str = "Please sign in.", *, detail: str | None = None) -> None:
        super().__init__(message, detail=detail)


class InvalidTokenError(VerificationError):
    """The credential is not good, or not any more.

    Attributes:
        reason: Why: ``malformed``, ``type``, ``algorithm``, ``signature``, ``claims``, ``issuer``, ``audience``,
            ``expired``, ``not-yet-valid``, ``unknown-key``, ``inactive`` (a session cookie), or what of it was revoked:
            ``revoked-token``, ``revoked-session``, ``revoked-user``, ``revoked-client``, ``revoked-key``,
            ``revoked-everything``.
    """

    code: ClassVar[str] = "invalid_token"

    def __init__(self, message: str, *, reason: str, detail: str | None = None) -> None:
        super().__init__(message, detail=detail)
        self.reason: str = reason


class UnknownKeyError(InvalidTokenError):
    """The token names a key that is not among the issuer's. If it is a new one, it will be known in a moment."""

    code: ClassVar[str] = "unknown_key"

    def __init__(self, *, detail: str | None = None) -> None:
        super().__init__("The token is signed with an unknown key.", reason="unknown-key", detail=detail)


class StepUpNeededError(VerificationError):
    """The user has to prove again, or more strongly, who they are (RFC 9470).

    Attributes:
        acr_values: Any of these would do; empty if how strongly does not matter.
        max_age: At most so many seconds ago; ``None`` if when does not matter.
    """

    code: ClassVar[str] = "insufficient_user_authentication"
    reason = "step-up"

    def __init__(self, message: str, *, acr_values: tuple[str, ...] = (), max_age: int | None = None) -> None:
        super().__init__(message)
        self.acr_values: tuple[str, ...] = acr_values
        self.max_age: int | None = max_age


class InsufficientScopeError(VerificationError):
    """The credential is good, but not for this.

    Attributes:
        scopes: What it would have to be good for, in their order.
    """

    code: ClassVar[str] = "insufficient_scope"
    status: ClassVar[int] = 403
    reason = "scope"

    def __init__(self, *, scopes: tuple[str, ...]) -> None:
        super().__init__("The credential does not allow this.", detail=f"needs {' '.join(scopes)}")
        self.scopes: tuple[str, ...] = scopes


class CrossSiteError(VerificationError):
    """A cookie came with a request that may change something, and not from the site itself (CSRF)."""

    code: ClassVar[str] = "cross_site_request"
    status: ClassVar[int] = 403
    reason = "cross-site"


class MalformedCredentialError(VerificationError):
    """The request does not carry its credential in the form of RFC 6750 section 2.1, or carries two."""

    code: ClassVar[str] = "invalid_request"
    status: ClassVar[int] = 400
    reason = "malformed-credential"


class UnavailableError(VerificationError):
    """Nobody can tell at the moment. It says nothing about the credential."""

    code: ClassVar[str] = "unavailable"
    status: ClassVar[int] = 503
    reason = "unavailable"


class NotReadyError(UnavailableError):
    """The keys and the ledger of the issuer have not been read yet."""

    code: ClassVar[str] = "not_ready"
    reason = "not-ready"

    def __init__(self, *, detail: str | None = None) -> None:
        super().__init__("The service cannot check sign-ins yet.", detail=detail)


class StaleViewError(UnavailableError):
    """Nothing was heard of the ledger for longer than ``max_staleness`` allows.

    Attributes:
        age: How old the view is, in seconds; infinite if there was none yet.
    """

    code: ClassVar[str] = "stale_view"
    reason = "stale"

    def __init__(self, *, age: float) -> None:
        super().__init__(
            "The service cannot check sign-ins at the moment.", detail=f"the view is {age:.1f} s old"
        )
        self.age: float = age


class IntrospectionFailedError(UnavailableError):
    """The server could not be asked what a session cookie stands for."""

    code: ClassVar[str] = "introspection_failed"
    reason = "introspection"

    def __init__(self, *, detail: str | None = None) -> None:
        super().__init__("The service cannot check this sign-in at the moment.", detail=detail)


class VerifierConfigurationError(CoatcheckError):
    """An argument makes no sense; the message says which and what would."""

    code: ClassVar[str] = "invalid_configuration"


class FollowingError(CoatcheckError):
    """Base of what the background can meet while it follows the server. It goes on trying."""

    code: ClassVar[str] = "following_error"


class ConnectionFailedError(FollowingError):
    """There is no connection to the server, or it broke, or nothing came for too long."""

    code: ClassVar[str] = "connection_failed"


class UnexpectedAnswerError(FollowingError):
    """The server answered something else than what was asked for.

    Attributes:
        answer: The status of the answer.
        retry_after: How many seconds to wait, if it says so (RFC 9110 section 10.2.3).
    """

    code: ClassVar[str] = "unexpected_answer"

    def __init__(
        self, message: str, *, answer: int, retry_after: float | None = None, detail: str | None = None
    ) -> None:
        super().__init__(message, detail=detail)
        self.answer: int = answer
        self.retry_after: float | None = retry_after


class ServiceKeyRefusedError(UnexpectedAnswerError):
    """The server does not know the service key, or wants one."""

    code: ClassVar[str] = "service_key_refused"


class DiscoveryError(FollowingError):
    """The metadata of the server is not that of the issuer, or lacks what is needed (RFC 8414)."""

    code: ClassVar[str] = "discovery"


class UnusableKeysError(FollowingError):
    """The key set of the issuer has no key that could be used."""

    code: ClassVar[str] = "unusable_keys"


class MalformedStreamError(FollowingError):
    """What the server sends is no stream of events, or goes beyond a limit."""

    code: ClassVar[str] = "malformed_stream"


class UntrustedEventError(FollowingError):
    """An event is not the issuer's, or was not made for this connection."""

    code: ClassVar[str] = "untrusted_event"
