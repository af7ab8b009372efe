"""docs/audit.md has the table of rules. To write it anew: ``python -m tests.audit.test_documented``."""

import re
from pathlib import Path

from coatcheck.audit.guessing import known_secrets
from coatcheck.audit.rules.table import BY_ID, RULES

PAGE = Path(__file__).parent.parent.parent / "docs" / "audit.md"
BETWEEN = re.compile(r"(?<=test_documented\.py -->\n).*(?=<!-- the end of the rules -->)", re.DOTALL)


def table() -> str:
    lines = ["| rule | at worst | what is wrong | source |", "|---|---|---|---|"]
    lines += [
        f"| `{rule.id}` | {rule.severity} | {rule.title} | {', '.join(rule.sources)} |" for rule in RULES
    ]
    return "\n".join(["", *lines, "", ""])


def test_the_page_has_every_rule_as_the_table_of_rules_has_it() -> None:
    found = BETWEEN.search(PAGE.read_text(encoding="utf-8"))
    assert found is not None
    assert found[0] == table()


def test_the_page_counts_the_common_secrets() -> None:
    assert round(len(known_secrets()), -1) == 220
    assert "about 220 secrets" in PAGE.read_text(encoding="utf-8")


def test_names_are_stable_words_and_stand_once() -> None:
    assert len(BY_ID) == len(RULES)
    assert all(re.fullmatch(r"[a-z]+(?:-[a-z]+)*", rule.id) for rule in RULES)


def test_sources_are_written_so_that_they_can_be_found() -> None:
    pattern = re.compile(
        r"(?:RFC \d{4,5}|rfc6265bis-22) section \d+(?:\.\d+)*|ASVS \d+\.\d+\.\d+|Fetch, CORS protocol and credentials"
    )
    wrong = {source for rule in RULES for source in rule.sources if not pattern.fullmatch(source)}
    assert not wrong
    assert all(rule.sources for rule in RULES)


def test_sentences_end_as_sentences() -> None:
    for rule in RULES:
        assert rule.why.endswith("."), rule.id
        assert rule.fix.endswith("."), rule.id
        assert not rule.title.endswith("."), rule.id


if __name__ == "__main__":
    PAGE.write_text(BETWEEN.sub(lambda _: table(), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
