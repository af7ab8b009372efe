"""How much of a hostile token is looked at before it is refused."""

from __future__ import annotations

import msgspec

from .errors import ConfigurationError

__all__ = ["DEFAULT_LIMITS", "Limits", "the_limits"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds that are checked before anything is parsed, decoded or computed.

    Attributes:
        token: The longest token, in characters (for a JSON serialisation: the longest of its members, and half of
            its text).
        header: The longest protected header, in characters of base64url.
        depth: The deepest nesting of JSON in headers and claims.
        recipients: The most signatures or recipients in a general JSON serialisation.
        iterations: The highest PBES2 iteration count (``p2c``) that is computed, over all recipients together
            (draft-ietf-oauth-rfc8725bis names 1.2 million).
    """

    token: int = 65_536
    header: int = 8_192
    depth: int = 32
    recipients: int = 16
    iterations: int = 1_200_000

    def __post_init__(self) -> None:
        """Refuse limits that are no positive integers. Raises ``ConfigurationError``."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ConfigurationError(f"The limit {name!r} must be a positive integer.")


def the_limits(limits: object) -> Limits:
    """Return what must be limits. Raises ``ConfigurationError`` for anything else, ``None`` included."""
    if not isinstance(limits, Limits):
        raise ConfigurationError("'limits' must be Limits: leave it out for the usual ones.")
    return limits


DEFAULT_LIMITS = Limits()
