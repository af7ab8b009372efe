"""The verifiers of clients' assertions, kept: each remembers the headers that it has seen."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ..._core.clock import Clock
from ...jose import KeySet, jwt
from ...oauth.client_authentication.assertions import LEEWAY, AssertionClaims

__all__ = ["AssertionVerifiers"]

_MOST: Final = 1000
_LEEWAY: Final = timedelta(seconds=LEEWAY)
_REQUIRED: Final = ("iss", "sub", "aud", "exp", "jti")


class AssertionVerifiers:
    """The verifiers of one process, by whose assertions they are for."""

    def __init__(self) -> None:
        self._kept: dict[
            tuple[str, str, str, frozenset[str]], tuple[KeySet, jwt.Verifier[AssertionClaims]]
        ] = {}

    def get(
        self,
        client_id: str,
        keys: KeySet,
        *,
        algorithm: str,
        typ: str,
        audiences: frozenset[str],
        clock: Clock,
    ) -> jwt.Verifier[AssertionClaims]:
        """Return what verifies a client's assertions of one algorithm and type.

        Args:
            client_id: Whose: their ``iss``.
            keys: The keys that they may be signed with, all of that algorithm.
            algorithm: The algorithm.
            typ: The type that is demanded; ``JWT`` also takes those that state none.
            audiences: The names of this server that they may be for.
            clock: The time.
        """
        name = (client_id, algorithm, typ, audiences)
        kept = self._kept.get(name)
        if kept is not None and kept[0] is keys:
            return kept[1]
        verifier = jwt.Verifier(
            keys,
            issuer=client_id,
            audience=audiences,
            claims=AssertionClaims,
            typ=typ,
            require=_REQUIRED,
            leeway=_LEEWAY,
            clock=clock,
        )
        if len(self._kept) >= _MOST:
            self._kept.clear()
        self._kept[name] = keys, verifier
        return verifier
