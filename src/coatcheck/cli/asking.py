"""Questions on a terminal, one after another, with a way back. They go to standard error: the advice can be piped."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import typer

from ..advice.model import Case
from ..advice.questions import QUESTIONS, Question, case_of, is_asked

__all__ = ["ask_all", "read_choice"]

_BACK = "b"
_NONE = "-"


def ask_all() -> Case:
    """Ask what matters, and return the case.

    Raises:
        Abort: If the terminal is closed in the middle of it.
    """
    answers: dict[str, str] = {}
    position, passed = 0, list[int]()
    _say("Enter takes what stands in brackets, b goes back, Ctrl-C ends it. Nothing is sent or changed.")
    while position < len(QUESTIONS):
        question = QUESTIONS[position]
        if not is_asked(question, answers):
            answers.pop(question.name, None)
            position += 1
            continue
        answer = _ask(question, answers, number=len(passed) + 1)
        if answer is None:
            position = passed.pop() if passed else 0
            continue
        answers[question.name] = answer
        passed.append(position)
        position += 1
    return case_of(answers)


def read_choice(question: Question, text: str, *, usual: str) -> str | None:
    """Return what was answered in the form that ``case_of`` takes; ``None`` if it is no answer.

    Args:
        question: What was asked.
        text: What was typed: numbers or names, several with commas or blanks between, nothing for the usual, and a
            dash for none at all.
        usual: What nothing stands for.
    """
    words = text.replace(",", " ").split()
    if not words:
        return usual
    if words == [_NONE] and question.several:
        words = []
    values = [choice.value for choice in question.choices]
    names = {str(number): value for number, value in enumerate(values, 1)} | {
        value: value for value in values
    }
    if question.choices[0].value in {"true", "false"}:
        names |= {"yes": "true", "y": "true", "no": "false", "n": "false"}
    if any(word.lower() not in names for word in words):
        return None
    chosen = {names[word.lower()] for word in words}
    if len(chosen) < question.least or (len(chosen) != 1 and not question.several):
        return None
    return ",".join(value for value in values if value in chosen)


def _ask(question: Question, answers: Mapping[str, str], *, number: int) -> str | None:
    """Return an answer that holds; ``None`` to go back."""
    usual = answers.get(question.name, question.default)
    _say("")
    _say(typer.style(f"{number}. {question.ask}", bold=True))
    _say(typer.style(f"   {question.why}", dim=True))
    values = [choice.value for choice in question.choices]
    for place, choice in enumerate(question.choices, 1):
        _say(f"   {place}  {choice.words}")
    places = ", ".join(str(values.index(value) + 1) for value in usual.split(",") if value) or "none"
    several = ", several with commas, - for none" if not question.least else ", several with commas"
    hint = f"[{places}]{several if question.several else ''}"
    while True:
        text = _read_line(f"   {hint}: ")
        if text.strip().lower() in {_BACK, "back"}:
            return None
        answer = read_choice(question, text, usual=usual)
        if answer is not None:
            return answer
        _say(f"   That is none of them: type a number from 1 to {len(values)}.")


def _read_line(prompt: str) -> str:
    typer.echo(prompt, err=True, nl=False)
    try:
        line = sys.stdin.readline()
    except UnicodeDecodeError:
        return "?"  # what is no text is no answer
    if not line:
        typer.echo(err=True)
        raise typer.Abort
    return line


def _say(line: str) -> None:
    # Styles only for a terminal: click takes them out elsewhere.
    typer.echo(line, err=True)
