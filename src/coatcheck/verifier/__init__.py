"""What a protected service runs: it checks credentials in memory, and refuses in milliseconds what has been revoked.

::

    from coatcheck.verifier import Verifier

    verifier = Verifier("https://id.example", audience="https://api.example")
    principal = verifier.verify(token)

It finds keys and ledger of the issuer by itself and follows them in the background, never on the path of a request.
"""

from __future__ import annotations

from .errors import (
    CrossSiteError,
    InsufficientScopeError,
    IntrospectionFailedError,
    InvalidTokenError,
    MalformedCredentialError,
    NotAuthenticatedError,
    NotReadyError,
    StaleViewError,
    StepUpNeededError,
    UnavailableError,
    UnknownKeyError,
    VerificationError,
    VerifierConfigurationError,
)
from .model import Metrics, Principal, VerifierEvent
from .policy import VerifierPolicy
from .verifier import Verifier

__all__ = [
    "CrossSiteError",
    "InsufficientScopeError",
    "IntrospectionFailedError",
    "InvalidTokenError",
    "MalformedCredentialError",
    "Metrics",
    "NotAuthenticatedError",
    "NotReadyError",
    "Principal",
    "StaleViewError",
    "StepUpNeededError",
    "UnavailableError",
    "UnknownKeyError",
    "VerificationError",
    "Verifier",
    "VerifierConfigurationError",
    "VerifierEvent",
    "VerifierPolicy",
]
