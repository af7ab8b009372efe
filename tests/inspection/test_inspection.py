"""Looking into tokens and keys, for programs. What it says of each kind of token is tested at the command line."""

import pickle
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck._core.text import pieces, visible
from coatcheck.inspection import (
    Report,
    UnclearKeyError,
    UnreadableKeyError,
    inspect,
    read,
    read_key_text,
    weigh,
)
from coatcheck.jose import Key
from coatcheck.jose.errors import MalformedTokenError
from tests.web.pages.inspector_samples import GOOD, HOSTILE

NOW = 1_790_000_000.0
RSA = Key.generate("RS256")


def test_a_report_says_what_a_token_is_and_never_that_it_is_verified() -> None:
    report = inspect(GOOD, NOW)
    assert isinstance(report, Report)
    assert report.verified is False
    assert report.claims is not None
    assert report.claims["sub"] == "ada"
    assert report.weight == weigh(read(GOOD))
    assert {finding.code for finding in inspect(HOSTILE, NOW).findings} >= {"unsigned", "kid_injection"}


def test_what_is_no_token_is_refused() -> None:
    with pytest.raises(MalformedTokenError):
        inspect("x", NOW)


def test_a_key_for_several_algorithms_names_them_and_guesses_none() -> None:
    found = read_key_text(RSA.to_pem())
    with pytest.raises(UnclearKeyError) as caught:
        found.key_set(None, use="sig")
    choices = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
    assert caught.value.choices == choices
    assert pickle.loads(pickle.dumps(caught.value)).choices == choices  # noqa: S301 - our own
    assert [key.alg for key in found.key_set("PS256", use="sig")] == ["PS256"]


def test_what_may_be_a_secret_is_no_key_until_somebody_says_so() -> None:
    with pytest.raises(UnreadableKeyError) as caught:
        read_key_text(b"correct horse battery staple")
    assert caught.value.may_be_secret
    with pytest.raises(UnreadableKeyError) as caught:
        read_key_text(GOOD.encode())
    assert not caught.value.may_be_secret
    assert read_key_text(b"correct horse battery staple", alg="HS256").form == "secret"


def test_it_needs_neither_the_command_line_nor_the_server() -> None:
    program = "import sys, coatcheck.inspection; print(*sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"typer", "rich", "starlette", "jinja2", "argon2"} & set(found.stdout.split())


@given(st.text())
def test_the_pieces_of_a_text_show_all_of_it_and_nothing_that_hides(text: str) -> None:
    shown = list(pieces(text))
    assert all(visible(piece) == piece for piece, _ in shown)
    assert all(piece.startswith("\\") for piece, hidden in shown if hidden)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", []),
        ("plain <b>", [("plain <b>", False)]),
        ("a\u202eb", [("a", False), ("\\u202e", True), ("b", False)]),
        ("é\n", [("é", False), ("\\n", True)]),
    ],
)
def test_what_is_not_seen_is_a_piece_of_its_own(text: str, expected: list[tuple[str, bool]]) -> None:
    assert list(pieces(text)) == expected
