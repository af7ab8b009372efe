"""Answers of the authorization endpoint: what is brought to the client, and how (RFC 6749 section 4.1.2, RFC 9207)."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import msgspec

from .errors import OAuthError
from .model import AuthorizationRequest
from .vocabulary import ResponseMode

__all__ = ["Reply", "ReturnAddress", "address_of", "error_reply", "location_of", "success_reply"]


class ReturnAddress(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where an answer goes.

    Attributes:
        redirect_uri: To which address of the client.
        mode: How it is brought.
        state: What is given back.
    """

    redirect_uri: str
    mode: ResponseMode = "query"
    state: str | None = None


class Reply(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An answer.

    Attributes:
        redirect_uri: Where it goes.
        mode: How it is brought.
        parameters: What it says.
    """

    redirect_uri: str
    mode: ResponseMode
    parameters: dict[str, str]

    def __repr__(self) -> str:
        return f"<Reply {sorted(self.parameters)} by {self.mode}>"


def address_of(request: AuthorizationRequest) -> ReturnAddress:
    """Return where the answer to a request goes."""
    return ReturnAddress(redirect_uri=request.redirect_uri, mode=request.response_mode, state=request.state)


def success_reply(address: ReturnAddress, *, issuer: str, code: str | None, id_token: str | None) -> Reply:
    """Return the answer with what was asked for. It names its issuer, against mix-up (RFC 9207 section 2)."""
    given = {"code": code, "id_token": id_token, "state": address.state, "iss": issuer}
    return _reply(address, given)


def error_reply(address: ReturnAddress, error: OAuthError, *, issuer: str) -> Reply:
    """Return the answer that says what is wrong. It names its issuer too."""
    given = {
        "error": error.code,
        "error_description": error.message,
        "state": address.state,
        "iss": issuer,
    }
    return _reply(address, given)


def location_of(reply: Reply) -> str:
    """Return where to send the browser: the redirect URI, its own query kept, with the answer in query or fragment."""
    answer = urlencode(reply.parameters)
    if reply.mode == "fragment":
        return f"{reply.redirect_uri}#{answer}"
    query = urlsplit(reply.redirect_uri).query
    if query or reply.redirect_uri.endswith("?"):
        return f"{reply.redirect_uri}{'&' if query else ''}{answer}"
    return f"{reply.redirect_uri}?{answer}"


def _reply(address: ReturnAddress, given: dict[str, str | None]) -> Reply:
    parameters = {name: value for name, value in given.items() if value is not None}
    return Reply(redirect_uri=address.redirect_uri, mode=address.mode, parameters=parameters)
