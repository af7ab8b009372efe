"""From a designed error to what a client is told: one closed table, and the formats of three specifications.

- Everything: ``application/problem+json`` (RFC 9457), or the same as a page.
- The token endpoint: RFC 6749 section 5.2.
- Who is refused for lack of a credential, or for its kind: ``WWW-Authenticate`` by RFC 6750 section 3 and RFC 9470
  section 3, beside the problem.

What is in no row of the table is a failure of this program, not of the client's: it answers 500, and nothing about it
is told but a number under which the operator finds it in the log.

=======  =====================================================================================================
status   of a form shown again
=======  =====================================================================================================
401      address and password do not belong together
422      a field does not fit: the address is none, the password breaks a rule, something is not confirmed
429      too many attempts, with ``Retry-After``
503      too many passwords wait to be hashed, with ``Retry-After``
409      as many sessions as allowed
=======  =====================================================================================================
"""

from __future__ import annotations

import math
import re
from http import HTTPStatus

import msgspec

from ..accounts.errors import (
    InvalidCredentialsError,
    InvalidEmailError,
    InvalidLinkError,
    OverloadedError,
    PasswordRefusedError,
    TooManyAttemptsError,
    UnknownUserError,
)
from ..errors import CoatcheckError
from ..flows.errors import (
    FeedUnavailableError,
    InsufficientScopeError,
    InvalidRevocationError,
    InvalidServiceError,
    InvalidTokenError,
    NotOurTokenError,
    NotSignedInError,
    RecentSignInNeededError,
    ServiceTakenError,
    SignUpClosedError,
    UnknownClientError,
    UnknownServiceError,
    UnknownServiceKeyError,
    UnknownSessionError,
    UnknownSigningKeyError,
)
from ..flows.provider.errors import (
    APITakenError,
    InvalidAPIError,
    InvalidPermissionError,
    InvalidProfileError,
    InvalidRoleError,
    RoleTakenError,
    UnknownAPIError,
    UnknownRoleError,
)
from ..flows.signal_errors import (
    InvalidStreamError,
    SecondStreamError,
    TooManySubjectsError,
    TooManyVerificationsError,
    UnknownStreamError,
    UnknownSubjectError,
)
from ..identity import MalformedScopeError
from ..oauth.errors import (
    InteractionOverError,
    InvalidClientError,
    InvalidRegistrationTokenError,
    OAuthError,
    UnsafeLogoutError,
    UnsafeRequestError,
)
from ..sessions.errors import (
    CrossSiteRequestError,
    InvalidRefreshTokenError,
    InvalidSessionError,
    SessionDataConflictError,
    TooManySessionsError,
)
from .errors import (
    BodyTimeoutError,
    BodyTooLargeError,
    MalformedCredentialError,
    MethodNotAllowedError,
    MisdirectedRequestError,
    NotConfirmedError,
    NotFoundError,
    RemoteDevelopmentError,
    RequestError,
    ServiceKeyNeededError,
    UnsupportedContentError,
    UnsupportedGrantTypeError,
)

__all__ = [
    "REALM",
    "STATUSES",
    "ErrorResponse",
    "Problem",
    "error_headers",
    "failure",
    "oauth_error_of",
    "problem_of",
    "status_of",
    "www_authenticate",
]

REALM = "coatcheck"

STATUSES: dict[type[CoatcheckError], int] = {
    RequestError: 400,
    BodyTimeoutError: 408,
    BodyTooLargeError: 413,
    MethodNotAllowedError: 405,
    MisdirectedRequestError: 421,
    NotConfirmedError: 422,
    NotFoundError: 404,
    RemoteDevelopmentError: 403,
    ServiceKeyNeededError: 401,
    UnsupportedContentError: 415,
    InvalidCredentialsError: 401,
    InvalidEmailError: 422,
    InvalidLinkError: 410,
    OverloadedError: 503,
    PasswordRefusedError: 422,
    TooManyAttemptsError: 429,
    UnknownUserError: 404,
    CrossSiteRequestError: 403,
    InvalidRefreshTokenError: 400,
    InvalidSessionError: 401,
    SessionDataConflictError: 409,
    TooManySessionsError: 409,
    FeedUnavailableError: 503,
    InsufficientScopeError: 403,
    InvalidProfileError: 422,
    InvalidRevocationError: 422,
    InvalidServiceError: 422,
    InvalidTokenError: 401,
    NotOurTokenError: 422,
    ServiceTakenError: 409,
    UnknownClientError: 404,
    UnknownServiceError: 404,
    UnknownSessionError: 404,
    UnknownSigningKeyError: 404,
    MalformedScopeError: 400,
    NotSignedInError: 401,
    RecentSignInNeededError: 401,
    SignUpClosedError: 403,
    UnknownServiceKeyError: 401,
    InvalidStreamError: 400,
    SecondStreamError: 409,
    TooManySubjectsError: 403,
    TooManyVerificationsError: 429,
    UnknownStreamError: 404,
    UnknownSubjectError: 404,
    APITakenError: 409,
    InvalidAPIError: 422,
    InvalidPermissionError: 422,
    InvalidRoleError: 422,
    RoleTakenError: 409,
    UnknownAPIError: 404,
    UnknownRoleError: 404,
    UnsafeLogoutError: 400,
    UnsafeRequestError: 400,
    InteractionOverError: 410,
}
"""Which status an error answers with; a kind that has no row answers as the kind it derives from."""

