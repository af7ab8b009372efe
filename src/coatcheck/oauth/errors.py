"""Every error that OAuth and OpenID Connect name, and that a client is told by that name.

``code`` is the value of ``error``, ``message`` that of ``error_description``, ``detail`` for the log only.

::

    CoatcheckError
    ├─ OAuthError                         ``status`` where it is told by a status
    │  ├─ InvalidRequestError             a parameter is missing, repeated or malformed
    │  ├─ InvalidClientError              nobody showed to be this client; 401
    │  ├─ InvalidGrantError               a code, refresh token or assertion that is not good
    │  ├─ UnauthorizedClientError         this client may not use this grant or response type
    │  ├─ UnsupportedGrantTypeError       no such grant here
    │  ├─ UnsupportedResponseTypeError    no such response type here
    │  ├─ InvalidScopeError               an unknown or malformed scope, or more than was granted
    │  ├─ InvalidTargetError              no such API, or not for this client (RFC 8707 section 2)
    │  ├─ AccessDeniedError               the user said no
    │  ├─ LoginRequiredError              OpenID Connect Core section 3.1.2.6, these four:
    │  ├─ ConsentRequiredError
    │  ├─ InteractionRequiredError
    │  ├─ AccountSelectionRequiredError
    │  ├─ UnmetAuthenticationRequirementsError   OpenID Connect Unmet Authentication Requirements 1.0
    │  ├─ RequestNotSupportedError        request objects come later
    │  ├─ RequestURINotSupportedError     a ``request_uri`` that was not pushed here
    │  ├─ InvalidRequestURIError          a pushed request that is used up, expired or another client's
    │  ├─ RegistrationNotSupportedError
    │  ├─ InvalidRedirectURIError         of a registration (RFC 7591 section 3.2.2), these two:
    │  ├─ InvalidClientMetadataError
    │  ├─ RegistrationTokenNeededError    registering needs a token, and none came; 401
    │  ├─ InvalidRegistrationTokenError   one came that is not good (RFC 7592 section 2); 401
    │  ├─ UnsupportedTokenTypeError       RFC 7009 section 2.2.1
    │  └─ TemporarilyUnavailableError
    ├─ UnsafeRequestError                 an authorization request whose sender is not to be told: a page says it
    │  └─ UnsafeLogoutError               the same of a request to sign out
    └─ InteractionOverError               an authorization request that was answered already, or waited too long
"""

from __future__ import annotations

from typing import ClassVar

from ..errors import CoatcheckError

__all__ = [
    "AccessDeniedError",
    "AccountSelectionRequiredError",
    "ConsentRequiredError",
    "InteractionOverError",
    "InteractionRequiredError",
    "InvalidClientError",
    "InvalidClientMetadataError",
    "InvalidGrantError",
    "InvalidRedirectURIError",
    "InvalidRegistrationTokenError",
    "InvalidRequestError",
    "InvalidRequestURIError",
    "InvalidScopeError",
    "InvalidTargetError",
    "LoginRequiredError",
    "OAuthError",
    "RegistrationNotSupportedError",
    "RegistrationTokenNeededError",
    "RequestNotSupportedError",
    "RequestURINotSupportedError",
    "TemporarilyUnavailableError",
    "UnauthorizedClientError",
    "UnmetAuthenticationRequirementsError",
    "UnsafeLogoutError",
    "UnsafeRequestError",
    "UnsupportedGrantTypeError",
    "UnsupportedResponseTypeError",
    "UnsupportedTokenTypeError",
]


class OAuthError(CoatcheckError):
    """Base of what a client is told by the names of the specifications.

    Attributes:
        status: With which status, where it is not told by a redirect.
        field: The parameter that it is about, if any.
    """

    code = "invalid_request"
    status: ClassVar[int] = 400

    def __init__(self, message: str, *, field: str = "", detail: str | None = None) -> None:
        super().__init__(message, detail=detail)
        self.field: str = field


class InvalidRequestError(OAuthError):
    """A parameter is missing, repeated, malformed, or does not go with another (RFC 6749 sections 4.1.2.1, 5.2)."""

    code = "invalid_request"


class InvalidClientError(OAuthError):
    """Client authentication failed (RFC 6749 section 5.2). One message for all causes: ``detail`` tells them apart.

    Attributes:
        scheme: The ``Authorization`` scheme that was tried, to be named in the challenge.
    """

    code = "invalid_client"
    status = 401

    def __init__(self, *, scheme: str = "Basic", detail: str | None = None) -> None:
        super().__init__("The client is unknown, or did not show that it is the one.", detail=detail)
        self.scheme: str = scheme


