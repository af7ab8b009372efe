"""What can go wrong before a key is even looked at."""

from __future__ import annotations

from typing import ClassVar

from ..errors import CoatcheckError

__all__ = ["InspectionError", "UnclearKeyError", "UnreadableKeyError"]


class InspectionError(CoatcheckError):
    """Base of what an inspection refuses."""

    code: ClassVar[str] = "inspection_error"


class UnreadableKeyError(InspectionError):
    """It is no key, or a secret that is not written in the encoding named.

    Attributes:
        may_be_secret: Whether it would be a shared secret, if an algorithm for these were named.
    """

    code: ClassVar[str] = "unreadable_key"

    def __init__(self, message: str, *, may_be_secret: bool = False) -> None:
        """Take what was found."""
        super().__init__(message)
        self.may_be_secret = may_be_secret


class UnclearKeyError(InspectionError):
    """The key does not say by itself what it is for.

    Attributes:
        choices: The algorithms that it may be for; empty if none, or if it is not one key.
    """

    code: ClassVar[str] = "unclear_key"

    def __init__(self, message: str, *, choices: tuple[str, ...] = ()) -> None:
        """Take what was found, and what may be chosen."""
        super().__init__(message)
        self.choices = choices
