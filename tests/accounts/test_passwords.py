"""What a good password is: long enough, not common, and nothing that this site or this person suggests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.accounts.blocklist import load_blocklist
from coatcheck.accounts.errors import PasswordRefusedError
from coatcheck.accounts.passwords import check_password
from coatcheck.accounts.policy import PasswordPolicy

POLICY = PasswordPolicy(context_words=frozenset({"Acme", "Widget Works", "team7"}))
EMAIL = "John.Smith+news@mail.blue-whale.example.com"


def reason_for(password: str, *, policy: PasswordPolicy = POLICY, email: str = EMAIL) -> str | None:
    try:
        check_password(password, policy, email=email, blocklist=load_blocklist())
    except PasswordRefusedError as error:
        return error.reason
    return None


@pytest.mark.parametrize(
    "password, reason",
    [
        ("", "too_short"),
        ("k3v9z!q", "too_short"),
        ("k3v9z!qw", None),
        ("\U0001f9a9" * 7, "too_short"),
        ("\U0001f9a9\U0001f433\U0001f9ad" * 3, None),
        ("kv9zqw!t" * 32, None),
        ("kv9zqw!t" * 32 + "x", "too_long"),
        ("k3v9z!qw\0", "not_text"),
        ("k3v9z!qw\ud800", "not_text"),
        ("k3v9z!qw\n\t\x7f", None),
        ("        ", None),
        (" k3v9z!q", None),
        ("correct horse battery staple", None),
    ],
)
def test_asvs_6_2_1_and_6_2_9_the_length_is_counted_in_characters_as_typed(
    password: str, reason: str | None
) -> None:
    assert reason_for(password) == reason


@pytest.mark.parametrize(
    "password", ["password1", "PASSWORD1", "iloveyou", "Football", "12345678", "qwertyuiop"]
)
def test_asvs_6_2_4_common_passwords_are_refused(password: str) -> None:
    assert reason_for(password) == "common"


@pytest.mark.parametrize(
    "password", ["aaaaaaaaaaaaaaaaaz", "zzzzqqqq!", "онлайнпароль", "kvwqzzzx", "K V W Q Z X Y"]
)
def test_asvs_6_2_5_there_are_no_rules_of_composition(password: str) -> None:
    assert reason_for(password) is None


@pytest.mark.parametrize(
    "password",
    [
        "acme2026!",
        "Acme!!!!",
        "2026-Acme",
        "ACME ACME",
        "acmeacmeacme",
        "acme_acme_1",
        "\uff21\uff23\uff2d\uff25 2026",
        "WidgetWorks",
        "widget-works-1",
        "team7team7",
        "team2026!",
        "john.smith",
        "JohnSmith1",
        "smith777",
        "1smith234!",
        "bluewhale",
        "blue-whale!9",
        "example1",
        "mailmail",
        "mail.blue-whale.example.com",
        "john.smith+news@mail.blue-whale.example.com",
    ],
)
def test_asvs_6_2_11_context_words_are_refused_also_with_trivial_additions(password: str) -> None:
    assert reason_for(password) == "contextual"


@pytest.mark.parametrize(
    "password",
    [
        "acme is my employer",
        "acme94612087351",
        "smithereens!",
        "blacksmith",
        "john blue whale",
        "com12345678",
        "xacme2026",
    ],
)
def test_a_password_that_merely_holds_a_word_is_accepted(password: str) -> None:
    assert reason_for(password, email="jo@smith.org") is None


def test_a_letter_of_a_short_address_does_not_spoil_digits_around_it() -> None:
    assert reason_for("x84719263", email="a@x.com") is None


def test_digits_that_are_the_address_are_refused() -> None:
    assert reason_for("49172635", email="49172635@example.com") == "contextual"


def test_the_message_says_what_to_do() -> None:
    messages = {}
    for password in ("short", "x" * 257, "k3v9z!qw\0", "password1", "acme2026"):
        with pytest.raises(PasswordRefusedError) as caught:
            check_password(password, POLICY, email=EMAIL, blocklist=load_blocklist())
        messages[caught.value.reason] = caught.value.message
        assert password not in caught.value.message
    assert messages["too_short"] == "Use at least 8 characters."
    assert messages["too_long"] == "Use at most 256 characters."
    assert set(messages) == {"too_short", "too_long", "not_text", "common", "contextual"}


def test_the_policy_decides_on_the_least_length() -> None:
    policy = PasswordPolicy(minimum=15)
    assert reason_for("k3v9z!qwk3v9z!", policy=policy) == "too_short"
    assert reason_for("k3v9z!qwk3v9z!q", policy=policy) is None


@given(st.text(alphabet=st.characters(), max_size=300), st.text(max_size=50))
def test_any_text_is_accepted_or_refused_for_a_reason(password: str, email: str) -> None:
    reason = reason_for(password, email=email)
    assert reason in {None, "too_short", "too_long", "not_text", "contextual", "common"}
    if reason is None:
        assert password.encode().decode() == password
        assert 8 <= len(password) <= 256
