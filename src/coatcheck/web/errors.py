"""What is wrong with a request as such, before any flow sees it.

::

    CoatcheckError
    └─ RequestError
       ├─ MalformedRequestError         a body or query that breaks its own format, or a field that does not fit
       ├─ MalformedCredentialError      an ``Authorization`` header that is not in its form
       ├─ BodyTooLargeError             more than is read
       ├─ BodyTimeoutError              it did not arrive in time
       ├─ UnsupportedContentError       not a kind of content that is read here
       ├─ NotFoundError                 no such page
       ├─ MethodNotAllowedError         ``allowed`` says which are
       ├─ ServiceKeyNeededError         a route for services, and no service shows its key
       ├─ NotConfirmedError             a last question was not answered with yes
       ├─ UnsupportedGrantTypeError     a token request of a kind that is not served (RFC 6749 section 5.2)
       ├─ MisdirectedRequestError       development mode, and a name that is not this machine's
       └─ RemoteDevelopmentError        development mode, and a client on another machine

No message ever repeats what a client sent, beyond the name of a field that is known here.
"""

from __future__ import annotations

from ..errors import CoatcheckError

__all__ = [
    "BodyTimeoutError",
    "BodyTooLargeError",
    "MalformedCredentialError",
    "MalformedRequestError",
    "MethodNotAllowedError",
    "MisdirectedRequestError",
    "NotConfirmedError",
    "NotFoundError",
    "RemoteDevelopmentError",
    "RequestError",
    "ServiceKeyNeededError",
    "UnsupportedContentError",
    "UnsupportedGrantTypeError",
]


class RequestError(CoatcheckError):
    """Base of what is refused about a request as such."""

    code = "bad_request"


class MalformedRequestError(RequestError):
    """The body or the query breaks its own format, or a field of it does not fit.

    Attributes:
        field: The name of the field, where it is about one that is known here; else ``""``.
    """

    code = "malformed_request"

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class MalformedCredentialError(RequestError):
    """The ``Authorization`` header is not in its form (RFC 6750 section 2.1), or there twice."""

    code = "invalid_request"


class BodyTooLargeError(RequestError):
    """The body is larger than what is read."""

    code = "body_too_large"


class BodyTimeoutError(RequestError):
    """The body did not arrive in time."""

    code = "body_timeout"


class UnsupportedContentError(RequestError):
    """The body is of a media type, in a charset or a coding that is not read here."""

    code = "unsupported_content"


class NotFoundError(RequestError):
    """There is nothing at this path."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__("There is no such page.")


class MethodNotAllowedError(RequestError):
    """The path exists, and this method has no meaning there.

    Attributes:
        allowed: The methods that have, as the value of ``Allow`` (RFC 9110 section 10.2.1).
    """

    code = "method_not_allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"This page answers to {allowed} only.")
        self.allowed = allowed


class ServiceKeyNeededError(RequestError):
    """The route is for services, and the request carries no service's key (RFC 6750 section 3)."""

    code = "service_key_needed"

    def __init__(self) -> None:
        super().__init__("This is for services: send a service's key as a bearer token.")


class NotConfirmedError(RequestError):
    """What cannot be undone was asked for without the answer to the last question."""

    code = "not_confirmed"

    def __init__(self) -> None:
        super().__init__("Please confirm that you want this.")


class UnsupportedGrantTypeError(RequestError):
    """The token endpoint does not serve this kind of grant."""

    code = "unsupported_grant_type"

    def __init__(self) -> None:
        super().__init__("Only the grant type refresh_token is served here.")


class MisdirectedRequestError(RequestError):
    """Development mode answers to names of this machine only, and this is another (DNS rebinding)."""

    code = "development_host"

    def __init__(self) -> None:
        super().__init__(
            "Coatcheck runs in development mode, which answers to localhost only. "
            "To use another name, list it in development_hosts, or run in production mode."
        )


class RemoteDevelopmentError(RequestError):
    """Development mode answers to this machine only, and the client is on another."""

    code = "development_client"

    def __init__(self) -> None:
        super().__init__(
            "Coatcheck runs in development mode, which answers to this machine only. "
            "To serve others, run in production mode."
        )
