"""What was granted at which API. A scope is a name, and two APIs may have the same one for different things.

So of what was granted in two requests, the scopes of the one are not granted at the APIs of the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from ..vocabulary import OPENID_SCOPES

__all__ = ["DEFAULT_API", "at_each", "both"]

DEFAULT_API: Final = ""
"""The name here of the API that is meant where none is named."""

_OPENID: Final = frozenset(OPENID_SCOPES)


def at_each(scope: Collection[str], audiences: Collection[str]) -> dict[str, frozenset[str]]:
    """Return what is granted at each API by one request, or asked for: its scopes, but for those of OpenID Connect.

    Args:
        scope: All of its scopes.
        audiences: All of its APIs; none for the one that is meant by default.
    """
    return dict.fromkeys(audiences or (DEFAULT_API,), frozenset(scope) - _OPENID)


def both(one: Mapping[str, frozenset[str]], other: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Return what is granted at each API by one request or by another."""
    nothing: frozenset[str] = frozenset()
    return {each: one.get(each, nothing) | other.get(each, nothing) for each in {**one, **other}}
