"""Why a case cannot be advised on."""

from __future__ import annotations

from typing import ClassVar

from ..errors import CoatcheckError

__all__ = ["AdviceError", "CaseError"]


class AdviceError(CoatcheckError):
    """Base of what keeps advice from being given."""

    code: ClassVar[str] = "advice_error"


class CaseError(AdviceError):
    """The description of a case cannot be read, or is none.

    Attributes:
        problems: All that is wrong, each as a sentence that names the answer it is about.
    """

    code: ClassVar[str] = "invalid_case"

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(" ".join(problems))
        self.problems: tuple[str, ...] = problems
