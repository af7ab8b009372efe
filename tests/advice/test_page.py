"""docs/advise.md says what may be answered, all of it."""

import re
from pathlib import Path

from coatcheck.advice.questions import QUESTIONS

PAGE = (Path(__file__).parents[2] / "docs" / "advise.md").read_text(encoding="utf-8")


def test_the_page_has_every_question_with_its_answers_and_what_is_usual() -> None:
    rows = {match[1]: match[0] for match in re.finditer(r"^\| `(\w+)` \| .*$", PAGE, re.MULTILINE)}
    assert list(rows) == [question.name for question in QUESTIONS]
    for question in QUESTIONS:
        cells = rows[question.name].split(" | ")
        assert re.findall(r"`([^`]+)`", cells[1]) in (
            values := [choice.value for choice in question.choices],
            values[::-1],
        )
        if not question.several:
            assert cells[2] == f"`{question.default}`"
