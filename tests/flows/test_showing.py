"""What flows raise and hand around can be shown to anybody who reads a log."""

from typing import Any

import msgspec
import pytest

from coatcheck.errors import CoatcheckError
from coatcheck.flows import messages
from coatcheck.flows.errors import (
    FlowError,
    InsufficientScopeError,
    InvalidTokenError,
    NotSignedInError,
    RecentSignInNeededError,
    ServerKeyError,
    SignUpClosedError,
)
from coatcheck.flows.opening import Opened
from coatcheck.identity import Client
from tests.flows.world import World, asks, asynchronous

SECRET = "the-secret"
ERRORS = (
    NotSignedInError(),
    InvalidTokenError(detail="expired"),
    InsufficientScopeError({"write", "read"}),
    RecentSignInNeededError(max_age=300),
    SignUpClosedError(),
    ServerKeyError(detail="kid 1"),
)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_every_error_has_a_code_of_its_own_and_a_sentence_for_people(error: FlowError) -> None:
    assert isinstance(error, CoatcheckError)
    assert [each.code for each in ERRORS].count(error.code) == 1
    assert error.message.endswith(".")


def test_an_error_says_what_would_be_needed() -> None:
    assert InsufficientScopeError(["write", "read"]).scope == "read write"
    assert RecentSignInNeededError(max_age=300).max_age == 300


MESSAGES: list[type[messages.Message]] = [
    kind for name in messages.__all__ if (kind := getattr(messages, name)) is not messages.Message
]


@pytest.mark.parametrize("kind", MESSAGES)
def test_no_message_shows_its_link_or_whom_it_is_for(kind: type[messages.Message]) -> None:
    values: dict[str, Any] = {"at": 1.0, "lifetime": 1.0, "client": Client(address="192.0.2.1")}
    fields = {field.name: values.get(field.name, SECRET) for field in msgspec.structs.fields(kind)}
    assert repr(kind(**fields)) == f"<{kind.__name__}>"


def test_a_request_does_not_show_the_cookies_that_came_with_it() -> None:
    assert SECRET not in repr(asks(device=SECRET, replaces=SECRET))


@asynchronous
async def test_what_was_just_opened_does_not_show_its_secrets(world: World) -> None:
    signed_in = await world.signed_up()
    opened = Opened(
        user=signed_in.user, session=signed_in.session, secret=SECRET, refresh_token=f"{SECRET}-too", at=1.0
    )
    assert repr(opened) == f"<Opened browser session {signed_in.session.id}>"
