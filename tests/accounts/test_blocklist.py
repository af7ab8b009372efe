"""The list of common passwords that comes with the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.accounts.blocklist import Blocklist, fold, load_blocklist

passwords = st.text(min_size=1, max_size=20)


def test_asvs_6_2_4_the_list_has_more_than_ten_thousand_passwords() -> None:
    assert len(load_blocklist()) > 10_000


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "password1",
        "12345678",
        "qwertyuiop",
        "iloveyou",
        "PassWord",
        "11111111",
        "football",
        "trustno1",
    ],
)
def test_what_everybody_chooses_is_on_the_list_in_any_case(password: str) -> None:
    assert password in load_blocklist()


@pytest.mark.parametrize("password", ["correct horse battery staple", "", "x" * 256, "\ud800", "zq8!kfW2pd"])
def test_other_passwords_are_not(password: str) -> None:
    assert password not in load_blocklist()


def test_it_is_read_once_and_small() -> None:
    assert load_blocklist() is load_blocklist()
    assert len(bytes(load_blocklist())) < 100_000
    assert repr(load_blocklist()) == f"<Blocklist of {len(load_blocklist())} passwords>"


def test_it_is_sorted_and_without_repetitions_or_it_would_not_be_found_in() -> None:
    octets = bytes(load_blocklist())
    digests = [octets[place : place + 5] for place in range(0, len(octets), 5)]
    assert digests == sorted(set(digests))


@given(st.sets(passwords, max_size=50), passwords)
def test_a_list_has_what_was_put_into_it(chosen: set[str], other: str) -> None:
    blocklist = Blocklist.of(*chosen)
    assert all(password in blocklist for password in chosen)
    assert (other in blocklist) is (fold(other) in map(fold, chosen))


@given(passwords)
def test_folding_twice_is_folding_once(password: str) -> None:
    assert fold(fold(password)) == fold(password)


def test_a_damaged_list_is_refused() -> None:
    with pytest.raises(ValueError, match="damaged"):
        Blocklist(b"1234")


def test_the_script_that_makes_the_list_can_be_read() -> None:
    script = Path(__file__).parents[2] / "scripts" / "make-blocklist"
    compile(script.read_text(encoding="utf-8"), str(script), "exec")
    program = "import coatcheck.accounts.blocklist, sys; print('email_validator' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    assert done.stdout == "False\n"
