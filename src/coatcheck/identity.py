"""The values that every part shares: who somebody is, how they proved it, and by which session."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

import msgspec

__all__ = ["FIRST_PARTY", "Client", "Identity", "MalformedScopeError", "parse_scope"]

from .errors import CoatcheckError

FIRST_PARTY: Final = "first-party"
"""The ``client_id`` of whoever signs in at this server itself, rather than through a registered client."""


class MalformedScopeError(CoatcheckError):
    """A text is no list of scopes (RFC 6749 section 3.3)."""

    code = "malformed_scope"


_SCOPE_CHARACTERS = frozenset(map(chr, range(0x21, 0x7F))) - {'"', "\\"}


def parse_scope(text: str) -> frozenset[str]:
    """Return the scopes of a space-delimited list.

    Raises:
        MalformedScopeError: If a character is not one that RFC 6749 section 3.3 allows.
    """
    scopes = frozenset(filter(None, text.split(" ")))
    if any(not _SCOPE_CHARACTERS.issuperset(scope) for scope in scopes):
        raise MalformedScopeError("A scope has visible ASCII characters only, and no quotes or backslashes.")
    return scopes


class Identity(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Somebody who has signed in, as far as the current request proves it.

    Attributes:
        id: The user's stable identifier, ``sub`` in tokens. Never reused, says nothing about the user.
        email: The user's e-mail address, in the spelling that they gave.
        scopes: What this credential may do: for a cookie, all that the user may; for a token, what it was issued for,
            as far as the user may still do it.
        session_id: The session that the credential comes from, ``sid`` in tokens. Not secret.
        authenticated_at: When the user last proved who they are.
        methods: How they proved it (``amr`` of RFC 8176), for example ``("pwd",)``.
        via: What the request carried.
    """

    id: str
    email: str
    scopes: frozenset[str]
    session_id: str
    authenticated_at: datetime
    methods: tuple[str, ...]
    via: Literal["cookie", "bearer"]


class Client(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a request shows of the program and the place it comes from. Not proof of anything.

    Attributes:
        address: The client's IP address in its canonical text, or ``""`` where there is none.
        user_agent: Its ``User-Agent``, cut to 256 characters.
    """

    address: str = ""
    user_agent: str = ""
