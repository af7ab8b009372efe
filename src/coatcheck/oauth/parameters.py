"""What a request says, as values: parameters that may repeat, and what to think of those that must not.

RFC 6749 section 3.1: unknown parameters are ignored, one without a value is as none, and none may be there twice.
``resource`` may (RFC 8707 section 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from .errors import InvalidRequestError

__all__ = ["REPEATABLE", "Parameters"]

REPEATABLE: Final = frozenset({"resource"})
"""What may be there more than once."""


class Parameters(msgspec.Struct, frozen=True, gc=False):
    """The parameters of a request, without those that are empty.

    Attributes:
        values: Each name with its values, in the order of the request.
    """

    values: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Parameters:
        """Return the parameters of decoded pairs."""
        values: dict[str, tuple[str, ...]] = {}
        for name, value in pairs:
            if value:
                values[name] = (*values.get(name, ()), value)
        return cls(values)

    def __repr__(self) -> str:
        # Some of them are secrets.
        return f"<Parameters {sorted(self.values)}>"

    def get(self, name: str) -> str | None:
        """Return the value of a parameter, the first one if it is there twice; ``None`` if it is not there."""
        found = self.values.get(name)
        return None if found is None else found[0]

    def all(self, name: str) -> tuple[str, ...]:
        """Return all values of a parameter."""
        return self.values.get(name, ())

    def is_repeated(self, name: str) -> bool:
        """Tell whether a parameter is there more than once, and must not be."""
        return name not in REPEATABLE and len(self.values.get(name, ())) > 1

    def check_unique(self) -> None:
        """Check that no parameter is there twice that must not be: two readers could believe different ones.

        Raises:
            InvalidRequestError: If one is.
        """
        if any(map(self.is_repeated, self.values)):
            raise InvalidRequestError("A parameter is there more than once.")
