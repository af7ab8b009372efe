"""Every page in every state that it can be in, by name."""

from typing import Any, Literal

import msgspec

from coatcheck.web.pages.authorization_views import (
    AskedAPIView,
    ConsentView,
    FormPostView,
    SelectAccountView,
)
from coatcheck.web.pages.views import (
    AccountView,
    ApplicationAPIView,
    ApplicationsView,
    ApplicationView,
    CheckInboxView,
    ConfirmEmailView,
    ConfirmSignUpView,
    DemoHomeView,
    DemoProtectedView,
    DevelopmentMail,
    DevelopmentMailListView,
    DevelopmentMailView,
    DevicesView,
    EndSessionView,
    ForgottenView,
    FormError,
    LiveView,
    MailSentView,
    NoticeView,
    ProblemView,
    ReAuthenticateView,
    ResetView,
    RevocationRecord,
    RevocationsView,
    SignedOutOfView,
    SignInView,
    SignOutView,
    SignUpView,
    View,
)

from .advice_samples import ADVICE_SAMPLES
from .inspector_samples import INSPECTOR_SAMPLES

ADA = "ada@example.com"
TOKEN = "Zm9yIHRoZSBjbG9ha3Jvb20tZm9yIHRoZSBjbG9ha3Jv"
NOW = 1_790_000_000.0
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/19.5 Mobile/15E148 Safari/604.1"
)


class SampleDevice(msgspec.Struct, frozen=True, kw_only=True):
    session_id: str
    user_agent: str = FIREFOX
    address: str = "192.0.2.17"
    created_at: float = NOW - 400_000
    last_seen_at: float = NOW - 4_000
    ends_at: float = NOW + 800_000
    methods: tuple[str, ...] = ("pwd",)
    kind: Literal["browser", "tokens"] = "browser"
    is_current: bool = False


DEVICES = (
    SampleDevice(session_id="one", user_agent=SAFARI, address="2001:db8:4f1:aa02::91c"),
    SampleDevice(session_id="two", is_current=True, last_seen_at=NOW, created_at=NOW - 300),
    SampleDevice(
        session_id="three",
        user_agent="curl/8.19.0",
        kind="tokens",
        methods=("pwd", "otp"),
        last_seen_at=NOW - 90_000,
    ),
    SampleDevice(session_id="four", user_agent='"><script>alert(1)</script>', address="", methods=()),
)
MAIL = DevelopmentMail(
    id="7",
    to=ADA,
    subject="Confirm your address",
    text=f"Hello,\n\nopen this link:\nhttp://localhost:8000/auth/sign-up/confirm?token={TOKEN}\n\nGood-bye",
    at=NOW,
    link=f"http://localhost:8000/auth/sign-up/confirm?token={TOKEN}",
)
WRONG_LOGIN = (FormError(message="The e-mail address or the password is wrong."),)
WRONG_EMAIL = (FormError(field="email", message="That is not an e-mail address."),)
SHORT = "The password is too short: it needs at least 8 characters."


def account(*errors: FormError, notice: str = "", typed: str = "") -> AccountView:
    return AccountView(
        signed_in_as=ADA,
        scopes=("orders:read", "orders:write"),
        created_at=NOW - 9_000_000,
        authenticated_at=NOW - 300,
        device_count=4,
        notice=notice,
        errors=errors,
        typed_email=typed,
    )


def consent(**changes: Any) -> ConsentView:
    given: dict[str, Any] = {
        "signed_in_as": ADA,
        "handle": TOKEN,
        "session_id": "s",
        "scope": "openid email",
        "app": "Photo Album",
        "place": "app.example",
        "is_verified": True,
        "email": ADA,
        "openid": ("openid", "email"),
        "form_targets": ("https://app.example",),
    }
    return ConsentView(**(given | changes))


FORM_POST = FormPostView(
    action="https://app.example/cb",
    fields=(("code", "c0de"), ("state", '"><script>alert(1)</script>')),
    place="app.example",
    form_targets=("https://app.example",),
)
"""It leaves at once, so it is looked at elsewhere."""

