"""Whether a user has to be asked before a client gets something of theirs."""

from __future__ import annotations

from collections.abc import Collection

from .checks.scope import ADMINISTERS
from .grants.per_api import at_each
from .model import AuthorizationRequest, Consent, OAuthClient

__all__ = ["can_be_impersonated", "claim_names", "covers", "must_be_asked"]


def must_be_asked(
    request: AuthorizationRequest, client: OAuthClient, consent: Consent | None, *, scope: Collection[str]
) -> bool:
    """Tell whether the user has to consent.

    Args:
        request: What is asked for.
        client: Who asks.
        consent: What the user allowed it before.
        scope: What would be granted.
    """
    if "consent" in request.prompt or can_be_impersonated(client, request.redirect_uri):
        return True
    if client.first_party:
        return False
    # Who administers says so each time: whoever manages clients could else use what was once allowed to one of them.
    return any(each.startswith(ADMINISTERS) for each in scope) or not covers(consent, request, scope=scope)


def can_be_impersonated(client: OAuthClient, redirect_uri: str) -> bool:
    """Tell whether another program on the user's machine could ask in the name of a client.

    RFC 8252 section 8.6: one without a secret whose answers come to the loopback interface, or to a scheme that any
    app can claim. What the user once allowed it is no reason to give it to whoever asks next.
    """
    return client.is_public and not redirect_uri.startswith("https:")


def covers(consent: Consent | None, request: AuthorizationRequest, *, scope: Collection[str]) -> bool:
    """Tell whether what a user allowed before is all that is asked for now, and at the same APIs."""
    return (
        consent is not None
        and consent.scope.issuperset(scope)
        and consent.audiences.issuperset(request.audiences)
        and all(
            consent.by_api.get(api, frozenset()).issuperset(asked)
            for api, asked in at_each(scope, request.audiences).items()
        )
        and consent.claims.issuperset(claim_names(request))
    )


def claim_names(request: AuthorizationRequest) -> frozenset[str]:
    """Return the names of the claims that are asked for one by one."""
    return frozenset({*request.claims.userinfo, *request.claims.id_token})
