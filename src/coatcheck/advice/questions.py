"""The questions, in order: what is asked, why, what can be answered, and when it matters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from .errors import CaseError
from .model import Case, Client, SignIn
from .ruling import When

__all__ = ["QUESTIONS", "Choice", "Question", "case_of", "is_asked", "only_asked", "words_for"]


class Choice(msgspec.Struct, frozen=True):
    """One of the answers.

    Attributes:
        value: As the case has it, in text.
        words: As people read it.
    """

    value: str
    words: str


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One of the questions.

    Attributes:
        name: The field of ``Case``.
        ask: The question.
        why: What hangs on it.
        choices: What can be answered.
        default: The answer of who does not care; the values of several, with commas between.
        several: Whether any number of the choices may be taken.
        least: How many must be.
        when: In which cases it matters.
    """

    name: str
    ask: str
    why: str
    choices: tuple[Choice, ...]
    default: str = ""
    several: bool = False
    least: int = 0
    when: When = When()


_PEOPLE: tuple[Client, ...] = ("browser", "spa", "mobile", "cli", "agent")
_NOT_PROXY: tuple[SignIn, ...] = ("here", "provider")

QUESTIONS: tuple[Question, ...] = (
    Question(
        name="clients",
        ask="What calls you?",
        why="Each kind of client gets the credential that it can keep best.",
        several=True,
        least=1,
        default="browser",
        choices=(
            Choice("browser", "A browser, with pages that your server makes"),
            Choice("spa", "A single-page app in a browser"),
            Choice("mobile", "A mobile app"),
            Choice("cli", "A command-line or desktop program"),
            Choice("machine", "Machines: jobs and servers, with no person there"),
            Choice("agent", "AI agents and other tools that speak MCP"),
        ),
    ),
    Question(
        name="sign_in",
        ask="Who signs people in?",
        why="Where somebody else does, you may not need Coatcheck for it.",
        default="here",
        when=When(clients=_PEOPLE),
        choices=(
            Choice("here", "This site: people have accounts here"),
            Choice("provider", "Another provider alone: the company's, or a big one's"),
            Choice("proxy", "A proxy: there are only static pages to shield"),
        ),
    ),
    Question(
        name="hosts",
        ask="Where are the pages, and what they call?",
        why="A cookie belongs to one host. That decides whether it is enough.",
        default="one",
        when=When(clients=("browser", "spa"), sign_in=_NOT_PROXY),
        choices=(
            Choice("one", "All on one host: app.example.com"),
            Choice("subdomains", "On several hosts of one site: app.example.com and api.example.com"),
            Choice("domains", "On several domains: app.example and api.example.net"),
        ),
    ),
    Question(
        name="backend",
        ask="Can the single-page app have a program of yours on its own host?",
        why="A small backend keeps tokens out of the browser. Static hosting cannot.",
        default="true",
        when=When(clients=("spa",), hosts=("subdomains", "domains"), sign_in=_NOT_PROXY),
        choices=(Choice("true", "Yes"), Choice("false", "No: static hosting only")),
    ),
    Question(
        name="sign_out",
        ask="How soon must a sign-out bite everywhere?",
        why="Who verifies by themselves does not hear of it by themselves.",
        default="at-once",
        choices=(
            Choice("at-once", "At once: within a second"),
            Choice("a-minute", "Within a minute"),
            Choice("minutes", "Within a few minutes"),
            Choice("an-hour", "Within an hour"),
        ),
    ),
    Question(
        name="verifiers",
        ask="Who else checks credentials, besides the app itself?",
        why="Nobody else: then nothing needs to be readable by anybody else.",
        several=True,
        choices=(
            Choice("services", "Services of yours that clients call"),
            Choice("downstream", "Services behind those, on the user's behalf"),
            Choice("third-parties", "Third parties"),
        ),
    ),
    Question(
        name="offline",
        ask="Must somebody get by without a connection?",
        why="Who is not connected cannot be told of a sign-out.",
        default="no",
        choices=(
            Choice("no", "No"),
            Choice("clients", "The app: it is used offline for days"),
            Choice("verifiers", "A verifier: it checks tokens offline, for up to an hour"),
        ),
    ),
    Question(
        name="hidden",
        ask="Is there data about users that their own clients must not read?",
        why="Whoever carries a signed token can read it.",
        default="false",
        choices=(Choice("false", "No"), Choice("true", "Yes")),
    ),
    Question(
        name="assurance",
        ask="Does a law, a contract or an auditor say how strongly people sign in?",
        why="These levels limit how long sessions last and who may hold what.",
        default="ordinary",
        when=When(clients=_PEOPLE),
        choices=(
            Choice("ordinary", "No"),
            Choice("aal2", "Yes: two factors, an hour without use (NIST AAL2)"),
            Choice("aal3", "Yes: keys in hardware, 15 minutes without use (NIST AAL3)"),
        ),
    ),
    Question(
        name="framework",
        ask="What is the application written in?",
        why="Only for the lines of code.",
        default="fastapi",
        choices=(
            Choice("fastapi", "FastAPI"),
            Choice("starlette", "Starlette"),
            Choice("litestar", "Litestar"),
            Choice("django", "Django"),
            Choice("flask", "Flask"),
            Choice("other", "Something else"),
        ),
    ),
)
_BY_NAME = {question.name: question for question in QUESTIONS}


def case_of(answers: Mapping[str, str]) -> Case:
    """Return the case of answers in text; what is not answered is as usual.

    Args:
        answers: By the names of the questions. Several values have commas between them.

    Raises:
        CaseError: If an answer is none of the choices, or a question is not known.
    """
    problems: list[str] = []
    fields: dict[str, Any] = {"clients": ()}
    for name, text in answers.items():
        question = _BY_NAME.get(name)
        if question is None:
            problems.append(f"{name}: there is no such question.")
            continue
        values = [each for each in text.split(",") if each] if question.several else [text]
        known = [choice.value for choice in question.choices]
        if any(value not in known for value in values) or len(set(values)) < len(values):
            problems.append(f"{name}: choose {'any' if question.several else 'one'} of {', '.join(known)}.")
            continue
        if question.several:
            fields[name] = tuple(value for value in known if value in values)
        else:
            fields[name] = text == "true" if name in {"backend", "hidden"} else text
    if problems:
        raise CaseError(tuple(problems))
    return Case(**fields)


def is_asked(question: Question, answers: Mapping[str, str]) -> bool:
    """Tell whether a question matters after these answers.

    Args:
        question: The question.
        answers: Those that were given, by the names of the questions.

    Raises:
        CaseError: What ``case_of`` raises.
    """
    return question.when.holds(case_of(answers))


def only_asked(answers: Mapping[str, str]) -> dict[str, str]:
    """Return the answers without those to questions that did not matter after the ones before.

    Args:
        answers: By the names of the questions, where all were shown at once.

    Raises:
        CaseError: What ``case_of`` raises.
    """
    kept: dict[str, str] = {}
    for question in QUESTIONS:
        if question.name in answers and is_asked(question, kept):
            kept[question.name] = answers[question.name]
    return kept


def words_for(name: str, value: str) -> str:
    """Return an answer as people read it.

    Args:
        name: The question's.
        value: One of its choices.

    Raises:
        KeyError: If there is no such question or choice.
    """
    return {choice.value: choice.words for choice in _BY_NAME[name].choices}[value]
