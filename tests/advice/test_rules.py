"""The table as a whole: no case without an answer, no row without a use, no claim without a source."""

from pathlib import Path

import msgspec
import pytest

from coatcheck.advice.credentials import CREDENTIALS
from coatcheck.advice.deciding import advise, settle
from coatcheck.advice.model import Case, Source
from coatcheck.advice.questions import QUESTIONS
from coatcheck.advice.rules import (
    CHECKS,
    CHOICES,
    CONFLICTS,
    INSTEAD,
    THREATS,
    UNNEEDED,
)
from coatcheck.advice.ruling import ConflictRule, CredentialRule, StatementRule, ThreatRule
from coatcheck.advice.sources import DOCUMENTS, cite, cite_briefly, link
from tests.advice.cases import OTHER_ANSWERS, SETS_OF_CLIENTS, each_client_alone, some_of_all

Rule = ConflictRule | CredentialRule | StatementRule | ThreatRule

DOCS = Path(__file__).parents[2] / "docs"
RULES: list[Rule] = [
    *CONFLICTS,
    *CHOICES,
    *CHECKS,
    *THREATS,
    *INSTEAD,
    *UNNEEDED,
]
SOURCES = sorted({source for rule in RULES for source in rule.sources}, key=str)


# Of these, at most one is ever said.
EITHER_OR = [
    {"third-parties-ask", "third-parties-read-a-list", "third-parties-wait-for-expiry"},
    {"services-follow-the-ledger", "offline-verifiers-take-the-keys-along"},
    {"proxy-instead", "provider-instead", "second-factor-elsewhere"},
    {"no-jwt", "no-jwt-for-services-on-the-host", "no-token-in-the-browser"},
    {"app-checks-by-itself", "services-follow-the-ledger"},
]


def check(case: Case) -> set[str]:
    """Check what holds of the answer to any case, and return the rules that spoke."""
    advice = advise(case)
    held = {each.credential.id for each in advice.clients}
    assert [each.client for each in advice.clients] == list(case.clients)
    assert settle(advice.case)[1] == ()
    assert {client for threat in advice.threats for client in threat.clients} == set(case.clients)
    once = [
        each.rule
        for part in (advice.conflicts, advice.instead, advice.checks, advice.threats, advice.unneeded)
        for each in part
    ]
    said = set(once)
    assert len(said) == len(once)
    assert all(len(said & either) <= 1 for either in EITHER_OR)
    assert held == {"session-cookie"} or not said & {"no-jwt", "no-jwt-for-services-on-the-host"}
    if not any(each.credential.ours for each in advice.clients):
        assert advice.instead
        assert not advice.configuration.settings
    return said | {each.rule for each in advice.clients}


def test_every_combination_of_answers_for_a_client_has_an_answer_and_every_rule_is_of_use() -> None:
    spoke: set[str] = set()
    settled: set[Case] = set()
    for case in each_client_alone():
        left, conflicts = settle(case)
        spoke.update(conflict.rule for conflict in conflicts)
        if left not in settled:  # what gave way leaves fewer cases to advise on
            settled.add(left)
            spoke |= check(left)
    assert spoke == {rule.id for rule in RULES}


def test_so_have_combinations_for_several_clients() -> None:
    for case in some_of_all(1009):
        check(case)


def test_what_one_client_gets_does_not_hang_on_the_others() -> None:
    for case in some_of_all(4001):
        together = advise(case)
        for each in together.clients:
            alone = advise(msgspec.structs.replace(together.case, clients=(each.client,)))
            assert alone.clients == (each,)


def test_the_step_meets_every_answer_to_every_question() -> None:
    cases = list(some_of_all(1009))
    assert {case.clients for case in cases} == set(SETS_OF_CLIENTS)
    for name, values in OTHER_ANSWERS.items():
        assert {getattr(case, name) for case in cases} == set(values)


def test_every_rule_has_a_name_of_its_own() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert len({credential.id for credential in CREDENTIALS}) == len(CREDENTIALS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_a_source_that_is_known_with_its_section(rule: Rule) -> None:
    assert rule.sources
    for source in rule.sources:
        assert source.section in DOCUMENTS[source.document].sections


def test_every_section_that_is_known_is_quoted() -> None:
    known = {Source(name, section) for name, document in DOCUMENTS.items() for section in document.sections}
    assert known == set(SOURCES)


def test_the_rows_of_the_checklist_are_those_of_the_checklist() -> None:
    page = (DOCS / "asvs.md").read_text(encoding="utf-8")
    assert all(f"\n| {row} | " in page for row in DOCUMENTS["ASVS 5.0"].sections)


def test_every_credential_of_ours_has_a_page_that_is_there() -> None:
    for credential in CREDENTIALS:
        assert credential.guide or not credential.ours
        assert not credential.guide or (DOCS / f"{credential.guide}.md").is_file()


def test_every_text_is_whole_sentences() -> None:
    for rule in RULES:
        values = [
            getattr(rule, name, ".") for name in ("reason", "threat", "do", "text", "conflict", "gives")
        ]
        assert all(text.endswith((".", ")")) and "  " not in text for text in values), rule.id


def test_no_answer_of_a_rule_is_unknown_to_the_questions() -> None:
    choices = {question.name: {choice.value for choice in question.choices} for question in QUESTIONS}
    for rule in CONFLICTS:
        answer, taken = rule.becomes
        assert (taken if isinstance(taken, str) else str(taken).lower()) in choices[answer]


@pytest.mark.parametrize(
    "source, cited",
    [
        (Source("RFC 10017", "6.1"), "RFC 10017 section 6.1, Backend for Frontend (BFF)"),
        (Source("ASVS 5.0", "7.4.1"), "ASVS 5.0 7.4.1, After a sign-out the session is unusable"),
        (
            Source("MCP 2026-07-28", "Access Token Privilege Restriction"),
            "MCP 2026-07-28 Access Token Privilege Restriction",
        ),
    ],
    ids=["section", "row", "title"],
)
def test_a_source_is_cited_in_a_line(source: Source, cited: str) -> None:
    assert cite(source) == cited


def test_sources_are_cited_briefly_by_document() -> None:
    sources = [Source("RFC 10017", "6.1"), Source("ASVS 5.0", "7.4.1"), Source("RFC 10017", "7.1")]
    assert cite_briefly(sources) == "RFC 10017 sections 6.1, 7.1; ASVS 5.0 7.4.1"


def test_a_source_leads_to_its_section_where_there_is_an_address_of_it() -> None:
    assert link(Source("RFC 10017", "6.1")) == "https://www.rfc-editor.org/rfc/rfc10017.html#section-6.1"
    assert link(Source("NIST SP 800-63B-4", "5.1")) == "https://pages.nist.gov/800-63-4/sp800-63b.html"
