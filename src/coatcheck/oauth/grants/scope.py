"""The algebra of scopes: asked for, granted, narrowed. Nothing here ever makes one wider."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ...identity import MalformedScopeError, parse_scope
from ..errors import InvalidScopeError
from ..vocabulary import OPENID_SCOPES

__all__ = ["api_scope", "machine_scope", "narrowed", "openid_scope", "requested_scope"]

_OPENID = frozenset(OPENID_SCOPES)
_LONGEST = 4096


def requested_scope(text: str | None) -> frozenset[str] | None:
    """Return the scopes of a ``scope`` parameter; ``None`` if there is none.

    Raises:
        InvalidScopeError: If it is no list of scopes (RFC 6749 section 3.3), or one too long.
    """
    if text is None:
        return None
    if len(text) > _LONGEST:
        raise InvalidScopeError("The scope is too long.", field="scope")
    try:
        return parse_scope(text)
    except MalformedScopeError as error:
        raise InvalidScopeError(error.message, field="scope") from None


def narrowed(granted: Iterable[str], requested: Collection[str] | None) -> tuple[str, ...]:
    """Return what of a grant is asked for, in the order of the grant; all of it if nothing is.

    Raises:
        InvalidScopeError: If more is asked for than was granted (RFC 6749 section 6).
    """
    granted = tuple(granted)
    if requested is None:
        return granted
    if not frozenset(granted).issuperset(requested):
        raise InvalidScopeError("More is asked for than was granted.", field="scope")
    return tuple(each for each in granted if each in requested)


def openid_scope(scope: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes of OpenID Connect among these."""
    return tuple(each for each in scope if each in _OPENID)


def api_scope(
    scope: Iterable[str], *, offered: Collection[str], permitted: Collection[str]
) -> tuple[str, ...]:
    """Return what of a grant is good for at one API: what it offers, as far as somebody may do it now."""
    return tuple(each for each in scope if each in offered and each in permitted and each not in _OPENID)


def machine_scope(
    requested: Collection[str] | None,
    *,
    offered: Collection[str],
    permitted: Collection[str],
    registered: Collection[str] | None,
) -> tuple[str, ...]:
    """Return what a client may do in its own name: what it asks for, or else all, in the order of the letters.

    Args:
        requested: What it asks for; ``None`` if it does not say.
        offered: What the API offers.
        permitted: What it was given permission for there.
        registered: What it may ask for by its registration; ``None`` for anything.

    Raises:
        InvalidScopeError: If it asks for more than it may.
    """
    allowed = frozenset(offered).intersection(permitted) - _OPENID
    if registered is not None:
        allowed = allowed.intersection(registered)
    if requested is None:
        return tuple(sorted(allowed))
    if not allowed.issuperset(requested):
        raise InvalidScopeError("The client may not do all that it asks for there.", field="scope")
    return tuple(sorted(requested))
