"""Every error that ``coatcheck.sessions`` raises.

::

    CoatcheckError
    └─ SessionError
       ├─ InvalidSessionError          unknown, ended or expired: never which
       ├─ InvalidRefreshTokenError     unknown, expired or used
       │  └─ RefreshTokenReusedError   used before, too long ago for a repeated request: its session has been ended
       ├─ TooManySessionsError         the user has as many sessions as allowed, and the policy is to refuse
       ├─ SessionDataConflictError     somebody else changed the attached data in between
       ├─ SessionDataError             what is to be attached is not JSON, or too large
       ├─ CookieTooLargeError          name and value exceed 4096 bytes
       └─ CrossSiteRequestError        the request does not prove that it comes from the site itself
"""

from __future__ import annotations

from ..errors import CoatcheckError

__all__ = [
    "CookieTooLargeError",
    "CrossSiteRequestError",
    "InvalidRefreshTokenError",
    "InvalidSessionError",
    "RefreshTokenReusedError",
    "SessionDataConflictError",
    "SessionDataError",
    "SessionError",
    "TooManySessionsError",
]


class SessionError(CoatcheckError):
    """Base of what sessions refuse."""

    code = "session_error"


class InvalidSessionError(SessionError):
    """There is no such session (any more)."""

    code = "invalid_session"

    def __init__(self, *, detail: str | None = None) -> None:
        super().__init__("The session has ended. Please sign in again.", detail=detail)


class InvalidRefreshTokenError(SessionError):
    """The refresh token is unknown, expired or used, or its session has ended."""

    code = "invalid_grant"

    def __init__(self, *, detail: str | None = None) -> None:
        super().__init__("The refresh token does not work (any more). Please sign in again.", detail=detail)


class RefreshTokenReusedError(InvalidRefreshTokenError):
    """A token that was exchanged long ago came back: it may be stolen, so all of its family was ended.

    Outside it looks like any other invalid token.
    """


class TooManySessionsError(SessionError):
    """The user has as many sessions as the policy allows."""

    code = "too_many_sessions"


class SessionDataConflictError(SessionError):
    """The data was changed by another request between reading and writing."""

    code = "session_data_conflict"


class SessionDataError(SessionError):
    """What is to be attached to a session cannot be: it is not JSON, or too large."""

    code = "session_data"


class CookieTooLargeError(SessionError):
    """Name and value of a cookie exceed 4096 bytes together, so browsers would drop it without a word."""

    code = "cookie_too_large"


class CrossSiteRequestError(SessionError):
    """The request does not prove that it comes from this site (CSRF)."""

    code = "cross_site_request"
