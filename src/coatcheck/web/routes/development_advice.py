"""Development only: which credential for which client.

The answers are in the query: nothing about them is secret, and so the advice can be linked to.
"""

from __future__ import annotations

from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from ...advice.case_file import write_case
from ...advice.deciding import advise
from ...advice.errors import CaseError
from ...advice.questions import QUESTIONS, Question, case_of, only_asked
from ..errors import MalformedRequestError
from ..exchange import Exchange
from ..pages.advice_views import AdviceView
from ..requests import Fields
from ..resource import Resource, route
from ..site import Site

__all__ = ["AdviceQuery", "routes"]

_PATH: Final = "/dev/advise"


class AdviceQuery(Fields, frozen=True, kw_only=True):
    """The query of the page: a field for each question, and for what may be answered by several one for each."""

    asked: str = ""
    browser: str = ""
    spa: str = ""
    mobile: str = ""
    cli: str = ""
    machine: str = ""
    agent: str = ""
    services: str = ""
    downstream: str = ""
    third_parties: str = ""
    sign_in: str = ""
    hosts: str = ""
    backend: str = ""
    sign_out: str = ""
    offline: str = ""
    hidden: str = ""
    assurance: str = ""
    framework: str = ""


async def _show(exchange: Exchange) -> Response:
    query = exchange.query(AdviceQuery)
    if not query.asked:
        return await exchange.page(AdviceView(answers=_usual()))
    answers = {question.name: _answer(question, query) for question in QUESTIONS}
    try:
        case = case_of(only_asked(answers))
    except CaseError as error:
        raise MalformedRequestError(error.message) from None
    shown = {name: tuple(text.split(",")) for name, text in answers.items()}
    if not case.clients:
        return await exchange.page(
            AdviceView(answers=shown, trouble="Choose at least one of what calls you.")
        )
    return await exchange.page(AdviceView(answers=shown, advice=advise(case), case_file=write_case(case)))


def _usual() -> dict[str, tuple[str, ...]]:
    return {question.name: tuple(question.default.split(",")) for question in QUESTIONS}


def _answer(question: Question, query: AdviceQuery) -> str:
    """Return what the query says, in the form of ``case_of``."""
    if not question.several:
        return str(getattr(query, question.name) or question.default)
    return ",".join(
        choice.value for choice in question.choices if getattr(query, choice.value.replace("-", "_"))
    )


def routes(site: Site) -> list[Route]:
    """Return the routes; none outside of development."""
    if not site.options.development:
        return []
    return [route(_PATH, Resource(site, get=_show))]
