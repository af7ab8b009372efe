"""Signing out of clients: what is told to them, and what they may ask for.

Three specifications: OpenID Connect RP-Initiated Logout 1.0 (a client sends the browser here to sign out), Back-Channel
Logout 1.0 (this server tells a client itself), Front-Channel Logout 1.0 (the browser that signs out loads a page of the
client).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import msgspec

from .errors import UnsafeLogoutError
from .model import LogoutNotice, OAuthClient
from .parameters import Parameters

__all__ = [
    "LOGOUT_EVENT",
    "LOGOUT_TOKEN_LIFETIME",
    "LOGOUT_TOKEN_TYPE",
    "LogoutRequest",
    "check_names_client",
    "check_return_address",
    "front_channel_uris",
    "logout_claims",
    "read_logout_request",
    "return_location",
]

LOGOUT_TOKEN_TYPE: Final = "logout+jwt"  # noqa: S105 - a kind of token
"""The ``typ`` of logout tokens, so that no other token passes for one (Back-Channel Logout section 2.4)."""

LOGOUT_TOKEN_LIFETIME: Final = 120
"""For how many seconds one is good from when it is sent; section 2.4 recommends at most two minutes."""

LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
"""What it says has happened."""

_LONGEST: Final = {
    "id_token_hint": 16_384,
    "client_id": 2048,
    "post_logout_redirect_uri": 2048,
    "state": 4096,
}


class LogoutRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a client sent a browser with (RP-Initiated Logout section 2). All of it is optional, and hostile.

    Attributes:
        id_token_hint: An ID token of the session that is to end.
        client_id: Who asks.
        post_logout_redirect_uri: Where the browser is to be sent afterwards.
        state: What is to be given back there.
    """

    id_token_hint: str | None = None
    client_id: str | None = None
    post_logout_redirect_uri: str | None = None
    state: str | None = None

    def __repr__(self) -> str:
        return f"<LogoutRequest of {self.client_id!r}>"


def read_logout_request(parameters: Parameters) -> LogoutRequest:
    """Return what a request says. ``logout_hint`` and ``ui_locales`` are allowed, and change nothing here.

    Raises:
        UnsafeLogoutError: If a parameter is there twice, or is longer than any can be.
    """
    if any(map(parameters.is_repeated, parameters.values)):
        raise UnsafeLogoutError("A parameter is there more than once.")
    given = {name: parameters.get(name) for name in _LONGEST}
    for name, value in given.items():
        if value is not None and len(value) > _LONGEST[name]:
            raise UnsafeLogoutError("A parameter is too long.", field=name)
    return LogoutRequest(**given)


def check_names_client(request: LogoutRequest, client: OAuthClient) -> None:
    """Check that the ``client_id`` beside an ID token is that of the client it was issued to (section 2).

    Raises:
        UnsafeLogoutError: If it is another.
    """
    if request.client_id not in {None, client.id}:
        raise UnsafeLogoutError("The ID token is not one of the app that asks.", field="client_id")


def check_return_address(client: OAuthClient, uri: str) -> None:
    """Check where a client wants the browser to be sent: to what it registered, letter by letter (section 3).

    Raises:
        UnsafeLogoutError: If it did not register that. Nobody is sent there (open redirection).
    """
    if uri not in client.post_logout_redirect_uris:
        raise UnsafeLogoutError(
            "The app asks to send you to an address that it has not registered.",
            field="post_logout_redirect_uri",
            detail=f"client {client.id}",
        )


def return_location(uri: str, state: str | None) -> str:
    """Return where to send the browser: a registered address, its own query kept, with the ``state`` of the request."""
    if state is None:
        return uri
    return _with_query(uri, {"state": state})


def front_channel_uris(sessions: Iterable[tuple[OAuthClient, str]], *, issuer: str) -> tuple[str, ...]:
    """Return what a browser loads so that clients hear that it signed out (Front-Channel Logout section 2).

    Args:
        sessions: The clients, and the ``sid`` by which each knows its session.
        issuer: Whose sessions they are.

    Returns:
        The URLs. ``iss`` and ``sid`` are given to every client: one that does not need them ignores them, and one that
        does can tell its own session from another's.
    """
    return tuple(
        _with_query(client.frontchannel_logout_uri, {"iss": issuer, "sid": sid})
        for client, sid in sessions
        if client.frontchannel_logout_uri is not None and client.disabled_at is None
    )


def logout_claims(notice: LogoutNotice) -> dict[str, Any]:
    """Return what a logout token says (Back-Channel Logout section 2.4), where the signer adds ``iss``, ``aud``, times.

    It has no ``nonce``, so that it can never pass for an ID token; and it names the session, so that the client's
    other sessions with the same user go on.
    """
    return {"sub": notice.sub, "sid": notice.sid, "jti": notice.jti, "events": {LOGOUT_EVENT: {}}}


def _with_query(uri: str, parameters: dict[str, str]) -> str:
    separator = "&" if urlsplit(uri).query else "" if uri.endswith("?") else "?"
    return f"{uri}{separator}{urlencode(parameters)}"
