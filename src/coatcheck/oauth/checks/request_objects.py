"""Requests in a JWT come later (RFC 9101); until then they are refused by their own errors, and never ignored.

To ignore one would be to answer the outer request, which the client did not sign.
"""

from __future__ import annotations

from ..errors import RegistrationNotSupportedError, RequestNotSupportedError, RequestURINotSupportedError
from ..parameters import Parameters

__all__ = ["check_no_request_object"]


def check_no_request_object(parameters: Parameters) -> None:
    """Check that a request says all that it says by itself (OpenID Connect Core sections 3.1.2.6, 6, 7.2.1).

    Raises:
        RequestNotSupportedError: If it has a request object.
        RequestURINotSupportedError: If it refers to one.
        RegistrationNotSupportedError: If it brings a registration along.
    """
    if parameters.get("request") is not None:
        raise RequestNotSupportedError("Request objects are not read here.", field="request")
    if parameters.get("request_uri") is not None:
        raise RequestURINotSupportedError(
            "Only requests that were pushed here are read by reference.", field="request_uri"
        )
    if parameters.get("registration") is not None:
        raise RegistrationNotSupportedError("Clients register beforehand.", field="registration")
