"""What the page says is worked out from the figures: who wins is named, and who does not is not praised."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import msgspec
import pytest

from coatcheck.comparison.model import Report, Sample
from coatcheck.comparison.page import render
from coatcheck.comparison.page.trade_off import pairs_of, unbeaten
from coatcheck.comparison.page.wording import entries, own_against_others, times, together
from tests.comparison.page.sample import made_up_report, sample_of

REPORT = made_up_report()


def steady(median: float) -> Sample:
    return sample_of([median * 0.99, median, median * 1.01])


def with_costs(**costs: float) -> Report:
    """Return the report with other costs of some checks; ``_`` stands for ``-``."""
    known = {name.replace("_", "-"): steady(cost) for name, cost in costs.items()}
    checks = tuple(
        msgspec.structs.replace(check, warm=known.get(check.design, check.warm)) for check in REPORT.checks
    )
    return msgspec.structs.replace(REPORT, checks=checks)


def section_of(report: Report, name: str) -> str:
    page = ET.fromstring(render(report).removeprefix("<!DOCTYPE html>\n"))  # noqa: S314 - our own output
    section = page.find(f".//section[@id='{name}']/p")
    assert section is not None
    return "".join(section.itertext()).replace("\N{NO-BREAK SPACE}", " ")


def leaders_of(report: Report) -> list[str]:
    page = ET.fromstring(render(report).removeprefix("<!DOCTYPE html>\n"))  # noqa: S314 - our own output
    items = page.iterfind(".//ul[@class='leaders']/li")
    return [
        " / ".join("".join(part.itertext()) for part in item).replace("\N{NO-BREAK SPACE}", " ")
        for item in items
    ]


def test_coatcheck_is_ahead_only_where_it_is() -> None:
    ahead = section_of(with_costs(coatcheck_cookie=1e-7, opaque_id=1e-6), "check")
    assert "the cheapest to check: Coatcheck cookie, 100 ns." in ahead
    assert (
        "Coatcheck cookie takes 100 ns; Opaque ID, the best of the others, 1 µs: here Coatcheck is ahead."
        in ahead
    )


def test_where_coatcheck_is_not_the_best_the_page_says_so() -> None:
    slow = with_costs(coatcheck_cookie=2e-4, coatcheck_token=3e-4, opaque_id=1e-6)
    said = section_of(slow, "check")
    assert "the cheapest to check: Opaque ID, 1 µs." in said
    assert "The dearest: Coatcheck token, 300 µs, 300 times as much." in said
    assert (
        "Coatcheck cookie takes 200 µs; Opaque ID, the best of the others, 1 µs: here Coatcheck is not the best."
        in said
    )
    assert (
        leaders_of(slow)[1]
        == "Cheapest to check again / 1 µs / Opaque ID / Coatcheck cookie: 200 µs, place 10 of 11"
    )


def test_what_overlaps_is_not_told_apart() -> None:
    alike = with_costs(coatcheck_cookie=1e-6, coatcheck_token=9e-6, opaque_id=1.001e-6)
    said = section_of(alike, "check")
    assert "Their quartiles overlap, so this run does not tell them apart." in said
    assert leaders_of(alike)[1] == "Cheapest to check again / 1 µs / Coatcheck cookie and Opaque ID"


def test_sizes_that_are_equal_are_called_alike() -> None:
    said = section_of(REPORT, "size")
    assert said.startswith("The smallest are Opaque ID and Coatcheck cookie with 72 B in each request.")
    assert said.endswith(
        "Coatcheck cookie takes 72 B; Opaque ID, the best of the others, 72 B: here they are alike."
    )
    assert "JWT, ML-DSA-65 exceeds a limit: Browsers, one cookie." in said


def test_one_design_alone_is_compared_with_nobody() -> None:
    alone = msgspec.structs.replace(
        REPORT, sizes=REPORT.sizes[:1], checks=REPORT.checks[:1], stores=(), limits=()
    )
    assert "best of the others" not in section_of(alone, "size") + section_of(alone, "check")


def test_look_ups_alone_are_a_section_too() -> None:
    alone = msgspec.structs.replace(REPORT, checks=())
    assert section_of(alone, "check").startswith("To look a session up with each request takes")
    unknown = msgspec.structs.replace(REPORT, stores=REPORT.stores[3:])
    assert "To look a session up" not in section_of(unknown, "check")


def test_a_window_of_nothing_has_no_ratio() -> None:
    windows = tuple(
        msgspec.structs.replace(each, sample=sample_of([0.0, 0.0]))
        if each.design == "ledger-process"
        else each
        for each in REPORT.windows
    )
    said = section_of(msgspec.structs.replace(REPORT, windows=windows), "sign-out")
    assert "Soonest to refuse: Coatcheck, same process, after 0 ns at the median." in said
    assert "Last: Token until it expires, after 12 h." in said


def test_nobody_is_called_unbeaten_who_is_beaten_in_both() -> None:
    pairs = pairs_of(REPORT)
    best = unbeaten(pairs)
    assert [pair.window.design for pair in best] == ["ledger-process"]
    assert section_of(REPORT, "both").endswith(
        "Coatcheck, other processes is beaten by Coatcheck, same process, which is neither dearer nor later."
    )
    slow = with_costs(coatcheck_cookie=1.0, coatcheck_token=1.0)
    said = section_of(slow, "both")
    assert "Coatcheck, other processes is beaten by" in said
    assert "nothing is both cheaper and sooner than Session in SQLite" in said


def test_a_cost_is_that_of_what_every_request_needs() -> None:
    pairs = {pair.window.design: pair for pair in pairs_of(REPORT)}
    checks = {check.design: check.warm for check in REPORT.checks}
    stores = {store.store: store.warm for store in REPORT.stores}
    sqlite = stores["sqlite"]
    assert sqlite is not None
    assert pairs["expiry-only"].cost == checks["jwt-es256"]
    assert pairs["ledger-services"].cost == checks["coatcheck-token"]
    assert pairs["session-sqlite"].cost == sqlite
    assert pairs["denylist-sqlite"].cost.median == pytest.approx(checks["jwt-es256"].median + sqlite.median)
    assert pairs["denylist-sqlite"].of == "check of JWT, ES256, and one look-up"
    # Neither has a cost: the picture leaves them out, and the page says so.
    assert {"introspection", "introspection-cached", "denylist-redis"}.isdisjoint(pairs)
    assert (
        "cost or window was not measured: Introspection, remembered; Introspection, each time; and"
        in render(REPORT)
    )


def test_a_check_of_the_same_name_as_a_window_is_its_cost() -> None:
    own = msgspec.structs.replace(REPORT.checks[0], design="introspection")
    report = msgspec.structs.replace(REPORT, checks=(*REPORT.checks[1:], own))
    assert "introspection" in {pair.window.design for pair in pairs_of(report)}
    without_tokens = msgspec.structs.replace(REPORT, checks=())
    assert {pair.window.design for pair in pairs_of(without_tokens)} == {
        "session-sqlite",
        "session-postgresql",
    }


def test_lists_and_ratios_read_well() -> None:
    assert [together(names) for names in ([], ["A"], ["A", "B"], ["A", "B", "C"])] == [
        "",
        "A",
        "A and B",
        "A, B and C",
    ]
    assert together(["A, b", "C", "D"]) == "A, b; C; and D"
    assert together(["A, b"]) == "A, b"
    assert [times(ratio) for ratio in (1, 1.44, 9.94, 83.4, 12_345)] == [
        *("1 times", "1.4 times", "9.9 times", "83 times", "12,000 times")
    ]
    assert own_against_others(entries(REPORT, {}), str, verb="takes") == ""


def test_a_run_that_was_cut_short_says_so() -> None:
    assert "cut short" not in section_of(REPORT, "method")
    quick = msgspec.structs.replace(REPORT, machine=msgspec.structs.replace(REPORT.machine, quick=True))
    assert section_of(quick, "method").endswith(
        "The run was cut short, so there is more noise than there has to be."
    )


def test_claims_that_look_personal_are_counted() -> None:
    assert "1 of 4 look personal." in section_of(REPORT, "claims")
    claims = msgspec.structs.replace(REPORT.claims, source="the default", claims=REPORT.claims.claims[:1])
    assert "personal" not in section_of(msgspec.structs.replace(REPORT, claims=claims), "claims")


def test_designs_that_end_access_alike_have_no_last_one() -> None:
    windows = tuple(msgspec.structs.replace(each, sample=steady(1e-3)) for each in REPORT.windows)
    report = msgspec.structs.replace(REPORT, windows=windows)
    assert "Last:" not in section_of(report, "sign-out")
    known = tuple(each for each in windows if not each.design.startswith(("introspection", "denylist-redis")))
    assert "Not in this picture" in render(report)
    assert "Not in this picture" not in render(msgspec.structs.replace(report, windows=known))
