"""What each page shows, as values. A route makes one of these, and :class:`~.rendering.Pages` turns it into HTML.

The fields of the forms are named the same everywhere: ``email``, ``password``, ``new_password``, ``current_password``,
``new_email``, ``token``, ``next``, ``session_id``, ``confirm`` and ``csrf_token``. Times are seconds since 1970.

================  ======================================================  =========================================
page              posts to (below the prefix)                             fields
================  ======================================================  =========================================
sign in           ``/sign-in``                                            email, password, next
sign up           ``/sign-up``                                            email, password, next
confirm sign-up   ``/sign-up/confirm``                                    token, next, password if it is needed
forgotten         ``/forgotten``                                          email
reset             ``/reset``                                              token, new_password (email: not for you)
sign out          ``/sign-out``                                           next
account           ``/account/password``                                   current_password, new_password
account           ``/account/email``                                      new_email
account           ``/account/profile``                                    name, given_name, family_name, phone_number
account           ``/account/deactivate``, ``/account/delete``            confirm=yes
revocations       ``/admin/revocations``                                  kind, value; for everything confirm=yes
confirm e-mail    ``/account/email/confirm``                              token
devices           ``/devices/end``                                        session_id
devices           ``/devices/end-others``, ``/devices/end-all``
re-authenticate   ``/re-authenticate``                                    password, next (email: not for you)
consent           ``/continue/{handle}``                                  decision=allow or deny, session_id, scope
select account    ``/continue/{handle}``                                  decision=select, other or create, session_id
end session       ``/end-session/confirm``                                ticket
applications      ``/applications/remove``                                client_id
token inspector   ``/dev/token``                                          token, key, alg, encoding, issuer, audience
================  ======================================================  =========================================

Every form sends ``csrf_token`` too, if the view has one. "Not for you": a field that only tells a password manager
whose password it is; every form with a password has one, the confirmation and the change of the password too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec

__all__ = [
    "AccountView",
    "ApplicationAPIView",
    "ApplicationView",
    "ApplicationsView",
    "CheckInboxView",
    "ConfirmEmailView",
    "ConfirmSignUpView",
    "DemoHomeView",
    "DemoProtectedView",
    "DevelopmentMail",
    "DevelopmentMailListView",
    "DevelopmentMailView",
    "DeviceRecord",
    "DevicesView",
    "EndSessionView",
    "ForgottenView",
    "FormError",
    "LiveView",
    "MailSentView",
    "NoticeView",
    "ProblemView",
    "ReAuthenticateView",
    "ResetView",
    "RevocationRecord",
    "RevocationsView",
    "SignInView",
    "SignOutView",
    "SignUpView",
    "SignedOutOfView",
    "View",
]


class FormError(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with what was typed.

    Attributes:
        message: One sentence for the reader, usually the ``message`` of a designed error.
        field: The name of the field that it is about; ``""`` if it is about the whole form.
        form: On a page with several forms, which one: the last part of its path, for example ``"password"``.
    """

    message: str
    field: str = ""
    form: str = ""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all views.

    Attributes:
        csrf_token: For the hidden field of every form, where tokens are what guards against CSRF.
        signed_in_as: The e-mail address of who is signed in, or ``""``. The page then shows it at its top, with the
            way to the account and the button to sign out (ASVS 7.4.4).
        notice: A sentence about something that has just succeeded, or ``""``.
        errors: What was wrong with the last attempt. The first one gets the focus.
        form_targets: Where forms may lead in the end, beyond this site, as the policy of its content says it.
        frame_sources: The origins whose pages it shows in frames, likewise.
    """

    csrf_token: str = ""
    signed_in_as: str = ""
    notice: str = ""
    errors: tuple[FormError, ...] = ()
    form_targets: tuple[str, ...] = ()
    frame_sources: tuple[str, ...] = ()


class SignInView(View, frozen=True, kw_only=True):
    """The sign-in page. Its errors never say whether the account exists.

    Attributes:
        next: Where to go afterwards: a path on this site, or ``""``.
        email: What was typed before.
        app: The app that is waiting for it, or ``""``.
        other: Whether it is for another account than the one that is signed in.
    """

    next: str = ""
    email: str = ""
    app: str = ""
    other: bool = False


class SignUpView(View, frozen=True, kw_only=True):
    """The sign-up page.

    Attributes:
        next: Where to go in the end: a path on this site, or ``""``.
        email: What was typed before.
        app: The app that is waiting for it, or ``""``.
    """

    next: str = ""
    email: str = ""
    app: str = ""


class CheckInboxView(View, frozen=True, kw_only=True):
    """After the sign-up form: a mail is on its way. The same whether the address is taken or not.

    Attributes:
        email: The address that was typed.
        development_mail_url: In development, the path of the page that lists the mails.
    """

    email: str
    development_mail_url: str | None = None


class ConfirmSignUpView(View, frozen=True, kw_only=True):
    """Behind the link in the sign-up mail: a button, and in a browser that did not ask, the password.

    Attributes:
        token: The secret in the link.
        email: The address that is being confirmed.
        needs_password: Whether the password chosen at sign-up must be typed.
        next: Where to go in the end: a path on this site, or ``""``.
    """

    token: str
    email: str
    needs_password: bool
    next: str = ""


class ForgottenView(View, frozen=True, kw_only=True):
    """The page that asks for the address to send a reset link to.

    Attributes:
        email: What was typed before.
    """

    email: str = ""


class MailSentView(View, frozen=True, kw_only=True):
    """After the forgotten-password form. The same for everybody.

    Attributes:
        email: The address that was typed.
        development_mail_url: In development, the path of the page that lists the mails.
    """

    email: str
    development_mail_url: str | None = None


class ResetView(View, frozen=True, kw_only=True):
    """Behind the link in the reset mail: choose a new password.

    Attributes:
        token: The secret in the link.
        email: Whose password it is.
    """

    token: str
    email: str


class AccountView(View, frozen=True, kw_only=True):
    """The account: address, password, and the ways out. Its errors name their ``form``.

    Give ``signed_in_as``: the address is shown from there.

    Attributes:
        scopes: What the user may do, sorted.
        created_at: When the account was made, if known.
        authenticated_at: When they last proved who they are, if known.
        device_count: How many sessions there are, if known.
        typed_email: What was typed as the new address before.
        is_administrator: Whether to show the way to what administrators do.
        profile: What the user says of themselves, or has just typed, by the names of the claims.
    """

    scopes: tuple[str, ...] = ()
    created_at: float | None = None
    authenticated_at: float | None = None
    device_count: int | None = None
    typed_email: str = ""
    is_administrator: bool = False
    profile: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])


class DeviceRecord(Protocol):
    """One session as the devices page needs it. What ``flows.ending.list_devices`` gives, fits."""

    @property
    def session_id(self) -> str:
        """Its public identifier."""
        ...

    @property
    def user_agent(self) -> str:
        """The ``User-Agent`` header at sign-in. Hostile until proven otherwise."""
        ...

    @property
    def address(self) -> str:
        """The IP address at sign-in, or ``""``."""
        ...

    @property
    def created_at(self) -> float:
        """When it began."""
        ...

    @property
    def last_seen_at(self) -> float:
        """When it was last used, coarsely."""
        ...

    @property
    def ends_at(self) -> float:
        """When it ends if it is not used again."""
        ...

    @property
    def methods(self) -> tuple[str, ...]:
        """How the user signed in (RFC 8176)."""
        ...

    @property
    def kind(self) -> Literal["browser", "tokens"]:
        """Whether a cookie carries it, or tokens."""
        ...

    @property
    def is_current(self) -> bool:
        """Whether this very request belongs to it."""
        ...


class DevicesView(View, frozen=True, kw_only=True):
    """Where the user is signed in. Give ``signed_in_as``.

    Attributes:
        devices: The sessions. This device is shown first, the others by when they were last used.
    """

    devices: tuple[DeviceRecord, ...]


class RevocationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the ledger.

    Attributes:
        seq: Its number.
        kind: What it is about.
        name: Which one: of a user the address, if known.
        reason: Why, in words.
        actor: Who did it, in words.
        at: When.
        until: Until when it is kept at least.
    """

    seq: int
    kind: str
    name: str
    reason: str
    actor: str
    at: float
    until: float


