"""What comes next for an authorization request: each question by itself, then whatever a user may do, in any order."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from coatcheck.oauth.consenting import can_be_impersonated
from coatcheck.oauth.dispatch import (
    Answer,
    AskConsent,
    ReAuthenticate,
    Refuse,
    SelectAccount,
    SessionFacts,
    SignIn,
    SignUp,
    Situation,
    Step,
    next_step,
)
from coatcheck.oauth.grants.per_api import at_each, both
from coatcheck.oauth.model import (
    AuthorizationRequest,
    ClaimRequest,
    ClaimsRequest,
    Consent,
    Interaction,
    OAuthClient,
)
from coatcheck.oauth.vocabulary import Prompt
from tests.oauth.asking import CALLBACK, a_client

NOW = 1_800_000_000.0
SCOPE = ("openid", "email")
CONSENT = Consent(user_id="ann", client_id="app", scope=frozenset(SCOPE), granted_at=NOW)


def a_request(**changes: Any) -> AuthorizationRequest:
    return AuthorizationRequest(**({"client_id": "app", "redirect_uri": CALLBACK, "scope": SCOPE} | changes))


def a_session(**changes: Any) -> SessionFacts:
    given: dict[str, Any] = {"id": "s", "subject": "ann", "authenticated_at": NOW - 100, "acrs": ("aal1",)}
    return SessionFacts(**(given | changes))


def an_interaction(request: AuthorizationRequest, **changes: Any) -> Interaction:
    given: dict[str, Any] = {
        "digest": b"d",
        "request": request,
        "created_at": NOW - 10,
        "expires_at": NOW + 60,
    }
    return Interaction(**(given | changes))


def step_of(request: AuthorizationRequest | None = None, **changes: Any) -> Step:
    request = request or a_request()
    given: dict[str, Any] = {
        "request": request,
        "client": a_client(),
        "session": a_session(),
        "consent": CONSENT,
        "scope": request.scope,
        "attainable": ("aal1",),
        "now": NOW,
    } | changes
    return next_step(Situation(**given))


def error_of(step: Step) -> str:
    assert isinstance(step, Refuse)
    return step.error.code


def test_who_is_signed_in_and_has_consented_is_answered_at_once() -> None:
    assert step_of() == Answer()


def test_who_is_not_signed_in_signs_in_or_up() -> None:
    assert step_of(session=None) == SignIn()
    assert step_of(a_request(prompt=("create",)), session=None) == SignUp()


def test_another_user_than_was_meant_is_asked_once_and_refused_then() -> None:
    request = a_request(hinted_subject="eve")
    assert step_of(request) == SignIn(other=True)
    assert step_of(request, interaction=an_interaction(request)) == SignIn(other=True)
    fresh = a_session(authenticated_at=NOW - 5)
    assert error_of(step_of(request, session=fresh, interaction=an_interaction(request))) == "login_required"
    assert step_of(request, session=a_session(subject="eve")) == Answer()


def test_the_account_is_chosen_once_and_by_the_session_that_chose() -> None:
    request = a_request(prompt=("select_account",))
    assert step_of(request) == SelectAccount()
    assert step_of(request, interaction=an_interaction(request)) == SelectAccount()
    assert step_of(request, interaction=an_interaction(request, selected="s")) == Answer()
    assert step_of(request, interaction=an_interaction(request, selected="other")) == SelectAccount()
    fresh = a_session(authenticated_at=NOW)
    assert step_of(request, session=fresh, interaction=an_interaction(request)) == Answer()


def test_a_new_account_is_not_the_one_that_is_signed_in_unless_they_say_so() -> None:
    request = a_request(prompt=("create",))
    assert step_of(request) == SelectAccount()
    assert step_of(request, interaction=an_interaction(request, selected="s")) == Answer()


def test_a_sign_in_is_proven_anew_for_this_request() -> None:
    request = a_request(prompt=("login",))
    assert step_of(request) == ReAuthenticate()
    waiting = an_interaction(request)
    assert step_of(request, interaction=waiting) == ReAuthenticate()
    for at, step in ((NOW - 10.001, ReAuthenticate()), (NOW - 10, Answer())):
        assert step_of(request, session=a_session(authenticated_at=at), interaction=waiting) == step


@pytest.mark.parametrize("max_age, step", [(100, Answer()), (99, ReAuthenticate()), (0, ReAuthenticate())])
def test_a_sign_in_is_as_young_as_is_demanded(max_age: int, step: Step) -> None:
    assert step_of(a_request(max_age=max_age)) == step


def test_the_age_of_a_sign_in_is_as_its_client_reckons_it() -> None:
    assert step_of(a_request(max_age=100), session=a_session(authenticated_at=NOW - 99.5)) == Answer()
    later = {"session": a_session(authenticated_at=NOW - 99.5), "now": NOW + 0.25}
    assert step_of(a_request(max_age=100), **later) == ReAuthenticate()


def test_who_takes_long_to_consent_is_not_asked_for_the_password_again() -> None:
    request = a_request(max_age=1)
    fresh = a_session(authenticated_at=NOW - 9)
    assert step_of(request, session=fresh, interaction=an_interaction(request)) == Answer()


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"session": None}, "login_required"),
        ({"session": a_session(subject="eve")}, "login_required"),
        ({"consent": None}, "consent_required"),
    ],
    ids=["signed-out", "other-user", "no-consent"],
)
def test_prompt_none_never_shows_a_page(changes: dict[str, Any], code: str) -> None:
    assert error_of(step_of(a_request(prompt=("none",), hinted_subject="ann"), **changes)) == code


def test_prompt_none_says_that_a_sign_in_is_too_old() -> None:
    assert error_of(step_of(a_request(prompt=("none",), max_age=1))) == "login_required"
    assert step_of(a_request(prompt=("none",))) == Answer()


@pytest.mark.parametrize(
    "asked, acrs, code",
    [
        (
            ClaimRequest(essential=True, values=("aal2", "aal3")),
            ("aal1",),
            "unmet_authentication_requirements",
        ),
        (ClaimRequest(essential=True, value="phr"), ("aal1",), "unmet_authentication_requirements"),
        (ClaimRequest(essential=True, values=("aal2",)), ("aal1", "aal2"), None),
        (ClaimRequest(essential=True, value="aal1"), ("aal1", "aal2"), None),
        (ClaimRequest(essential=True), ("aal1",), None),
        (ClaimRequest(value="aal3"), ("aal1",), None),
        (None, ("aal1",), None),
    ],
)
def test_a_strength_that_cannot_be_reached_is_refused_before_anybody_types_a_password(
    asked: ClaimRequest | None, acrs: tuple[str, ...], code: str | None
) -> None:
    request = a_request(claims=ClaimsRequest(id_token={"acr": asked}))
    step = step_of(request, session=a_session(acrs=acrs))
    assert (error_of(step) if isinstance(step, Refuse) else None) == code
    if code is not None:
        assert error_of(step_of(request, session=None)) == code


# --- consent -------------------------------------------------------------------------------------------------

LOOPBACK = {"redirect_uri": "http://127.0.0.1:4000/cb"}


def test_attack_a_consent_for_a_scope_at_one_api_is_none_for_another_that_has_one_of_that_name() -> None:
    harmless, other = "https://notes.example", "https://bank.example"
    consent = replace(
        CONSENT,
        scope=frozenset({"openid", "read", "write"}),
        audiences=frozenset({harmless, other}),
        by_api=both(at_each(("openid", "write"), (harmless,)), at_each(("openid", "read"), (other,))),
    )
    for audiences, scope, step in (
        ((other,), ("openid", "read"), Answer()),
        ((harmless,), ("openid", "write"), Answer()),
        ((other,), ("openid", "read", "write"), AskConsent()),
        ((harmless,), ("openid", "read"), AskConsent()),
        ((harmless, other), ("openid", "read"), AskConsent()),
        ((), ("openid", "read"), AskConsent()),
        ((), ("openid",), Answer()),
    ):
        request = a_request(audiences=audiences, scope=scope)
        assert step_of(request, consent=consent, scope=scope) == step


@pytest.mark.parametrize(
    "request_, client, consent, step",
    [
        ({}, {}, None, AskConsent()),
        ({}, {}, CONSENT, Answer()),
        ({}, {"first_party": True}, None, Answer()),
        ({"prompt": ("consent",)}, {}, CONSENT, AskConsent()),
        ({"prompt": ("consent",)}, {"first_party": True}, None, AskConsent()),
        ({"scope": (*SCOPE, "offline_access")}, {}, CONSENT, AskConsent()),
        ({"audiences": ("https://orders.example",)}, {}, CONSENT, AskConsent()),
        ({"claims": ClaimsRequest(userinfo={"phone_number": None})}, {}, CONSENT, AskConsent()),
        ({"claims": ClaimsRequest(id_token={"phone_number": None})}, {}, CONSENT, AskConsent()),
        ({"scope": ("openid",)}, {}, CONSENT, Answer()),
        (LOOPBACK, {}, CONSENT, AskConsent()),
        (LOOPBACK, {"first_party": True}, CONSENT, AskConsent()),
        (LOOPBACK, {"token_endpoint_auth_method": "client_secret_basic"}, CONSENT, Answer()),
        ({"redirect_uri": "com.example.app:/cb"}, {}, CONSENT, AskConsent()),
    ],
    ids=[
        *(
            "new",
            "remembered",
            "first-party",
            "prompt",
            "first-party-prompt",
            "offline",
            "api",
            "claim-userinfo",
        ),
        *(
            "claim-id-token",
            "less",
            "loopback",
            "first-party-loopback",
            "confidential-loopback",
            "private-scheme",
        ),
    ],
)
def test_who_is_asked(
    request_: dict[str, Any], client: dict[str, Any], consent: Consent | None, step: Step
) -> None:
    assert step_of(a_request(**request_), client=a_client(**client), consent=consent) == step


def test_consent_counts_for_the_session_that_gave_it_and_for_what_was_shown() -> None:
    request = a_request(prompt=("consent",))
    for changes, step in (
        ({"consented": "s", "scope": SCOPE}, Answer()),
        ({"consented": "other", "scope": SCOPE}, AskConsent()),
        ({"consented": "s", "scope": ("openid",)}, AskConsent()),
        ({"consented": "s", "scope": None}, AskConsent()),
    ):
        assert step_of(request, consent=None, interaction=an_interaction(request, **changes)) == step


# --- whatever a user may do ----------------------------------------------------------------------------------

PROMPTS: list[tuple[Prompt, ...]] = [
    (),
    ("none",),
    ("login",),
    ("consent",),
    ("select_account",),
    ("create",),
    ("login", "consent"),
    ("login", "consent", "select_account"),
]


class Journey(RuleBasedStateMachine):
    """One request; its user does what the pages allow, and other things, in any order and as late as they like."""

    request: AuthorizationRequest
    client: OAuthClient

    @initialize(
        prompt=st.sampled_from(PROMPTS),
        max_age=st.none() | st.sampled_from([0, 10, 10_000]),
        hinted=st.sampled_from([None, None, "ann", "eve"]),
        first_party=st.booleans(),
        redirect_uri=st.sampled_from([CALLBACK, "com.example.app:/cb"]),
        consented_before=st.booleans(),
        age=st.none() | st.sampled_from([5.0, 500.0]),
    )
    def begin(
        self,
        *,
        prompt: tuple[Prompt, ...],
        max_age: int | None,
        hinted: str | None,
        first_party: bool,
        redirect_uri: str,
        consented_before: bool,
        age: float | None,
    ) -> None:
        self.now = NOW
        self.request = a_request(
            prompt=prompt, max_age=max_age, hinted_subject=hinted, redirect_uri=redirect_uri
        )
        self.client = a_client(first_party=first_party)
        self.consents = {"ann": CONSENT} if consented_before else {}
        self.interaction = an_interaction(self.request, created_at=NOW)
        self.sessions = 0
        self.session: SessionFacts | None = None
        self.proven = self.asked = self.chosen = False
        if age is not None:
            self._open("ann", at=NOW - age)
        self.step = self._next()

    def _next(self) -> Step:
        user = self.session.subject if self.session else ""
        return step_of(
            self.request,
            client=self.client,
            session=self.session,
            consent=self.consents.get(user),
            interaction=self.interaction,
            now=self.now,
        )

    def _open(self, user: str, *, at: float) -> None:
        self.sessions += 1
        self.session = a_session(id=f"session-{self.sessions}", subject=user, authenticated_at=at)
        self.asked = self.chosen = False

    def is_going_on(self) -> bool:
        return not isinstance(self.step, Answer | Refuse)

    @precondition(is_going_on)
    @rule(user=st.sampled_from(["ann", "eve"]))
    def signs_in(self, user: str) -> None:
        self._open(user, at=self.now)
        self.proven = True
        self.step = self._next()

    @precondition(is_going_on)
    @rule()
    def signs_out(self) -> None:
        self.session, self.proven = None, False
        self.step = self._next()

    @precondition(lambda self: isinstance(self.step, ReAuthenticate))
    @rule()
    def proves_it(self) -> None:
        assert self.session is not None
        self.session = replace(self.session, authenticated_at=self.now)
        self.proven = True
        self.step = self._next()

    @precondition(lambda self: isinstance(self.step, SelectAccount))
    @rule()
    def chooses(self) -> None:
        assert self.session is not None
        self.interaction = replace(self.interaction, selected=self.session.id)
        self.chosen = True
        self.step = self._next()

    @precondition(lambda self: isinstance(self.step, AskConsent))
    @rule()
    def allows(self) -> None:
        assert self.session is not None
        self.interaction = replace(self.interaction, consented=self.session.id, scope=self.request.scope)
        self.asked = True
        self.step = self._next()

    @rule(seconds=st.sampled_from([1.0, 100.0, 3000.0]))
    def waits(self, seconds: float) -> None:
        if self.is_going_on():  # what was answered is answered
            self.now += seconds
            self.step = self._next()

    @invariant()
    def nothing_is_given_that_was_not_due(self) -> None:
        if not hasattr(self, "step") or not isinstance(self.step, Answer):
            return
        request, session = self.request, self.session
        assert session is not None
        assert request.hinted_subject in (None, session.subject)
        if "login" in request.prompt:
            assert self.proven
        if {"select_account", "create"} & set(request.prompt):
            assert self.proven or self.chosen
        if request.max_age is not None:
            assert self.proven or self.now - int(session.authenticated_at) <= request.max_age
        is_remembered = session.subject in self.consents or self.client.first_party
        exempt = is_remembered and not can_be_impersonated(self.client, request.redirect_uri)
        assert self.asked or (exempt and "consent" not in request.prompt)

    @invariant()
    def nobody_is_asked_who_is_not_to_be_asked(self) -> None:
        if hasattr(self, "step") and "none" in self.request.prompt:
            assert isinstance(self.step, Answer | Refuse)

    def teardown(self) -> None:
        """Whoever does what they are told gets to the end: nobody goes in circles."""
        if not hasattr(self, "step"):
            return
        for _ in range(5):
            match self.step:
                case SignIn() | SignUp():
                    self.signs_in(self.request.hinted_subject or "ann")
                case ReAuthenticate():
                    self.proves_it()
                case SelectAccount():
                    self.chooses()
                case AskConsent():
                    self.allows()
                case _:
                    break
            self.nothing_is_given_that_was_not_due()
        assert isinstance(self.step, Answer | Refuse)


TestJourney = Journey.TestCase
TestJourney.settings = settings(max_examples=80, stateful_step_count=10, deadline=None)
