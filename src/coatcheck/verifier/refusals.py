"""From an error of the verifier to the HTTP response that tells of it, whatever the framework.

The status and the challenge, ``WWW-Authenticate``, are those of RFC 6750 section 3, with what RFC 9470 section 3 adds
for a sign-in that is too weak or too old, and RFC 9728 section 5.1 to say where the metadata is. The body is a problem
(RFC 9457).
"""

from __future__ import annotations

import re
from http import HTTPStatus

import msgspec

from .errors import (
    InsufficientScopeError,
    InvalidTokenError,
    MalformedCredentialError,
    NotAuthenticatedError,
    StepUpNeededError,
    UnavailableError,
    VerificationError,
)

__all__ = ["RETRY_AFTER", "Refusal", "refusal"]

RETRY_AFTER = 1
"""After how many seconds it makes sense to try again where nobody can tell at the moment. By then, a verifier that has
a server to follow has caught up."""

_CHALLENGING = (
    NotAuthenticatedError,
    InvalidTokenError,
    StepUpNeededError,
    InsufficientScopeError,
    MalformedCredentialError,
)
_NOT_IN_QUOTES = re.compile(r'[^\x20-\x7e]|["\\]')  # RFC 6750 section 3 allows no more in its parameters


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A response, in no framework's terms.

    Attributes:
        status: The status.
        headers: Its headers, in the order in which they are sent.
        body: Its body.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class _Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    type: str
    title: str
    status: int
    detail: str
    code: str
    scope: str = ""
    acr_values: str = ""
    max_age: int | None = None
    retry_after: int | None = None


def refusal(
    error: VerificationError, *, metadata_url: str | None = None, realm: str | None = None
) -> Refusal:
    """Return the response that refuses a request.

    Args:
        error: Why.
        metadata_url: Where the protected resource's metadata is (RFC 9728), if it has any.
        realm: The protection space for ``WWW-Authenticate`` (RFC 9110 section 11.5), if it has a name.
    """
    problem = _problem_of(error)
    body = msgspec.json.encode(problem)
    headers = [
        ("Content-Type", "application/problem+json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    if isinstance(error, _CHALLENGING):
        headers.append(
            ("WWW-Authenticate", _challenge(error, problem, realm=realm, metadata_url=metadata_url))
        )
    if problem.retry_after is not None:
        headers.append(("Retry-After", str(problem.retry_after)))
    return Refusal(status=problem.status, headers=headers, body=body)


def _problem_of(error: VerificationError) -> _Problem:
    step_up = error if isinstance(error, StepUpNeededError) else None
    return _Problem(
        type="about:blank",
        title=HTTPStatus(error.status).phrase,
        status=error.status,
        detail=error.message,
        # Kinds of it are told apart in the log only.
        code=InvalidTokenError.code if isinstance(error, InvalidTokenError) else error.code,
        scope=" ".join(error.scopes) if isinstance(error, InsufficientScopeError) else "",
        acr_values="" if step_up is None else " ".join(step_up.acr_values),
        max_age=None if step_up is None else step_up.max_age,
        retry_after=RETRY_AFTER if isinstance(error, UnavailableError) else None,
    )


def _challenge(
    error: VerificationError, problem: _Problem, *, realm: str | None, metadata_url: str | None
) -> str:
    """Return the challenge. Where no credential came, it names no error (RFC 6750 section 3.1)."""
    is_about_credential = not isinstance(error, NotAuthenticatedError)
    parameters = {
        "realm": realm,
        "error": problem.code if is_about_credential else None,
        "error_description": problem.detail if is_about_credential else None,
        "scope": problem.scope or None,
        "acr_values": problem.acr_values or None,
        "max_age": None if problem.max_age is None else str(problem.max_age),
        "resource_metadata": metadata_url,
    }
    told = [
        f'{name}="{_NOT_IN_QUOTES.sub("?", value)}"'
        for name, value in parameters.items()
        if value is not None
    ]
    return f"Bearer {', '.join(told)}".rstrip()
