"""An authorization request: from its parameters to what it means, in an order that can be read aloud.

First, where an error may be told: that needs a client and a redirect URI that is surely its own (RFC 6749 section
4.1.2.1). Then everything else, whose errors go there.
"""

from __future__ import annotations

import msgspec

from .checks.claims import claims_of
from .checks.hints import acr_values_of, login_hint_of, subject_of_hints, ui_locales_of
from .checks.max_age import max_age_of
from .checks.nonce import nonce_of
from .checks.pkce import code_challenge_of
from .checks.prompt import prompt_of
from .checks.pushed import check_pushed
from .checks.redirect_uri import redirect_uri_of
from .checks.request_objects import check_no_request_object
from .checks.response_mode import response_mode_for_errors, response_mode_of
from .checks.response_type import response_type_of
from .checks.scope import asked_of
from .checks.sizes import LONGEST_STATE, check_sizes
from .model import API, AuthorizationRequest, OAuthClient
from .parameters import Parameters
from .replies import ReturnAddress

__all__ = ["Rules", "read_request", "return_address"]


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What a request is checked against, beside its client.

    Attributes:
        apis: All APIs.
        built_in: The audience of the one that is meant by default.
        hybrid: Whether there are response types beyond ``code``.
        pkce_of_all: Whether nobody may do without PKCE.
        sign_up: Whether visitors may make accounts.
        hinted: The user that an ``id_token_hint`` names, by the name that the client knows.
        pushed: Whether the request was pushed.
    """

    apis: tuple[API, ...]
    built_in: str
    hybrid: bool = False
    pkce_of_all: bool = False
    sign_up: bool = True
    hinted: str | None = None
    pushed: bool = False


def return_address(parameters: Parameters, client: OAuthClient) -> ReturnAddress:
    """Return where the answer goes, an error too.

    Raises:
        UnsafeRequestError: If that is not clear, or not surely the client's.
    """
    uri, _ = redirect_uri_of(parameters, client)
    state = parameters.get("state")
    if state is not None and (parameters.is_repeated("state") or len(state) > LONGEST_STATE):
        state = None
    return ReturnAddress(redirect_uri=uri, mode=response_mode_for_errors(parameters), state=state)


def read_request(parameters: Parameters, client: OAuthClient, rules: Rules) -> AuthorizationRequest:
    """Return what a request means, if it passes all checks.

    Args:
        parameters: The request.
        client: Who asks.
        rules: What it is checked against.

    Raises:
        UnsafeRequestError: If the redirect URI is not the client's.
        OAuthError: By the name that the specifications give to what is wrong.
    """
    redirect_uri, given = redirect_uri_of(parameters, client)
    parameters.check_unique()
    check_sizes(parameters)
    check_no_request_object(parameters)
    check_pushed(client, pushed=rules.pushed)
    response_type = response_type_of(parameters, client, hybrid=rules.hybrid)
    response_mode = response_mode_of(parameters)
    has_code = "code" in response_type
    asked = asked_of(parameters, client, rules.apis, built_in=rules.built_in, has_code=has_code)
    nonce = nonce_of(parameters, response_type, asked.scope)
    challenge = (
        code_challenge_of(parameters, client, asked.scope, of_all=rules.pkce_of_all) if has_code else None
    )
    prompt = prompt_of(parameters, sign_up=rules.sign_up)
    max_age = max_age_of(parameters, client)
    claims = claims_of(parameters)
    return AuthorizationRequest(
        client_id=client.id,
        redirect_uri=redirect_uri,
        redirect_uri_given=given,
        response_type=response_type,
        response_mode=response_mode,
        scope=asked.scope,
        audiences=asked.audiences,
        state=parameters.get("state"),
        nonce=nonce,
        code_challenge=challenge,
        prompt=prompt,
        max_age=max_age,
        acr_values=acr_values_of(parameters, client),
        login_hint=login_hint_of(parameters),
        hinted_subject=subject_of_hints(rules.hinted, claims),
        ui_locales=ui_locales_of(parameters),
        claims=claims,
        pushed=rules.pushed,
    )
