import inspect

import msgspec
import pytest

import coatcheck.accounts.errors
import coatcheck.flows.errors
import coatcheck.sessions.errors
import coatcheck.web.errors
from coatcheck.accounts.errors import (
    ImportRefusedError,
    InvalidCredentialsError,
    OverloadedError,
    PasswordRefusedError,
    TooManyAttemptsError,
)
from coatcheck.errors import CoatcheckError
from coatcheck.flows.errors import (
    InsufficientScopeError,
    InvalidTokenError,
    NotSignedInError,
    RecentSignInNeededError,
    ServerKeyError,
)
from coatcheck.identity import MalformedScopeError
from coatcheck.sessions.errors import (
    InvalidRefreshTokenError,
    InvalidSessionError,
    RefreshTokenReusedError,
)
from coatcheck.storage.errors import StorageBusyError
from coatcheck.web.errors import (
    BodyTooLargeError,
    MalformedCredentialError,
    MalformedRequestError,
    MethodNotAllowedError,
    UnsupportedGrantTypeError,
)
from coatcheck.web.problems import (
    ErrorResponse,
    error_headers,
    failure,
    oauth_error_of,
    problem_of,
    status_of,
    www_authenticate,
)

# What no client can cause, so that it is a failure of the server's if it gets as far as the web.
INTERNAL = {
    *("CoatcheckError", "AccountError", "SessionError", "FlowError"),  # roots
    *("EmailTakenError", "UnknownHashError", "ImportRefusedError"),  # for administrators
    *(
        "SessionDataError",
        "CookieTooLargeError",
        "ServerKeyError",
    ),  # for whoever writes or runs the application
}


def all_errors() -> list[type[CoatcheckError]]:
    parts = [
        coatcheck.accounts.errors,
        coatcheck.flows.errors,
        coatcheck.sessions.errors,
        coatcheck.web.errors,
    ]
    return [
        kind
        for part in parts
        for _, kind in inspect.getmembers(part, inspect.isclass)
        if issubclass(kind, CoatcheckError) and not kind.__name__.startswith("_")
    ]


def test_every_designed_error_has_a_status_or_is_known_to_be_the_servers_own() -> None:
    without = {kind.__name__ for kind in all_errors() if status_of(kind.__new__(kind)) == 500}
    assert without == INTERNAL


def test_a_busy_storage_is_told_like_any_overload() -> None:
    error = StorageBusyError(retry_after=1.5)
    assert status_of(error) == 503
    assert error_headers(error)["Retry-After"] == "2"
    assert problem_of(error).code == "storage_busy"
    assert oauth_error_of(problem_of(error), error).error == "temporarily_unavailable"


def test_a_problem_says_what_rfc_9457_asks_for() -> None:
    error = PasswordRefusedError("The password is too short.", reason="too_short")
    assert msgspec.to_builtins(problem_of(error)) == {
        "type": "about:blank",
        "title": "Unprocessable Content",
        "status": 422,
        "detail": "The password is too short.",
        "code": "password_refused",
        "reason": "too_short",
    }


def test_a_problem_of_a_field_names_it() -> None:
    problem = problem_of(MalformedRequestError("The field email is missing.", field="email"))
    assert (problem.status, problem.field) == (400, "email")


def test_the_time_to_wait_is_in_whole_seconds_rounded_up() -> None:
    for error in (TooManyAttemptsError(retry_after=1.2), OverloadedError(retry_after=1.2)):
        assert problem_of(error).retry_after == 2
        assert error_headers(error)["Retry-After"] == "2"
    assert error_headers(TooManyAttemptsError(retry_after=0.0))["Retry-After"] == "1"


def test_a_failure_tells_nothing_but_its_number() -> None:
    problem = failure("abc")
    assert (problem.status, problem.request_id, problem.code) == (500, "abc", "server_error")
    assert problem_of(ServerKeyError(detail="kid x")).status == 500


def test_no_credential_gets_a_challenge_without_an_error_code() -> None:
    for error in (NotSignedInError(), InvalidSessionError(), InvalidCredentialsError()):
        assert www_authenticate(error) == 'Bearer realm="coatcheck"'
        assert error_headers(error)["WWW-Authenticate"] == 'Bearer realm="coatcheck"'


def test_a_bad_token_gets_the_challenge_of_rfc_6750() -> None:
    assert error_headers(InvalidTokenError(detail="private"))["WWW-Authenticate"] == (
        'Bearer realm="coatcheck", error="invalid_token", '
        'error_description="The access token is invalid, has expired, or its session has ended."'
    )


def test_a_malformed_credential_gets_the_challenge_of_rfc_6750() -> None:
    error = MalformedCredentialError("There is more than one.")
    assert status_of(error) == 400
    assert error_headers(error)["WWW-Authenticate"] == (
        'Bearer realm="coatcheck", error="invalid_request", error_description="There is more than one."'
    )


def test_a_missing_scope_is_named() -> None:
    error = InsufficientScopeError(["b", "a"])
    assert status_of(error) == 403
    assert error_headers(error)["WWW-Authenticate"] == (
        'Bearer realm="coatcheck", error="insufficient_scope", '
        'error_description="You are not allowed to do this.", scope="a b"'
    )
    assert problem_of(error).scope == "a b"


def test_a_sign_in_too_long_ago_gets_the_challenge_of_rfc_9470() -> None:
    header = error_headers(RecentSignInNeededError(max_age=300))["WWW-Authenticate"]
    assert header.startswith('Bearer realm="coatcheck", error="insufficient_user_authentication", error_desc')
    assert header.endswith(', max_age="300"')


def test_a_challenge_has_no_character_that_would_end_it() -> None:
    error = InsufficientScopeError(['a"b\\c\r\nd\u00e9'])
    assert www_authenticate(error).endswith('scope="a?b?c??d?"')


def test_a_method_that_is_not_allowed_is_told_which_are() -> None:
    error = MethodNotAllowedError("GET, HEAD, OPTIONS")
    assert status_of(error) == 405
    assert error_headers(error) == {"Allow": "GET, HEAD, OPTIONS"}


def test_a_connection_with_an_unread_body_is_closed_where_that_can_be_said() -> None:
    error = BodyTooLargeError("too large")
    assert error_headers(error, http_version="1.1")["Connection"] == "close"
    assert "Connection" not in error_headers(error, http_version="2")


@pytest.mark.parametrize(
    "error, code, status",
    [
        (InvalidRefreshTokenError(), "invalid_grant", 400),
        (RefreshTokenReusedError(), "invalid_grant", 400),
        (MalformedScopeError("x"), "invalid_scope", 400),
        (MalformedRequestError("x"), "invalid_request", 400),
        (UnsupportedGrantTypeError(), "unsupported_grant_type", 400),
        (BodyTooLargeError("x"), "invalid_request", 413),
        (OverloadedError(retry_after=1), "temporarily_unavailable", 503),
        (TooManyAttemptsError(retry_after=1), "temporarily_unavailable", 429),
        (ImportRefusedError("x", row=1), "server_error", 500),
    ],
)
def test_token_requests_are_refused_in_the_words_of_rfc_6749(
    error: CoatcheckError, code: str, status: int
) -> None:
    problem = problem_of(error)
    assert problem.status == status
    assert oauth_error_of(problem, error).error == code


def test_a_failed_token_request_is_a_server_error() -> None:
    problem = failure("abc")
    assert oauth_error_of(problem, None) == ErrorResponse(
        error="server_error", error_description=problem.detail
    )