class RevocationsView(View, frozen=True, kw_only=True):
    """Revoking on purpose, and what ended lately. Give ``signed_in_as``. Its errors name their ``form``.

    Attributes:
        entries: The newest first.
        older: The number of the last entry shown, if there may be older ones.
        is_newest: Whether the first entry is the newest.
        typed_kind: What was chosen before.
        typed_value: What was typed before, unless it is a token.
    """

    entries: tuple[RevocationRecord, ...] = ()
    older: int | None = None
    is_newest: bool = True
    typed_kind: str = "user"
    typed_value: str = ""


class ReAuthenticateView(View, frozen=True, kw_only=True):
    """The password again, before something delicate. Give ``signed_in_as``.

    Attributes:
        next: Where to go afterwards: a path on this site, or ``""``.
        app: The app that is waiting for it, or ``""``.
    """

    next: str = ""
    app: str = ""


class SignOutView(View, frozen=True, kw_only=True):
    """A page with the sign-out button, for who follows a link to it.

    Attributes:
        next: Where to go afterwards: a path on this site, or ``""``.
    """

    next: str = ""


class EndSessionView(View, frozen=True, kw_only=True):
    """Whether to sign out, because an app asks for it.

    Attributes:
        ticket: The request.
        email: The account, or ``""`` where nobody knows.
        app: What the app calls itself, or ``""``. Hostile until proven otherwise.
        place: Where the browser goes afterwards, in words, or ``""``.
    """

    ticket: str
    email: str = ""
    app: str = ""
    place: str = ""


class SignedOutOfView(View, frozen=True, kw_only=True):
    """The session has ended. The browser loads what tells apps of it, then it is sent on.

    Attributes:
        frames: What it loads.
        next: Where to go on: an address of an app, or ``""``.
        place: The same in words.
        goes_on: Whether the browser goes there by itself.
    """

    frames: tuple[str, ...] = ()
    next: str = ""
    place: str = ""
    goes_on: bool = False


