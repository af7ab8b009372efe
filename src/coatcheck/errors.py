"""The root of every error that Coatcheck raises on purpose.

Each error has three faces: a stable ``code`` for programs, a ``message`` that may be shown to the outside, and an
optional ``detail`` for the operator's log only. None of them ever carries a secret.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = ["CoatcheckError"]


class CoatcheckError(Exception):
    """Base of all Coatcheck errors: catch this to catch whatever the library refuses.

    Attributes:
        code: A stable, lower-case identifier of the kind of error. It never changes between releases.
        message: One sentence that says what is wrong and, where possible, what to do. Safe to show.
        detail: More for the operator, or ``None``. Not meant for the other side of the wire.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, detail: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail

    def __reduce__(self) -> tuple[object, ...]:
        # Subclasses take keyword-only attributes, which the default protocol cannot replay.
        return (_restore, (type(self), self.args, self.__dict__.copy()))


def _restore(
    kind: type[CoatcheckError], args: tuple[object, ...], attributes: dict[str, object]
) -> CoatcheckError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error
