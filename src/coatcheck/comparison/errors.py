"""What can go wrong before anything is measured."""

from __future__ import annotations

from typing import ClassVar

from ..errors import CoatcheckError

__all__ = ["ClaimsError", "ComparisonError", "LeftoverError", "StoreError"]


class ComparisonError(CoatcheckError):
    """Base of what a comparison refuses."""

    code: ClassVar[str] = "comparison_error"


class ClaimsError(ComparisonError):
    """The claims cannot be those of a token."""

    code: ClassVar[str] = "invalid_claims"


class StoreError(ComparisonError):
    """A store cannot be measured: its address is none, it cannot be reached, or its driver is not installed."""

    code: ClassVar[str] = "store_unusable"


class LeftoverError(ComparisonError):
    """What was put into a store could not be removed from it again. The message says what to look for."""

    code: ClassVar[str] = "store_leftover"
