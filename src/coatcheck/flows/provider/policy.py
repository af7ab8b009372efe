"""The tunables of the provider."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import msgspec

__all__ = ["ProviderPolicy"]


class ProviderPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The tunables of the provider.

    Attributes:
        base: The URL below which the endpoints are, without a slash at its end.
        registration: Who may register clients over the web: nobody, who has an initial access token, or anybody.
        development: Whether this server asks this very machine for what clients name, without https.
        hybrid: Whether ``code id_token`` and ``id_token`` are response types here.
        pkce: Of whom PKCE is required: of all, or of all but confidential clients of OpenID Connect.
        assertion_audience: Whom assertions of clients are for: the issuer and nobody else (rfc7523bis section 4), or,
            as was usual before that, the token endpoint as well.
        code: How long a code can be exchanged (OAuth 2.1 section 4.1.2 recommends at most 10 minutes).
        pushed_request: How long a pushed request can be used (RFC 9126 section 2.2).
        interaction: How long somebody may take to sign in and consent.
        assertion: How long an assertion may be good at most (RFC 7523 section 3).
        logout_first_pause: How long to wait before a client is told again that a session ended.
        logout_longest_pause: How long at most.
        logout_keep: After how long a client is given up that cannot be told.
    """

    base: str = "http://localhost:8000/auth"
    registration: Literal["off", "token", "open"] = "off"
    development: bool = False
    hybrid: bool = False
    pkce: Literal["all", "usual"] = "usual"
    assertion_audience: Literal["issuer", "legacy"] = "issuer"
    code: timedelta = timedelta(seconds=60)
    pushed_request: timedelta = timedelta(seconds=90)
    interaction: timedelta = timedelta(hours=1)
    assertion: timedelta = timedelta(minutes=5)
    logout_first_pause: timedelta = timedelta(seconds=1)
    logout_longest_pause: timedelta = timedelta(minutes=5)
    logout_keep: timedelta = timedelta(days=1)