class InvalidGrantError(OAuthError):
    """A code, a refresh token or an assertion is not good, or not this client's (RFC 6749 section 5.2)."""

    code = "invalid_grant"


class UnauthorizedClientError(OAuthError):
    """This client may not use this grant type or response type."""

    code = "unauthorized_client"


class UnsupportedGrantTypeError(OAuthError):
    """There is no such grant type here."""

    code = "unsupported_grant_type"


class UnsupportedResponseTypeError(OAuthError):
    """There is no such response type here."""

    code = "unsupported_response_type"


class InvalidScopeError(OAuthError):
    """A scope is unknown or malformed, or goes beyond what was granted."""

    code = "invalid_scope"


class InvalidTargetError(OAuthError):
    """A resource is no API here, or not one for this client or this grant (RFC 8707 section 2)."""

    code = "invalid_target"


class AccessDeniedError(OAuthError):
    """The user, or a rule, said no (RFC 6749 section 4.1.2.1)."""

    code = "access_denied"


class LoginRequiredError(OAuthError):
    """The user would have to sign in, and is not to be asked (OpenID Connect Core section 3.1.2.6)."""

    code = "login_required"


class ConsentRequiredError(OAuthError):
    """The user would have to consent, and is not to be asked."""

    code = "consent_required"


class InteractionRequiredError(OAuthError):
    """The user would have to do something else, and is not to be asked."""

    code = "interaction_required"


class AccountSelectionRequiredError(OAuthError):
    """The user would have to choose an account, and is not to be asked."""

    code = "account_selection_required"


class UnmetAuthenticationRequirementsError(OAuthError):
    """No sign-in here is as strong as an essential ``acr`` demands."""

    code = "unmet_authentication_requirements"


class RequestNotSupportedError(OAuthError):
    """Request objects are not read here."""

    code = "request_not_supported"


class RequestURINotSupportedError(OAuthError):
    """Only requests that were pushed here are read by reference."""

    code = "request_uri_not_supported"


class InvalidRequestURIError(OAuthError):
    """A pushed request is unknown, used, expired or another client's (RFC 9101 section 7, RFC 9126 section 4)."""

    code = "invalid_request_uri"


class RegistrationNotSupportedError(OAuthError):
    """Clients do not register themselves here."""

    code = "registration_not_supported"


class InvalidRedirectURIError(OAuthError):
    """A redirect URI that no client may register (RFC 7591 section 3.2.2)."""

    code = "invalid_redirect_uri"


class InvalidClientMetadataError(OAuthError):
    """Client metadata that cannot be accepted (RFC 7591 section 3.2.2)."""

    code = "invalid_client_metadata"


class RegistrationTokenNeededError(OAuthError):
    """Registering a client, or managing one, needs a token, and the request brings none (RFC 6750 section 3.1)."""

    code = "invalid_token"
    status = 401

    def __init__(self) -> None:
        super().__init__("This needs a token: an initial one to register, the client's own to manage it.")


class InvalidRegistrationTokenError(OAuthError):
    """A token does not allow to register, or not to manage this client (RFC 7591 section 3, RFC 7592 section 2)."""

    code = "invalid_token"
    status = 401

    def __init__(self, *, detail: str | None = None) -> None:
        super().__init__(
            "The token is none, has expired, is used up, or belongs to another client.", detail=detail
        )


class UnsupportedTokenTypeError(OAuthError):
    """Tokens of this kind cannot be revoked here (RFC 7009 section 2.2.1)."""

    code = "unsupported_token_type"


class TemporarilyUnavailableError(OAuthError):
    """Not now."""

    code = "temporarily_unavailable"
    status = 503


class UnsafeRequestError(CoatcheckError):
    """An authorization request with no redirect URI that is surely the client's (RFC 6749 section 4.1.2.1).

    The user is told on a page; nobody is redirected.
    """

    code = "unsafe_authorization_request"

    def __init__(self, message: str, *, field: str = "", detail: str | None = None) -> None:
        super().__init__(message, detail=detail)
        self.field: str = field


class UnsafeLogoutError(UnsafeRequestError):
    """A request to sign out that cannot be trusted (OpenID Connect RP-Initiated Logout section 4).

    Nobody is signed out, and nobody is redirected.
    """

    code = "unsafe_logout_request"


class InteractionOverError(CoatcheckError):
    """An authorization request was answered already, or nobody answered it in time: the app has to ask again."""

    code = "interaction_over"

    def __init__(self, *, detail: str | None = None) -> None:
        super().__init__(
            "This request was answered already, or it waited for too long. Go back to the app and start again there.",
            detail=detail,
        )
