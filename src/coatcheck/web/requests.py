"""What requests say, typed: one frozen value per kind of request. Unknown fields are ignored (RFC 6749 section 3.2)."""

from __future__ import annotations

from typing import Literal

import msgspec

from ..revocation.model import Kind

__all__ = [
    "ApplicationName",
    "ChangePassword",
    "ConfirmEmail",
    "ConfirmSignUp",
    "Confirmation",
    "Decision",
    "DoneQuery",
    "EndDevice",
    "EndSession",
    "Fields",
    "Forgotten",
    "LinkQuery",
    "NewEmail",
    "NewService",
    "NextQuery",
    "Nothing",
    "ProfileForm",
    "ReAuthentication",
    "ResetPassword",
    "Revocation",
    "RevocationsQuery",
    "ServiceName",
    "SignIn",
    "SignInQuery",
    "SignOut",
    "SignUp",
    "SignUpQuery",
    "TokenRequest",
]


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all kinds of request."""

    def __repr__(self) -> str:
        # Nearly all of them carry a secret.
        return f"<{type(self).__name__}>"


class Nothing(Fields, frozen=True, kw_only=True):
    """A request whose path says it all."""


class NextQuery(Fields, frozen=True, kw_only=True):
    """The query of a page that leads on. ``next`` is untrusted."""

    next: str = ""


class DoneQuery(Fields, frozen=True, kw_only=True):
    """The query of a page that says what has just succeeded. An unknown word says nothing."""

    done: str = ""


class SignInQuery(NextQuery, frozen=True, kw_only=True):
    """The query of the sign-in page.

    Attributes:
        other: Not empty if it is for another account than the one that is signed in.
    """

    done: str = ""
    other: str = ""


class SignUpQuery(NextQuery, frozen=True, kw_only=True):
    """The query of the sign-up page. ``other`` is as for the sign-in page."""

    other: str = ""


class LinkQuery(NextQuery, frozen=True, kw_only=True):
    """The query of a link in a mail."""

    token: str = ""


class SignIn(Fields, frozen=True, kw_only=True):
    """E-mail address and password.

    Attributes:
        scope: What the tokens are asked for; ``None`` for all that the user may.
        credential: What to give in return; ``None`` for the usual: a cookie after a form, tokens after JSON.
    """

    email: str
    password: str
    next: str = ""
    scope: str | None = None
    credential: Literal["cookie", "tokens"] | None = None


class SignUp(Fields, frozen=True, kw_only=True):
    """A wish for an account."""

    email: str
    password: str
    next: str = ""


class ConfirmSignUp(Fields, frozen=True, kw_only=True):
    """The button behind the link in the sign-up mail."""

    token: str
    password: str | None = None
    next: str = ""
    credential: Literal["cookie", "tokens"] | None = None


class Forgotten(Fields, frozen=True, kw_only=True):
    """A wish for a link to choose a new password."""

    email: str


class ResetPassword(Fields, frozen=True, kw_only=True):
    """The new password behind such a link."""

    token: str
    new_password: str


class SignOut(Fields, frozen=True, kw_only=True):
    """The end of this session."""

    next: str = ""


class ReAuthentication(Fields, frozen=True, kw_only=True):
    """The password once more."""

    password: str
    next: str = ""


class ChangePassword(Fields, frozen=True, kw_only=True):
    """Another password."""

    current_password: str
    new_password: str


class NewEmail(Fields, frozen=True, kw_only=True):
    """Another e-mail address."""

    new_email: str


class ProfileForm(Fields, frozen=True, kw_only=True):
    """What a user says of themselves, as the account page asks. What is left out stays; what is empty is taken away."""

    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    phone_number: str | None = None


class ConfirmEmail(Fields, frozen=True, kw_only=True):
    """The button behind the link in the mail to the new address."""

    token: str


class Confirmation(Fields, frozen=True, kw_only=True):
    """The answer to the last question before what cannot be undone: ``"yes"``."""

    confirm: str = ""


class Decision(Fields, frozen=True, kw_only=True):
    """What a user says to an authorization request.

    Attributes:
        decision: What.
        session_id: The session that the page was for.
        scope: What stood on it.
    """

    decision: Literal["allow", "deny", "select", "other", "create"]
    session_id: str = ""
    scope: str = ""


class EndDevice(Fields, frozen=True, kw_only=True):
    """One session to end."""

    session_id: str


class EndSession(Fields, frozen=True, kw_only=True):
    """The user's yes to an app that asks to sign them out.

    Attributes:
        ticket: What it asked for.
    """

    ticket: str


class ApplicationName(Fields, frozen=True, kw_only=True):
    """One app."""

    client_id: str


class RevocationsQuery(DoneQuery, frozen=True, kw_only=True):
    """The query of the page of revocations.

    Attributes:
        ended: How many sessions the last one has ended.
        before: The number of an entry: only older ones are asked for.
    """

    ended: str = ""
    before: str = ""


class Revocation(Fields, frozen=True, kw_only=True):
    """What is to be revoked.

    Attributes:
        kind: What kind of thing.
        value: Which. It may be a token.
        issued_before: Of everything: only the sessions that began before this instant, in seconds since 1970.
        confirm: Of everything, in a form: ``"yes"``.
    """

    kind: Kind
    value: str = ""
    issued_before: float | None = None
    confirm: str = ""


class NewService(Fields, frozen=True, kw_only=True):
    """A service that is to follow the ledger.

    Attributes:
        name: What it is called.
        audience: The API that it stands for; ``None`` for all.
    """

    name: str
    audience: str | None = None


class ServiceName(Fields, frozen=True, kw_only=True):
    """One service."""

    name: str


class TokenRequest(Fields, frozen=True, kw_only=True):
    """A token request (RFC 6749 section 6). What is missing is told by its own error code, hence the defaults."""

    grant_type: str | None = None
    refresh_token: str | None = None