class ApplicationAPIView(msgspec.Struct, frozen=True, kw_only=True):
    """An API that an app has access to.

    Attributes:
        name: What it is called.
        scopes: What the app may do there: each scope with its description, or ``""``.
    """

    name: str
    scopes: tuple[tuple[str, str], ...] = ()


class ApplicationView(msgspec.Struct, frozen=True, kw_only=True):
    """An app that a user gave access to.

    Attributes:
        client_id: It.
        name: What it calls itself. Hostile until proven otherwise.
        place: Where its answers go, in words: a host, which nobody can imitate; or ``""``.
        is_verified: Whether somebody who runs this site registered it.
        openid: The scopes of OpenID Connect that it has.
        apis: The APIs that it has access to.
        since: When access was first given, as far as it is known.
        last_used_at: When it was last used, coarsely; ``None`` if it is not used at this moment.
        offline: Whether it outlives the browser's session.
        is_remembered: Whether the user is not asked again.
    """

    client_id: str
    name: str
    place: str = ""
    is_verified: bool = True
    openid: tuple[str, ...] = ()
    apis: tuple[ApplicationAPIView, ...] = ()
    since: float
    last_used_at: float | None = None
    offline: bool = False
    is_remembered: bool = False


class ApplicationsView(View, frozen=True, kw_only=True):
    """The apps that the user gave access to. Give ``signed_in_as``.

    Attributes:
        applications: The one that was used last comes first.
    """

    applications: tuple[ApplicationView, ...] = ()


class ConfirmEmailView(View, frozen=True, kw_only=True):
    """Behind the link in the mail to the new address: a button.

    Attributes:
        token: The secret in the link.
        email: The new address.
    """

    token: str
    email: str


class ProblemView(View, frozen=True, kw_only=True):
    """A request that was refused or failed. What is left empty gets humane words that fit the status.

    Attributes:
        status: The HTTP status, from 400. It becomes the response's.
        title: A few words.
        message: What happened and what to do, for a reader. Never a traceback or a quotation of the request.
        retry_after: After how many seconds it makes sense to try again, if known. Becomes the ``Retry-After`` header.
        action_label: What the button says; ``""`` for the usual way out.
        action_url: A path on this site that the button leads to.
    """

    status: int
    title: str = ""
    message: str = ""
    retry_after: float | None = None
    action_label: str = ""
    action_url: str = ""


class NoticeView(View, frozen=True, kw_only=True):
    """A page that only says that something has happened, with one way on.

    Attributes:
        title: A few words.
        message: A sentence or two.
        action_label: What the button says; no button if ``""``.
        action_url: A path on this site that the button leads to.
    """

    title: str
    message: str
    action_label: str = ""
    action_url: str = ""


class DevelopmentMail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that was not sent because this is development.

    Attributes:
        id: Its identifier, as it stands in the page's address.
        to: The address.
        subject: The subject.
        text: The plain text.
        at: When it was written.
        link: The absolute address or path in it that the reader is to open; ``""`` if there is none.
    """

    id: str
    to: str
    subject: str
    text: str
    at: float
    link: str = ""


class DevelopmentMailListView(View, frozen=True, kw_only=True):
    """Development only: the mails, at ``{prefix}/dev/mail``.

    Attributes:
        mails: The newest first.
    """

    mails: tuple[DevelopmentMail, ...]


class DevelopmentMailView(View, frozen=True, kw_only=True):
    """Development only: one mail, at ``{prefix}/dev/mail/{id}``.

    Attributes:
        mail: The mail.
    """

    mail: DevelopmentMail


class DemoHomeView(View, frozen=True, kw_only=True):
    """The home page of the demonstration application: what to try.

    Attributes:
        base_url: Where the server is reached, for the lines to copy: ``http://localhost:8000``.
        protected_url: The path of the protected page.
        api_url: The path of the same for programs.
        development_mail_url: In development, the path of the page that lists the mails.
        inspector_url: In development, the path of the token inspector.
        advice_url: In development, the path of the adviser.
    """

    base_url: str
    protected_url: str = "/protected"
    api_url: str = "/api/me"
    development_mail_url: str | None = None
    inspector_url: str | None = None
    advice_url: str | None = None


class LiveView(View, frozen=True, kw_only=True):
    """The live demonstration: one user, two credentials, two services, and how soon these refuse.

    Attributes:
        services: The names of the services.
        email: The address of the user.
    """

    services: tuple[str, ...]
    email: str


class DemoProtectedView(View, frozen=True, kw_only=True):
    """The protected page of the demonstration application. Give ``signed_in_as``.

    Attributes:
        user_id: ``Identity.id``.
        session_id: ``Identity.session_id``.
        authenticated_at: When the user last proved who they are.
        methods: How.
        scopes: What they may do, sorted.
        home_url: The path back.
    """

    user_id: str
    session_id: str
    authenticated_at: float
    methods: tuple[str, ...]
    scopes: tuple[str, ...] = ()
    home_url: str = "/"
