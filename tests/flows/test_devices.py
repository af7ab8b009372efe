"""The cookie by which a device is known again: it proves what only the server can say, and carries nothing else."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck._core.secrets import Sealer
from coatcheck.flows.devices import device_id_of, is_known, remember
from coatcheck.sessions.cookie import Cookie

SEALER = Sealer(b"k" * 32)


def test_a_device_is_known_to_those_who_signed_in_on_it_and_to_nobody_else() -> None:
    cookie = remember(SEALER, None, "ada")
    assert is_known(SEALER, cookie, "ada")
    assert not is_known(SEALER, cookie, "eve")
    assert not is_known(Sealer(b"x" * 32), cookie, "ada")
    assert not is_known(SEALER, None, "ada")


def test_it_keeps_its_identifier_and_knows_the_last_four_accounts() -> None:
    cookie = remember(SEALER, None, "user 0")
    device = device_id_of(cookie)
    for number in range(1, 6):
        cookie = remember(SEALER, cookie, f"user {number}")
        assert device_id_of(cookie) == device
    known = [is_known(SEALER, cookie, f"user {number}") for number in range(6)]
    assert known == [False, False, True, True, True, True]


def test_signing_in_again_adds_nothing() -> None:
    once = remember(SEALER, None, "ada")
    assert remember(SEALER, once, "ada") == once


def test_a_proof_is_worth_nothing_on_another_device() -> None:
    _, proof = remember(SEALER, None, "ada").split(".")
    device, _ = remember(SEALER, None, "eve").split(".")
    assert not is_known(SEALER, f"{device}.{proof}", "ada")


@pytest.mark.parametrize(
    "cookie",
    ["", ".", "....", "x", f"x.{'A' * 22}", "A" * 22, "é" * 22, f"{'A' * 22}." + "A" * 21, "\ud800" * 22],
)
def test_what_is_forged_or_malformed_is_known_to_nobody(cookie: str) -> None:
    assert not is_known(SEALER, cookie, "ada")


@given(st.one_of(st.text(), st.text(st.sampled_from(string.ascii_letters + '.-_ ";,\\é'), max_size=200)))
def test_whatever_a_browser_brings_the_new_cookie_is_in_our_form_and_can_be_set(brought: str) -> None:
    cookie = remember(SEALER, brought, "ada")
    assert re.fullmatch(r"[\w-]{22}(\.[\w-]{22}){1,4}", cookie, re.ASCII)
    assert is_known(SEALER, cookie, "ada")
    Cookie(name="__Host-coatcheck-device").set(cookie)


def test_more_accounts_than_there_may_be_do_not_hide_those_that_count() -> None:
    cookie = remember(SEALER, None, "ada")
    device, proof = cookie.split(".")
    stuffed = ".".join([device, "A" * 22, "B" * 22, "C" * 22, proof, "D" * 22, "E" * 22])
    assert is_known(SEALER, stuffed, "ada")
    assert not is_known(SEALER, ".".join([device, *["A" * 22] * 4, proof]), "ada")
