"""The questions fit the case that they make."""

import pytest

from coatcheck.advice.errors import CaseError
from coatcheck.advice.model import Case
from coatcheck.advice.questions import QUESTIONS, Question, case_of, is_asked, only_asked, words_for


def test_every_answer_of_a_case_is_asked_for_in_its_order() -> None:
    names = [name for name in Case.__struct_fields__ if name != "addresses"]
    assert [question.name for question in QUESTIONS] == names


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_what_is_usual_is_what_a_case_has_by_itself(question: Question) -> None:
    by_itself = Case(clients=("browser",))
    asked = case_of({"clients": "browser", question.name: question.default})
    assert asked == by_itself


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_every_choice_can_be_made_and_has_words_of_its_own(question: Question) -> None:
    name, choices = question.name, question.choices
    made = [getattr(case_of({name: choice.value}), name) for choice in choices]
    assert len(set(map(str, made))) == len(choices)
    assert len({words_for(name, choice.value) for choice in choices}) == len(choices)


def test_several_are_put_in_order() -> None:
    assert case_of({"clients": "agent,,spa"}).clients == ("spa", "agent")
    assert case_of({"clients": "spa", "verifiers": ""}).verifiers == ()


@pytest.mark.parametrize(
    "answers, problem",
    [
        ({"hosts": "two"}, "hosts: choose one of one, subdomains, domains."),
        ({"hosts": ""}, "hosts: choose one of one, subdomains, domains."),
        ({"hosts": "one,domains"}, "hosts: choose one of one, subdomains, domains."),
        ({"verifiers": "services,services"}, "verifiers: choose any of services, downstream, third-parties."),
        ({"hidden": "True"}, "hidden: choose one of false, true."),
        ({"addresses": "x"}, "addresses: there is no such question."),
    ],
    ids=["unknown", "empty", "two of one", "twice", "other letters", "no question"],
)
def test_an_answer_that_is_none_is_refused(answers: dict[str, str], problem: str) -> None:
    with pytest.raises(CaseError) as caught:
        case_of(answers)
    assert caught.value.problems == (problem,)


def asked_after(**answers: str) -> list[str]:
    return [question.name for question in QUESTIONS if is_asked(question, answers)]


def test_only_what_matters_is_asked() -> None:
    always = {"clients", "sign_out", "verifiers", "offline", "hidden", "framework"}
    assert set(asked_after(clients="machine")) == always
    assert set(asked_after(clients="mobile")) == always | {"sign_in", "assurance"}
    assert set(asked_after(clients="browser")) == always | {"sign_in", "assurance", "hosts"}
    assert set(asked_after(clients="spa", hosts="domains")) == always | {
        *("sign_in", "assurance", "hosts", "backend"),
    }
    assert "hosts" not in asked_after(clients="spa", sign_in="proxy")


def test_answers_that_do_not_matter_are_left_out() -> None:
    answers = {"clients": "machine", "sign_in": "proxy", "hosts": "domains", "hidden": "true"}
    assert only_asked(answers) == {"clients": "machine", "hidden": "true"}
    assert only_asked({"clients": "spa", "hosts": "domains", "backend": "false"})["backend"] == "false"
