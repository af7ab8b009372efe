"""What comes next for an authorization request: decided from what is asked, who is signed in, and what they have done.

The steps never call each other. Each ends in stored state, from which this names the next, after a restart as well as
in another tab.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from .consenting import must_be_asked
from .errors import (
    ConsentRequiredError,
    LoginRequiredError,
    OAuthError,
    UnmetAuthenticationRequirementsError,
)
from .model import AuthorizationRequest, Consent, Interaction, OAuthClient

__all__ = [
    "Answer",
    "AskConsent",
    "ReAuthenticate",
    "Refuse",
    "SelectAccount",
    "SessionFacts",
    "SignIn",
    "SignUp",
    "Situation",
    "Step",
    "next_step",
]


class SessionFacts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who is signed in.

    Attributes:
        id: The session.
        subject: The user, by the name that the client knows.
        authenticated_at: When they last proved who they are.
        acrs: The levels that this comes to, each that is reached.
    """

    id: str
    subject: str
    authenticated_at: float
    acrs: tuple[str, ...] = ()


class Situation(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that the decision depends on.

    Attributes:
        request: What is asked for.
        client: Who asks.
        session: Who is signed in, if anybody is.
        consent: What they allowed this client before.
        scope: What would be granted to it.
        interaction: What has been done about this request so far; ``None`` if it has just come.
        attainable: The levels that a new sign-in could reach.
        now: The time.
    """

    request: AuthorizationRequest
    client: OAuthClient
    session: SessionFacts | None
    consent: Consent | None = None
    scope: tuple[str, ...] = ()
    interaction: Interaction | None = None
    attainable: tuple[str, ...] = ()
    now: float


class SignIn(msgspec.Struct, frozen=True, gc=False):
    """Sign in.

    Attributes:
        other: Whether somebody else is signed in, who is not meant.
    """

    other: bool = False


class SignUp(msgspec.Struct, frozen=True, gc=False):
    """Make an account."""


class ReAuthenticate(msgspec.Struct, frozen=True, gc=False):
    """Prove once more who you are."""


class SelectAccount(msgspec.Struct, frozen=True, gc=False):
    """Say which account is meant."""


class AskConsent(msgspec.Struct, frozen=True, gc=False):
    """Say whether the client may have it."""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """Nothing is left to do: give the client what it asks for."""


class Refuse(msgspec.Struct, frozen=True, gc=False):
    """Tell the client that it gets nothing.

    Attributes:
        error: Why.
    """

    error: OAuthError


Step = SignIn | SignUp | ReAuthenticate | SelectAccount | AskConsent | Answer | Refuse

_CHOICES: Final = frozenset({"select_account", "create"})


def next_step(situation: Situation) -> Step:
    """Return what comes next. ``prompt=none`` turns whatever a user would have to do into the error for it."""
    step = _step(situation)
    if "none" not in situation.request.prompt:
        return step
    match step:
        case SignIn() | SignUp() | ReAuthenticate() | SelectAccount():
            return Refuse(LoginRequiredError("The user has to sign in."))
        case AskConsent():
            return Refuse(ConsentRequiredError("The user has to consent."))
    return step


def _step(situation: Situation) -> Step:
    """Ask the questions in their order; the first that is not settled names the step."""
    for settle in _QUESTIONS:
        step = settle(situation)
        if step is not None:
            return step
    return Answer()


def _is_strong_enough(situation: Situation) -> Step | None:
    """Whether an ``acr`` that the client cannot do without is reached, or can be (Core section 5.5.1.1)."""
    asked = situation.request.claims.id_token.get("acr")
    if asked is None or not asked.essential:
        return None
    values = [each for each in (asked.value, *asked.values) if isinstance(each, str)]
    reached = situation.session.acrs if situation.session else ()
    if not values or any(each in reached or each in situation.attainable for each in values):
        return None
    return Refuse(
        UnmetAuthenticationRequirementsError("Nobody can sign in here as strongly as the request demands.")
    )


def _is_somebody_there(situation: Situation) -> Step | None:
    if situation.session is not None:
        return None
    return SignUp() if "create" in situation.request.prompt else SignIn()


def _is_it_who_is_meant(situation: Situation) -> Step | None:
    session = _session(situation)
    if situation.request.hinted_subject in (None, session.subject):
        return None
    if _is_fresh(situation, session):
        # They were sent to sign in as somebody certain, and signed in as another.
        return Refuse(LoginRequiredError("Another user has signed in than was meant."))
    return SignIn(other=True)


def _is_the_account_chosen(situation: Situation) -> Step | None:
    session, interaction = _session(situation), situation.interaction
    if not _CHOICES.intersection(situation.request.prompt) or _is_fresh(situation, session):
        return None
    is_chosen = interaction is not None and interaction.selected == session.id
    return None if is_chosen else SelectAccount()


def _is_it_recent(situation: Situation) -> Step | None:
    session, max_age = _session(situation), situation.request.max_age
    # As the client will reckon it, from the whole seconds of ``auth_time``.
    is_old = max_age is not None and situation.now - int(session.authenticated_at) > max_age
    if _is_fresh(situation, session) or not (is_old or "login" in situation.request.prompt):
        return None
    return ReAuthenticate()


def _is_it_allowed(situation: Situation) -> Step | None:
    session, interaction, scope = _session(situation), situation.interaction, situation.scope
    if interaction is not None and interaction.consented == session.id:
        # Said in this very interaction: it counts for what was shown, even where it is always asked.
        return None if frozenset(interaction.scope or ()).issuperset(scope) else AskConsent()
    must = must_be_asked(situation.request, situation.client, situation.consent, scope=scope)
    return AskConsent() if must else None


_QUESTIONS: Final[tuple[Callable[[Situation], Step | None], ...]] = (
    _is_strong_enough,
    _is_somebody_there,
    _is_it_who_is_meant,
    _is_the_account_chosen,
    _is_it_recent,
    _is_it_allowed,
)


def _session(situation: Situation) -> SessionFacts:
    assert situation.session is not None  # noqa: S101 - asked before
    return situation.session


def _is_fresh(situation: Situation, session: SessionFacts) -> bool:
    """Tell whether the user has proven who they are for this very request."""
    interaction = situation.interaction
    return interaction is not None and session.authenticated_at >= interaction.created_at