_STATUSES_BY_CODE = {
    "storage_busy": 503,
    "storage_failed": 503,
    "storage_unreachable": 503,
    "unstorable_text": 400,
}
"""The same for errors of parts that are not to be known here, by their stable codes."""

_OAUTH_CODES: dict[type[CoatcheckError], str] = {
    InvalidRefreshTokenError: "invalid_grant",
    MalformedScopeError: "invalid_scope",
    OverloadedError: "temporarily_unavailable",
    TooManyAttemptsError: "temporarily_unavailable",
    UnsupportedGrantTypeError: "unsupported_grant_type",
}
_NOT_IN_DESCRIPTION = re.compile(r'[^\x20-\x7e]|["\\]')  # RFC 6749 section 5.2, RFC 6750 section 3
_PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}  # of RFC 9110; Python has them since 3.13
_CLOSING = frozenset({408, 413})


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem (RFC 9457).

    Attributes:
        type: ``about:blank``: the status says what kind it is, and ``code`` more exactly.
        title: The phrase of the status.
        status: The status.
        detail: One sentence for a reader.
        code: The error's stable code.
        field: The field that it is about.
        reason: Which rule a password breaks.
        retry_after: After how many seconds it makes sense to try again.
        max_age: How old the sign-in may be, in seconds.
        scope: What scope would be needed.
        request_id: Under which the operator finds it in the log.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str = ""
    reason: str = ""
    retry_after: int | None = None
    max_age: int | None = None
    scope: str = ""
    request_id: str = ""


class ErrorResponse(msgspec.Struct, frozen=True, kw_only=True):
    """An error of the token endpoint (RFC 6749 section 5.2)."""

    error: str
    error_description: str


def status_of(error: CoatcheckError) -> int:
    """Return the status that an error answers with; 500 if it is none of a client's."""
    if isinstance(error, OAuthError):
        return error.status
    usual = _STATUSES_BY_CODE.get(error.code, 500)
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), usual)


def problem_of(error: CoatcheckError) -> Problem:
    """Return the problem that a client is told of."""
    status = status_of(error)
    return Problem(
        type="about:blank",
        title=_phrase(status),
        status=status,
        detail=error.message,
        code=error.code,
        field=getattr(error, "field", ""),
        reason=getattr(error, "reason", ""),
        retry_after=_retry_after(error),
        max_age=getattr(error, "max_age", None),
        scope=getattr(error, "scope", ""),
    )


def failure(request_id: str) -> Problem:
    """Return the problem for a failure of this program: nothing but its number."""
    return Problem(
        type="about:blank",
        title=_phrase(500),
        status=500,
        detail="Something went wrong on this server. Please try again in a moment.",
        code="server_error",
        request_id=request_id,
    )


def oauth_error_of(problem: Problem, error: CoatcheckError | None) -> ErrorResponse:
    """Return a problem in the form that token requests are answered in."""
    kinds = type(error).__mro__
    usual = "server_error" if problem.status >= 500 else "invalid_request"
    if problem.status == 503:
        usual = "temporarily_unavailable"
    if isinstance(error, OAuthError):
        usual = error.code
    code = next((_OAUTH_CODES[kind] for kind in kinds if kind in _OAUTH_CODES), usual)
    return ErrorResponse(error=code, error_description=_description(problem.detail))


def error_headers(error: CoatcheckError, *, http_version: str = "1.1") -> dict[str, str]:
    """Return the headers that belong to an error, in whatever form it is told."""
    status, headers = status_of(error), dict[str, str]()
    if (retry_after := _retry_after(error)) is not None:
        headers["Retry-After"] = str(retry_after)
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = error.allowed
    if status == 401 or isinstance(error, InsufficientScopeError | MalformedCredentialError):
        headers["WWW-Authenticate"] = www_authenticate(error)
    if status in _CLOSING and http_version.startswith("1"):
        headers["Connection"] = "close"  # what is left of the body is not waited for
    return headers


def www_authenticate(error: CoatcheckError, *, realm: str = REALM) -> str:
    """Return the challenge for an error (RFC 6750 section 3). Where no credential came, it names no error."""
    parameters = {"realm": realm}
    if isinstance(error, InvalidClientError):
        return f'{error.scheme} realm="{realm}"'  # RFC 6749 section 5.2: the scheme that the client used
    match error:
        case (
            InvalidTokenError()
            | InvalidRegistrationTokenError()
            | InsufficientScopeError()
            | RecentSignInNeededError()
            | MalformedCredentialError()
        ):
            parameters["error"] = error.code
            parameters["error_description"] = error.message
        case UnknownServiceKeyError():
            parameters["error"] = InvalidTokenError.code  # RFC 6750 section 3.1 knows no finer one
            parameters["error_description"] = error.message
    match error:
        case InsufficientScopeError() if error.scope:
            parameters["scope"] = error.scope
        case RecentSignInNeededError():
            parameters["max_age"] = str(error.max_age)
    return "Bearer " + ", ".join(f'{name}="{_description(value)}"' for name, value in parameters.items())


def _phrase(status: int) -> str:
    return _PHRASES.get(status) or HTTPStatus(status).phrase


def _retry_after(error: CoatcheckError) -> int | None:
    seconds = getattr(error, "retry_after", None)
    return None if seconds is None else max(1, math.ceil(seconds))


def _description(text: str) -> str:
    return _NOT_IN_DESCRIPTION.sub("?", text)
