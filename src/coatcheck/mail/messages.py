"""What letters say: for each message of the flows its subject, its sentences and its links.

The words for HTML and for plain text are the same; ``templates/`` has the layout of both.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from ..flows import messages as flows
from ..identity import Client
from .browsers import browser_in_words
from .model import Letterhead

__all__ = ["Content", "Link", "content_of"]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link with its words.

    Attributes:
        label: What happens there.
        url: The whole address.
    """

    label: str
    url: str


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What a letter says, without layout.

    Attributes:
        subject: The subject.
        happened: What happened, in a sentence or two.
        link: What to do about it, as a button; ``None`` if there is nothing to do.
        condition: Until when and how often the link works.
        facts: When and from where, as pairs of a word and a value.
        otherwise: What to do if it was not the reader.
        other_link: A second link, for that case.
        lifetime: For how many seconds the letter makes sense; ``None`` for always.
    """

    subject: str
    happened: str
    link: Link | None = None
    condition: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    otherwise: str
    other_link: Link | None = None
    lifetime: float | None = None


def content_of(message: flows.Message, head: Letterhead) -> Content:
    """Return what to say of a message."""
    return _WRITERS[type(message)](message, head)


def _link(label: str, path: str, head: Letterhead) -> Link:
    """Make an address of a path. Nothing but the settings decides which site it leads to."""
    return Link(label=label, url=f"{head.base_url}{head.prefix}{path}")


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= 2 * size or seconds == size:
            count = round(seconds / size)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{round(seconds)} seconds"


def _once(lifetime: float) -> str:
    return f"The link works once, for {_span(lifetime)}."


def _facts(at: float, client: Client) -> tuple[tuple[str, str], ...]:
    moment = datetime.fromtimestamp(at, UTC)
    facts = [
        ("When", f"{moment.day} {moment:%B %Y, %H:%M} UTC"),
        ("With", browser_in_words(client.user_agent)),
    ]
    if client.address:
        facts.append(("From", client.address))
    return tuple(facts)


def _confirm_sign_up(message: flows.ConfirmSignUp, head: Letterhead) -> Content:
    return Content(
        subject=f"Confirm your address for {head.name}",
        happened=f"Somebody signed up at {head.name} with this e-mail address. If it was you, confirm it.",
        link=_link("Confirm address", message.link, head),
        condition=_once(message.lifetime),
        otherwise="If it was not you, do nothing: without this link no account is made.",
        lifetime=message.lifetime,
    )


def _already_registered(message: flows.AlreadyRegistered, head: Letterhead) -> Content:
    return Content(
        subject=f"You already have an account at {head.name}",
        happened=(
            f"Somebody tried to sign up at {head.name} with this e-mail address, which has an account already. "
            "If it was you, sign in instead."
        ),
        link=_link("Sign in", message.sign_in_link, head),
        otherwise="If it was not you, do nothing: nothing has changed. If you no longer know your password:",
        other_link=_link("Set a new password", message.forgotten_link, head),
    )


def _reset_password(message: flows.ResetPassword, head: Letterhead) -> Content:
    return Content(
        subject=f"Set a new password for {head.name}",
        happened=f"A new password was asked for, for your account at {head.name}. You can set it now.",
        link=_link("Set a new password", message.link, head),
        condition=_once(message.lifetime),
        otherwise="If you did not ask for it, do nothing: without this link nothing changes.",
        lifetime=message.lifetime,
    )


def _confirm_email_change(message: flows.ConfirmEmailChange, head: Letterhead) -> Content:
    return Content(
        subject=f"Confirm your new address for {head.name}",
        happened=f"Somebody wants to use this e-mail address for their account at {head.name}.",
        link=_link("Confirm new address", message.link, head),
        condition=_once(message.lifetime),
        otherwise="If it was not you, do nothing: without this link the address is not used.",
        lifetime=message.lifetime,
    )


def _email_changed(message: flows.EmailChanged, head: Letterhead) -> Content:
    return Content(
        subject=f"Your address at {head.name} was changed",
        happened=f"Your account at {head.name} now has another e-mail address. This one no longer belongs to it.",
        facts=_facts(message.at, message.client),
        otherwise=f"If it was not you, tell those who run {head.name} at once: somebody else controls your account.",
    )


def _password_changed(message: flows.PasswordChanged, head: Letterhead) -> Content:
    return Content(
        subject=f"Your password for {head.name} was changed",
        happened=f"The password of your account at {head.name} was changed. Other devices were signed out.",
        facts=_facts(message.at, message.client),
        otherwise="If it was not you, set a new password now:",
        other_link=_link("Set a new password", message.forgotten_link, head),
    )


def _new_device(message: flows.NewDevice, head: Letterhead) -> Content:
    return Content(
        subject=f"New sign-in to {head.name}",
        happened=f"Somebody signed in to your account at {head.name} with a device that never did before.",
        facts=_facts(message.at, message.client),
        link=_link("See your devices", message.devices_link, head),
        otherwise="If it was not you, end that session there, and set a new password:",
        other_link=_link("Set a new password", message.forgotten_link, head),
    )


def _session_stolen(message: flows.SessionStolen, head: Letterhead) -> Content:
    return Content(
        subject=f"A session at {head.name} was ended for your safety",
        happened=(
            f"A credential of your account at {head.name} was used twice, so one of its two holders is not you. "
            "Its session was ended; you can sign in again."
        ),
        facts=_facts(message.at, message.client),
        otherwise="If the device is not one of yours, set a new password:",
        other_link=_link("Set a new password", message.forgotten_link, head),
    )


_WRITERS: dict[type[flows.Message], Callable[[Any, Letterhead], Content]] = {
    flows.ConfirmSignUp: _confirm_sign_up,
    flows.AlreadyRegistered: _already_registered,
    flows.ResetPassword: _reset_password,
    flows.ConfirmEmailChange: _confirm_email_change,
    flows.EmailChanged: _email_changed,
    flows.PasswordChanged: _password_changed,
    flows.NewDevice: _new_device,
    flows.SessionStolen: _session_stolen,
}