REVOCATIONS = tuple(
    RevocationRecord(
        seq=seq,
        kind=kind,
        name=name,
        reason=reason,
        actor=actor,
        at=NOW - age,
        until=NOW - age + 3720,
    )
    for seq, kind, name, reason, actor, age in (
        (9, "user", "bob@example.com", "revoked", ADA, 5),
        (8, "session", "t3dGyO0zRkWlKx1mEw2dSQ", "revoked", ADA, 5),
        (7, "token", "yqS2mYc5S0eQk1bW0u1pVg", "revoked", "the command line", 90),
        (6, "session", "hG7sQx1zTkmVb2nLw0aPeA", "refresh token reused", "this server", 600),
        (5, "client", "first-party", "revoked", ADA, 1200),
        (4, "key", "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "key compromised", ADA, 2400),
        (3, "everything", "", "revoked", "the command line", 3000),
    )
)

SAMPLES: dict[str, View] = {
    "sign-in": SignInView(next="/inbox"),
    "sign-in-notice": SignInView(notice="You have signed out."),
    "sign-in-error": SignInView(email=ADA, errors=WRONG_LOGIN, csrf_token="c5rf"),
    "sign-up": SignUpView(),
    "sign-up-error": SignUpView(
        email="ada@", errors=(*WRONG_EMAIL, FormError(field="password", message=SHORT)), csrf_token="c5rf"
    ),
    "check-inbox": CheckInboxView(email=ADA),
    "check-inbox-development": CheckInboxView(email=ADA, development_mail_url="/auth/dev/mail"),
    "confirm-sign-up": ConfirmSignUpView(token=TOKEN, email=ADA, needs_password=False, next="/inbox"),
    "confirm-sign-up-elsewhere": ConfirmSignUpView(token=TOKEN, email=ADA, needs_password=True),
    "confirm-sign-up-error": ConfirmSignUpView(
        token=TOKEN, email=ADA, needs_password=True, errors=WRONG_LOGIN
    ),
    "forgotten": ForgottenView(),
    "forgotten-error": ForgottenView(email="ada@", errors=WRONG_EMAIL),
    "mail-sent": MailSentView(email=ADA),
    "mail-sent-development": MailSentView(email=ADA, development_mail_url="/auth/dev/mail"),
    "reset": ResetView(token=TOKEN, email=ADA),
    "reset-error": ResetView(
        token=TOKEN, email=ADA, errors=(FormError(field="new_password", message=SHORT),)
    ),
    "account": account(),
    "account-notice": account(notice="Your password has been changed. Your other devices are signed out."),
    "account-password-error": account(
        FormError(form="password", field="current_password", message="That is not your password."),
        FormError(form="password", field="new_password", message=SHORT),
    ),
    "account-email-error": account(
        FormError(form="email", field="new_email", message="That is not an e-mail address."), typed="ada@"
    ),
    "account-delete-error": account(FormError(form="delete", message="Tick the box first.")),
    "account-deactivate-error": account(FormError(form="deactivate", message="Tick the box first.")),
    "account-error": account(FormError(message="Reload the page and try again.")),
    "account-bare": AccountView(signed_in_as=ADA, device_count=1),
    "devices": DevicesView(signed_in_as=ADA, devices=DEVICES, csrf_token="c5rf"),
    "devices-only-this": DevicesView(signed_in_as=ADA, devices=DEVICES[1:2], notice="The session has ended."),
    "devices-none": DevicesView(signed_in_as=ADA, devices=(), errors=(FormError(message="It was gone."),)),
    "account-administrator": AccountView(signed_in_as=ADA, is_administrator=True),
    "revocations": RevocationsView(
        signed_in_as=ADA,
        csrf_token="c5rf",
        entries=REVOCATIONS,
        older=3,
        notice="The user is signed out everywhere, and may sign in again. 3 sessions ended.",
    ),
    "revocations-none": RevocationsView(signed_in_as=ADA),
    "revocations-none-older": RevocationsView(signed_in_as=ADA, is_newest=False),
    "revocations-error": RevocationsView(
        signed_in_as=ADA,
        entries=REVOCATIONS[:1],
        typed_kind="session",
        typed_value="what is this",
        errors=(FormError(form="revoke", field="value", message="This is not the identifier of a session."),),
    ),
    "revocations-everything-error": RevocationsView(
        signed_in_as=ADA,
        errors=(FormError(form="everything", message="Please confirm that you want this."),),
    ),
    "re-authenticate": ReAuthenticateView(signed_in_as=ADA, next="/auth/account"),
    "re-authenticate-error": ReAuthenticateView(signed_in_as=ADA, errors=WRONG_LOGIN),
    "consent": consent(),
    "consent-much": consent(
        app="A Photo Album With a Name That Goes On for as Long as Anybody Lets It Go On",
        place="xn--a-very-long-host-name-that-does-not-fit-on-a-phone.photographs.example:8443",
        is_verified=False,
        scope="openid profile email address phone offline_access read buy",
        openid=("openid", "profile", "email", "address", "phone", "offline_access"),
        claims=("birthdate", "locale#pl"),
        apis=(
            AskedAPIView(name="Orders", scopes=(("read", "See your orders"), ("buy", ""))),
            AskedAPIView(name="Invoices"),
        ),
        offline=True,
        policy_url="https://app.example/policy",
        terms_url="https://app.example/terms",
        csrf_token="c5rf",
    ),
    "select-account": SelectAccountView(
        handle=TOKEN, session_id="s", app="Photo Album", email=ADA, signed_in_as=ADA
    ),
    "select-account-create": SelectAccountView(
        handle=TOKEN, session_id="s", app="Photo Album", email=ADA, may_create=True, csrf_token="c5rf"
    ),
    "sign-in-to-app": SignInView(next="/auth/continue/x", email=ADA, app="Photo Album"),
    "sign-in-to-app-as-other": SignInView(app="Photo Album", other=True, signed_in_as=ADA),
    "sign-up-to-app": SignUpView(app="Photo Album"),
    "re-authenticate-to-app": ReAuthenticateView(app="Photo Album", signed_in_as=ADA),
    "end-session": EndSessionView(
        ticket=TOKEN, email=ADA, app="Photo Album", place="app.example", signed_in_as=ADA, csrf_token="c5rf"
    ),
    "end-session-of-nobody": EndSessionView(ticket=TOKEN),
    "signed-out-of": SignedOutOfView(),
    "signed-out-of-an-app": SignedOutOfView(next="https://app.example/bye", place="app.example"),
    "applications-none": ApplicationsView(signed_in_as=ADA),
    "applications": ApplicationsView(
        signed_in_as=ADA,
        notice="That app has no access any more.",
        csrf_token="c5rf",
        applications=(
            ApplicationView(
                client_id="app",
                name="Photo Album",
                place="app.example",
                openid=("openid", "profile", "email", "offline_access"),
                apis=(
                    ApplicationAPIView(name="Orders", scopes=(("read", "See your orders"), ("buy", ""))),
                    ApplicationAPIView(name="Invoices"),
                ),
                since=NOW - 9e6,
                last_used_at=NOW - 3600,
                offline=True,
                is_remembered=True,
            ),
            ApplicationView(
                client_id="spa",
                name="A program of a stranger with a name that is rather long for what it does",
                place="a-host-with-a-long-name.and-a-domain-that-is-longer.example",
                is_verified=False,
                openid=("openid",),
                since=NOW - 60,
                last_used_at=NOW,
            ),
            ApplicationView(client_id="idle", name="Idle", since=NOW - 9e7, is_remembered=True),
        ),
    ),
    "sign-out": SignOutView(signed_in_as=ADA, next="/"),
    "confirm-email": ConfirmEmailView(token=TOKEN, email=ADA, signed_in_as="ada@old.example"),
    **{
        f"problem-{status}": ProblemView(status=status)
        for status in (400, 401, 403, 404, 405, 413, 415, 418, 500, 502)
    },
    "problem-429": ProblemView(status=429, retry_after=90.2, signed_in_as=ADA),
    "problem-503": ProblemView(status=503, retry_after=0.4),
    "problem-own": ProblemView(
        status=410, title="Gone", message="It went.", action_label="Ask again", action_url="/auth/forgotten"
    ),
    "notice": NoticeView(title="Your account is deleted", message="We are sorry to see you go."),
    "notice-action": NoticeView(
        title="Your address is confirmed",
        message="From now on you sign in with it.",
        action_label="To your account",
        action_url="/auth/account",
        signed_in_as=ADA,
    ),
    "development-mail-list": DevelopmentMailListView(mails=(MAIL, msgspec.structs.replace(MAIL, id="8"))),
    "development-mail-list-empty": DevelopmentMailListView(mails=()),
    "development-mail": DevelopmentMailView(mail=MAIL),
    "development-mail-plain": DevelopmentMailView(mail=msgspec.structs.replace(MAIL, link="")),
    **INSPECTOR_SAMPLES,
    **ADVICE_SAMPLES,
    "live": LiveView(services=("orders", "invoices"), email=ADA, csrf_token="c5rf"),
    "demo-home": DemoHomeView(
        base_url="http://localhost:8000",
        development_mail_url="/auth/dev/mail",
        inspector_url="/auth/dev/token",
        advice_url="/auth/dev/advise",
    ),
    "demo-home-signed-in": DemoHomeView(base_url="http://localhost:8000", signed_in_as=ADA),
    "demo-protected": DemoProtectedView(
        signed_in_as=ADA,
        user_id="yqS2mYc5S0eQk1bW0u1pVg",
        session_id="t3dGyO0zRkWlKx1mEw2dSQ",
        authenticated_at=NOW,
        methods=("pwd",),
        scopes=("orders:read",),
    ),
    "demo-protected-bare": DemoProtectedView(
        signed_in_as=ADA, user_id="u", session_id="s", authenticated_at=NOW, methods=("pwd", "mfa")
    ),
}
