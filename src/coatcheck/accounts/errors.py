"""Every error that ``coatcheck.accounts`` raises.

::

    CoatcheckError
    └─ AccountError
       ├─ InvalidEmailError          not an e-mail address
       ├─ PasswordRefusedError       not a good password; ``reason`` says which rule
       ├─ EmailTakenError            for administrators only: visitors are never told
       ├─ UnknownUserError           for administrators only, likewise
       ├─ InvalidCredentialsError    wrong password, unknown user or disabled account: never which
       ├─ InvalidLinkError           used, expired, or never was one
       ├─ TooManyAttemptsError       ``retry_after`` seconds
       ├─ OverloadedError            too many passwords wait to be hashed; ``retry_after`` seconds
       ├─ UnknownHashError           a password hash of no known kind
       └─ ImportRefusedError         a row of an import; ``row`` and ``reason`` say which and why
"""

from __future__ import annotations

from ..errors import CoatcheckError

__all__ = [
    "AccountError",
    "EmailTakenError",
    "ImportRefusedError",
    "InvalidCredentialsError",
    "InvalidEmailError",
    "InvalidLinkError",
    "OverloadedError",
    "PasswordRefusedError",
    "TooManyAttemptsError",
    "UnknownHashError",
    "UnknownUserError",
]


class AccountError(CoatcheckError):
    """Base of what accounts refuse."""

    code = "account_error"


class InvalidEmailError(AccountError):
    """The text is not an e-mail address that mail can be sent to."""

    code = "invalid_email"


class PasswordRefusedError(AccountError):
    """The password breaks a rule. It is never part of the message.

    Attributes:
        reason: ``too_short``, ``too_long``, ``not_text``, ``common``, ``contextual`` or ``unchanged``.
    """

    code = "password_refused"

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class EmailTakenError(AccountError):
    """Another account has this address."""

    code = "email_taken"


class UnknownUserError(AccountError):
    """There is no such user."""

    code = "unknown_user"


class InvalidCredentialsError(AccountError):
    """The e-mail address and password do not belong together, or the account may not be used."""

    code = "invalid_credentials"

    def __init__(self, *, detail: str | None = None) -> None:
        super().__init__("The e-mail address or the password is wrong.", detail=detail)


class InvalidLinkError(AccountError):
    """The link was used, has expired, or never was one."""

    code = "invalid_link"

    def __init__(self) -> None:
        super().__init__("This link does not work (any more). Ask for a new one.")


class _RetryLaterError(AccountError):
    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TooManyAttemptsError(_RetryLaterError):
    """A limit on attempts was reached.

    Attributes:
        retry_after: After how many seconds it makes sense to try again.
    """

    code = "too_many_attempts"

    def __init__(self, *, retry_after: float) -> None:
        super().__init__("Too many attempts. Please wait a little.", retry_after=retry_after)


class OverloadedError(_RetryLaterError):
    """More passwords wait to be hashed than may.

    Attributes:
        retry_after: After how many seconds it makes sense to try again.
    """

    code = "overloaded"

    def __init__(self, *, retry_after: float) -> None:
        super().__init__("The server is busy. Please try again in a moment.", retry_after=retry_after)


class UnknownHashError(AccountError):
    """A password hash is of no known kind, or its parameters are beyond what is accepted."""

    code = "unknown_hash"


class ImportRefusedError(AccountError):
    """A row of an import cannot become a user.

    Attributes:
        row: Its number, from 1.
        reason: Why not, in a few words. Never quotes a hash.
    """

    code = "import_refused"

    def __init__(self, reason: str, *, row: int) -> None:
        super().__init__(f"Row {row}: {reason}")
        self.row = row
        self.reason = reason
