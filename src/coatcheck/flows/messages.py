"""What is mailed to people, as values. Words, layout and absolute addresses are the business of whoever composes.

A ``link`` is a path below the pages' prefix with its query, for example ``/reset?token=…``: it never comes from a
request, so that no request can make a mail point elsewhere.
"""

from __future__ import annotations

import msgspec

from ..identity import Client

__all__ = [
    "AlreadyRegistered",
    "ConfirmEmailChange",
    "ConfirmSignUp",
    "EmailChanged",
    "Message",
    "NewDevice",
    "PasswordChanged",
    "ResetPassword",
    "SessionStolen",
]


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of all messages.

    Attributes:
        to: The address, in the spelling its owner gave.
    """

    to: str

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"  # some have links in them that work


class ConfirmSignUp(Message, frozen=True, kw_only=True):
    """Somebody, hopefully the owner, signed up with this address."""

    link: str
    lifetime: float


class AlreadyRegistered(Message, frozen=True, kw_only=True):
    """Somebody tried to sign up with the address of an existing account."""

    sign_in_link: str
    forgotten_link: str


class ResetPassword(Message, frozen=True, kw_only=True):
    """Somebody asked for a new password."""

    link: str
    lifetime: float


class ConfirmEmailChange(Message, frozen=True, kw_only=True):
    """To the new address: confirm that it is yours."""

    link: str
    lifetime: float


class EmailChanged(Message, frozen=True, kw_only=True):
    """To the old address: the account now has another one."""

    at: float
    client: Client


class PasswordChanged(Message, frozen=True, kw_only=True):
    """The account's password was changed or reset."""

    at: float
    client: Client
    forgotten_link: str


class NewDevice(Message, frozen=True, kw_only=True):
    """Somebody signed in from a browser or client that never did before."""

    at: float
    client: Client
    devices_link: str
    forgotten_link: str


class SessionStolen(Message, frozen=True, kw_only=True):
    """A used refresh token came back: its session was ended because one of two holders is a thief."""

    at: float
    client: Client
    forgotten_link: str
