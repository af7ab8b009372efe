import pytest

from coatcheck.web.pages.wording import (
    describe_actor,
    describe_methods,
    describe_reason,
    describe_wait,
    problem_words,
)


@pytest.mark.parametrize(
    "seconds, words",
    [
        (-1, "1 second"),
        (0, "1 second"),
        (0.2, "1 second"),
        (1, "1 second"),
        (1.1, "2 seconds"),
        (60, "60 seconds"),
        (61, "2 minutes"),
        (3600, "60 minutes"),
        (3601, "2 hours"),
    ],
)
def test_a_wait_is_rounded_up(seconds: float, words: str) -> None:
    assert describe_wait(seconds) == words


@pytest.mark.parametrize(
    "methods, words",
    [
        ((), "unknown"),
        (("pwd",), "password"),
        (("pwd", "otp", "mfa"), "password and one-time code"),
        (("hwk", "user"), "passkey"),
        (("hwk", "swk"), "passkey"),
        (("xyz",), "another way"),
    ],
)
def test_methods_are_told_in_words(methods: tuple[str, ...], words: str) -> None:
    assert describe_methods(methods) == words


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_has_words_for_people(status: int) -> None:
    title, message = problem_words(status)
    assert title
    assert message.endswith(".")
    assert str(status) not in title + message


@pytest.mark.parametrize(
    "actor, words",
    [
        ("administrator", "the command line"),
        ("server", "this server"),
        ("user:u1", "ada@example.com"),
        ("user:gone", "gone"),
        ("service:orders", "orders"),
        ("somebody", "somebody"),
    ],
)
def test_who_ended_access_is_named_as_far_as_known(actor: str, words: str) -> None:
    assert describe_actor(actor, {"u1": "ada@example.com"}) == words


def test_why_access_ended_is_told_in_words() -> None:
    assert describe_reason("refresh-token-reused") == "refresh token reused"
    assert describe_reason("ended-by-administrator") == "revoked"
