"""Errors are part of the interface: their tree, their codes, their attributes."""

import copy
import pickle
import re
from collections.abc import Iterator

import pytest

from coatcheck import errors as root
from coatcheck.errors import CoatcheckError
from coatcheck.jose import errors as jose

# What programs rely on. A code may be added; none is ever changed or given to another error.
CODES = {
    "CoatcheckError": "error",
    "JOSEError": "jose_error",
    "ConfigurationError": "invalid_configuration",
    "UnsupportedAlgorithmError": "unsupported_algorithm",
    "KeyImportError": "invalid_key",
    "KeyPasswordError": "key_password",
    "UnsupportedKeyError": "unsupported_key",
    "WeakKeyError": "weak_key",
    "KeySetError": "invalid_key_set",
    "KeyUseError": "wrong_key_use",
    "TokenError": "invalid_token",
    "MalformedTokenError": "malformed_token",
    "TokenTooLargeError": "token_too_large",
    "InvalidHeaderError": "invalid_header",
    "CriticalHeaderError": "unsupported_critical_header",
    "AlgorithmMismatchError": "algorithm_not_allowed",
    "NoMatchingKeyError": "no_matching_key",
    "InvalidSignatureError": "invalid_signature",
    "DecryptionError": "decryption_failed",
    "UnexpectedTypeError": "unexpected_type",
    "ClaimError": "claim_error",
    "MissingClaimError": "missing_claim",
    "InvalidClaimError": "invalid_claim",
    "ExpiredTokenError": "token_expired",
    "TokenNotYetValidError": "token_not_yet_valid",
    "IssuedInFutureError": "issued_in_future",
    "TokenTooOldError": "token_too_old",
    "IssuerMismatchError": "issuer_mismatch",
    "AudienceMismatchError": "audience_mismatch",
}


def classes() -> Iterator[type[CoatcheckError]]:
    for module in (root, jose):
        for name in module.__all__:
            yield getattr(module, name)


CLASSES = {kind.__name__: kind for kind in classes()}

EXAMPLES: list[CoatcheckError] = [
    CoatcheckError("Something."),
    CoatcheckError("Something.", detail="more"),
    jose.UnsupportedAlgorithmError("No.", alg="none", detail="more"),
    jose.AlgorithmMismatchError("No.", alg="HS256", expected=("RS256", "PS256")),
    jose.NoMatchingKeyError("No.", kid="x"),
    jose.ConfigurationError("No.", detail="more"),
    jose.InvalidSignatureError(),
    jose.DecryptionError(),
    jose.UnexpectedTypeError("No.", typ=None, expected="JWT"),
    *(
        kind("No.", claim="aud", value=("a", "b"), expected=["c"])
        for kind in CLASSES.values()
        if issubclass(kind, jose.ClaimError)
    ),
]


def drawn_tree() -> dict[str, str]:
    """The tree in the docstring: for each name its parent's."""
    assert jose.__doc__ is not None
    parents: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for line in jose.__doc__.splitlines():
        found = re.match(r"([ │├└─]*)(\w+Error)\b", line)
        if found is None or not line.startswith("    "):
            continue
        indent = len(found[1])
        while path and path[-1][0] >= indent:
            path.pop()
        if path:
            parents[found[2]] = path[-1][1]
        path.append((indent, found[2]))
    return parents


def test_the_tree_drawn_in_the_docstring_is_the_real_one() -> None:
    real = {name: kind.__bases__[0].__name__ for name, kind in CLASSES.items() if kind is not CoatcheckError}
    assert drawn_tree() == real


def test_every_error_has_its_stable_code() -> None:
    assert {name: kind.code for name, kind in CLASSES.items()} == CODES


def test_no_two_errors_share_a_code() -> None:
    assert len(set(CODES.values())) == len(CODES)


@pytest.mark.parametrize("kind", CLASSES.values())
def test_every_error_states_its_own_code_in_lower_case(kind: type[CoatcheckError]) -> None:
    assert re.fullmatch(r"[a-z_]+", vars(kind)["code"])


@pytest.mark.parametrize("kind", CLASSES.values())
def test_every_error_inherits_from_one_class_only(kind: type[CoatcheckError]) -> None:
    assert len(kind.__bases__) == 1
    assert issubclass(kind, CoatcheckError)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_errors_survive_pickling_and_copying_with_all_their_attributes(error: CoatcheckError) -> None:
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301
        assert type(twin) is type(error)
        assert vars(twin) == vars(error)
        assert twin.args == error.args
        assert str(twin) == str(error)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_the_text_of_an_error_is_its_message_and_not_its_detail(error: CoatcheckError) -> None:
    assert str(error) == error.message
    assert error.detail is None or error.detail not in str(error)


def test_a_claim_error_knows_the_claim_its_value_and_what_was_expected() -> None:
    error = jose.IssuerMismatchError("No.", claim="iss", value="a", expected="b")
    assert (error.claim, error.value, error.expected) == ("iss", "a", "b")
    bare = jose.MissingClaimError("No.", claim="exp")
    assert (bare.value, bare.expected) == (None, None)


def test_errors_that_must_not_say_why_always_say_the_same() -> None:
    assert (
        jose.DecryptionError().message == jose.DecryptionError().message == "The token cannot be decrypted."
    )
    assert jose.InvalidSignatureError().message == "The signature does not verify."
