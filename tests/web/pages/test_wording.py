import pytest

from coatcheck.web.pages.wording import describe_methods, describe_wait, problem_words


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
