"""Where the answer goes: to a redirect URI of the client, letter by letter.

RFC 9700 section 4.1.3, OAuth 2.1 section 2.3.2. Nothing is a pattern and nothing is normalised: what two readers could
take for different addresses is not the same. One thing may vary, the port of a native app's loopback address, which it
is given by its system (RFC 8252 section 7.3).
"""

from __future__ import annotations

import re
from typing import Final

from ..errors import UnsafeRequestError
from ..model import OAuthClient
from ..parameters import Parameters
from ..vocabulary import OPENID

__all__ = ["is_redirect_uri", "redirect_uri_of"]

_LOOPBACK: Final = re.compile(
    r"http://(?P<host>127\.0\.0\.1|\[::1\]|localhost)(:(?P<port>[1-9][0-9]{0,4}))?(?P<rest>([/?].*)?)",
    re.ASCII,
)
_MOST_PORTS: Final = 65535


def redirect_uri_of(parameters: Parameters, client: OAuthClient) -> tuple[str, bool]:
    """Return where the answer goes, and whether the request says so.

    Raises:
        UnsafeRequestError: If the client has no such redirect URI, or it is not clear which is meant. Nobody is
            redirected then: the address may be anybody's.
    """
    if parameters.is_repeated("redirect_uri"):
        raise UnsafeRequestError("The app named two addresses to return to.", field="redirect_uri")
    asked = parameters.get("redirect_uri")
    if asked is None:
        return _only_one(parameters, client), False
    if not is_redirect_uri(client, asked):
        raise UnsafeRequestError(
            "The app asked to return to an address that it has not registered.",
            field="redirect_uri",
            detail=f"client {client.id}",
        )
    return asked, True


def is_redirect_uri(client: OAuthClient, uri: str) -> bool:
    """Tell whether answers to a client may be sent to a URI."""
    if uri in client.redirect_uris:
        return True
    return _has_loopback(client) and any(_differ_in_port_only(each, uri) for each in client.redirect_uris)


def _only_one(parameters: Parameters, client: OAuthClient) -> str:
    # OpenID Connect Core section 3.1.2.1 requires it always, OAuth 2.1 section 4.1.1 where there are several.
    openid = OPENID in (parameters.get("scope") or "").split(" ")
    if openid or len(client.redirect_uris) != 1:
        raise UnsafeRequestError("The app did not say where to return to.", field="redirect_uri")
    return client.redirect_uris[0]


def _has_loopback(client: OAuthClient) -> bool:
    """Tell whether the client is an app on its user's machine, as it says, or as a public one that came by itself is.

    Agents and tools that register themselves seldom call themselves native, and have no web server to run on.
    """
    by_itself = client.is_public and client.registered_by != "administrator"
    return client.application_type == "native" or by_itself


def _differ_in_port_only(registered: str, asked: str) -> bool:
    one, other = _LOOPBACK.fullmatch(registered), _LOOPBACK.fullmatch(asked)
    if one is None or other is None or int(other["port"] or 80) > _MOST_PORTS:
        return False
    return (one["host"], one["rest"]) == (other["host"], other["rest"])
