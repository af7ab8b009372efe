"""What a refusal says, by RFC 6750, 9470, 9728 and 9457."""

import json
from typing import Any

import pytest

from coatcheck.verifier import (
    CrossSiteError,
    InsufficientScopeError,
    InvalidTokenError,
    MalformedCredentialError,
    NotAuthenticatedError,
    NotReadyError,
    StaleViewError,
    StepUpNeededError,
    UnknownKeyError,
    VerificationError,
)
from coatcheck.verifier.refusals import Refusal, refusal
from coatcheck.verifier.resource_metadata import metadata_path, metadata_url, resource_metadata

METADATA = "https://api.example/.well-known/oauth-protected-resource"


def headers(made: Refusal) -> dict[str, str]:
    found = dict(made.headers)
    assert len(found) == len(made.headers)
    assert found["Content-Length"] == str(len(made.body))
    return found


def problem(made: Refusal) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(made.body)
    assert said["type"] == "about:blank"
    assert said["status"] == made.status
    return said


@pytest.mark.parametrize(
    "error, status, challenge",
    [
        (NotAuthenticatedError(), 401, f'Bearer resource_metadata="{METADATA}"'),
        (
            InvalidTokenError("It has expired.", reason="expired"),
            401,
            (
                'Bearer error="invalid_token", error_description="It has expired.", '
                f'resource_metadata="{METADATA}"'
            ),
        ),
        (
            StepUpNeededError("Sign in again.", acr_values=("aal2", "aal3"), max_age=300),
            401,
            (
                'Bearer error="insufficient_user_authentication", error_description="Sign in again.", '
                f'acr_values="aal2 aal3", max_age="300", resource_metadata="{METADATA}"'
            ),
        ),
        (
            StepUpNeededError("Sign in again.", max_age=0),
            401,
            (
                'Bearer error="insufficient_user_authentication", error_description="Sign in again.", '
                f'max_age="0", resource_metadata="{METADATA}"'
            ),
        ),
        (
            InsufficientScopeError(scopes=("a", "b")),
            403,
            (
                'Bearer error="insufficient_scope", error_description="The credential does not allow this.", '
                f'scope="a b", resource_metadata="{METADATA}"'
            ),
        ),
        (
            MalformedCredentialError("Two headers."),
            400,
            (
                'Bearer error="invalid_request", error_description="Two headers.", '
                f'resource_metadata="{METADATA}"'
            ),
        ),
    ],
    ids=["nobody", "token", "step-up", "zero-age", "scope", "malformed"],
)
def test_a_challenge_says_what_is_missing(error: VerificationError, status: int, challenge: str) -> None:
    made = refusal(error, metadata_url=METADATA)
    assert made.status == status
    assert headers(made)["WWW-Authenticate"] == challenge
    assert headers(made)["Content-Type"] == "application/problem+json"
    assert headers(made)["Cache-Control"] == "no-store"
    assert problem(made)["detail"] == error.message


def test_a_challenge_without_anything_to_say_is_the_scheme_alone() -> None:
    assert headers(refusal(NotAuthenticatedError()))["WWW-Authenticate"] == "Bearer"


def test_a_realm_comes_first() -> None:
    made = refusal(NotAuthenticatedError(), realm="orders", metadata_url=METADATA)
    assert headers(made)["WWW-Authenticate"] == f'Bearer realm="orders", resource_metadata="{METADATA}"'


def test_kinds_of_bad_tokens_are_not_told_apart_outside() -> None:
    made = refusal(UnknownKeyError(detail="kid x"))
    assert problem(made)["code"] == "invalid_token"
    assert 'error="invalid_token"' in headers(made)["WWW-Authenticate"]
    assert b"kid x" not in made.body


def test_no_text_gets_out_of_its_quotes() -> None:
    # An error_description must not become another parameter, or another header.
    made = refusal(InvalidTokenError('x", realm="evil\r\nSet-Cookie: a=b\\é', reason="malformed"))
    assert headers(made)["WWW-Authenticate"].count('"') == 4
    assert not {"\r", "\n", "\\", "é"} & set(headers(made)["WWW-Authenticate"])


@pytest.mark.parametrize("error", [NotReadyError(), StaleViewError(age=9.0)], ids=["not-ready", "stale"])
def test_who_cannot_tell_says_when_to_come_again_and_challenges_nobody(error: VerificationError) -> None:
    made = refusal(error, metadata_url=METADATA)
    assert made.status == 503
    assert headers(made)["Retry-After"] == "1"
    assert "WWW-Authenticate" not in headers(made)
    assert problem(made)["retry_after"] == 1
    assert problem(made)["title"] == "Service Unavailable"


def test_another_site_is_refused_without_a_challenge() -> None:
    made = refusal(CrossSiteError("From another site."), metadata_url=METADATA)
    assert made.status == 403
    assert "WWW-Authenticate" not in headers(made)


@pytest.mark.parametrize(
    "resource, path, url",
    [
        ("https://api.example", "", "https://api.example/.well-known/oauth-protected-resource"),
        ("https://api.example/", "", "https://api.example/.well-known/oauth-protected-resource"),
        ("https://a.example/v1", "/v1", "https://a.example/.well-known/oauth-protected-resource/v1"),
        ("https://a.example/?x=1", "", "https://a.example/.well-known/oauth-protected-resource?x=1"),
        ("http://localhost:8001", "", "http://localhost:8001/.well-known/oauth-protected-resource"),
        ("orders", "", None),
        ("urn:example:orders", "", None),
    ],
)
def test_the_metadata_is_where_the_specification_puts_it(resource: str, path: str, url: str | None) -> None:
    assert metadata_path(resource) == f"/.well-known/oauth-protected-resource{path}"
    assert metadata_url(resource) == url


def test_the_metadata_names_the_resource_exactly_as_it_is() -> None:
    made = resource_metadata("https://api.example/", issuer="https://id.example", scopes=["a"], name="Orders")
    assert made.status == 200
    assert headers(made)["Access-Control-Allow-Origin"] == "*"
    assert json.loads(made.body) == {
        "resource": "https://api.example/",
        "authorization_servers": ["https://id.example"],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["a"],
        "resource_name": "Orders",
    }
    assert set(json.loads(resource_metadata("https://api.example", issuer="https://id.example").body)) == {
        "resource",
        "authorization_servers",
        "bearer_methods_supported",
    }
