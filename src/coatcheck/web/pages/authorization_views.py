"""What the pages of an authorization request show, as values. See ``views``."""

from __future__ import annotations

import msgspec

from .views import View

__all__ = ["AskedAPIView", "ConsentView", "FormPostView", "SelectAccountView"]


class AskedAPIView(msgspec.Struct, frozen=True, kw_only=True):
    """An API that a client asks for.

    Attributes:
        name: What it is called.
        scopes: What it asks to do there: each scope with its description, or ``""``.
    """

    name: str
    scopes: tuple[tuple[str, str], ...] = ()


class ConsentView(View, frozen=True, kw_only=True):
    """Whether an app may have what it asks for.

    Attributes:
        handle: The request.
        session_id: The session that the answer is to come from.
        scope: What is shown, space-delimited.
        app: What the app calls itself. Hostile until proven otherwise.
        place: Where the answer goes, in words: a host, which nobody can imitate.
        is_verified: Whether somebody who runs this site registered it.
        described_at: The host of the document in which it says all that itself, or ``""``.
        email: The account.
        openid: The scopes of OpenID Connect that it asks for.
        claims: The claims that it asks for one by one.
        apis: The APIs that it asks for.
        offline: Whether it is to outlive the session.
        policy_url: Where its policy is, or ``""``.
        terms_url: Where its terms are, or ``""``.
    """

    handle: str
    session_id: str
    scope: str
    app: str
    place: str
    is_verified: bool
    email: str
    described_at: str = ""
    openid: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    apis: tuple[AskedAPIView, ...] = ()
    offline: bool = False
    policy_url: str = ""
    terms_url: str = ""


class SelectAccountView(View, frozen=True, kw_only=True):
    """With which account to go on.

    Attributes:
        handle: The request.
        session_id: The session that the answer is to come from.
        app: What the app calls itself.
        email: The account that is signed in.
        may_create: Whether the app asks for a new account.
    """

    handle: str
    session_id: str
    app: str
    email: str
    may_create: bool = False


class FormPostView(View, frozen=True, kw_only=True):
    """An answer on its way to a client, in a form that sends itself (OAuth 2.0 Form Post Response Mode).

    Attributes:
        action: Where it goes.
        fields: What it says.
        place: Where it goes, in words.
    """

    action: str
    fields: tuple[tuple[str, str], ...]
    place: str
