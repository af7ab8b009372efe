"""What the page shows that says which credential to choose, as values."""

from __future__ import annotations

from collections.abc import Mapping

from ...advice.model import Advice
from ...advice.questions import QUESTIONS, Question
from .views import View

__all__ = ["AdviceView"]


class AdviceView(View, frozen=True, kw_only=True):
    """Development only: the adviser, at ``{prefix}/dev/advise``.

    Attributes:
        questions: What is asked.
        answers: What stands in the form, by the names of the questions: each the values that are chosen.
        trouble: Why there is no advice though it was asked for; ``""`` if there is, or was not.
        advice: The advice; ``None`` if there is none.
        case_file: The case as a file for ``coatcheck advise``.
    """

    questions: tuple[Question, ...] = QUESTIONS
    answers: Mapping[str, tuple[str, ...]]
    trouble: str = ""
    advice: Advice | None = None
    case_file: str = ""
