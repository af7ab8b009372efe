"""Key sets that were read before."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from ...jose import KeySet
from ...oauth.metadata_rules.keys import signing_keys

__all__ = ["ReadKeys"]

_MOST: Final = 500


class ReadKeys:
    """Key sets that were read before: reading one costs more than verifying with it."""

    def __init__(self) -> None:
        self._sets: OrderedDict[tuple[bytes, str], KeySet] = OrderedDict()

    def read(self, jwks: bytes, algorithm: str) -> KeySet:
        """Return the keys of a set for an algorithm, perhaps none.

        Raises:
            JOSEError: If it is no JWK Set, or contradicts itself.
        """
        found = self._sets.get((jwks, algorithm))
        if found is None:
            found = self._sets[jwks, algorithm] = signing_keys(jwks, algorithm)
            if len(self._sets) > _MOST:
                self._sets.popitem(last=False)
        return found
