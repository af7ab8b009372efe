"""SARIF 2.1.0 with what code scanning asks for: rules with help, locations in files, fingerprints."""

import json
import re
from typing import Any

from coatcheck.audit.rules.table import RULES
from coatcheck.audit.sarif import as_sarif
from tests.audit.recordings import SESSION, entry, report_of


def log(**options: str) -> dict[str, Any]:
    report = report_of(
        entry("https://app.example/", got={"Set-Cookie": f"sid={SESSION}; Domain=example"}),
        entry("https://app.example/[x]{y}?access_token=a1b2c3d4e5f6a7b8"),
    )
    return as_sarif(report, **{"file": "traffic/my visit.har", "version": "1.2.3", **options})


def test_each_rule_explains_itself() -> None:
    rules = log()["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.id for rule in RULES]
    for rule in rules:
        assert re.fullmatch(r"[A-Z][A-Za-z]+", rule["name"])
        assert rule["shortDescription"]["text"].endswith(".")
        assert rule["help"]["text"]
        assert "**Fix:**" in rule["help"]["markdown"]
        assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note"}
        assert 0.0 <= float(rule["properties"]["security-severity"]) <= 10.0
        assert "security" in rule["properties"]["tags"]


def test_each_result_has_a_rule_a_place_in_the_file_and_a_fingerprint() -> None:
    run = log()["runs"][0]
    assert run["results"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        physical = result["locations"][0]["physicalLocation"]
        assert physical["artifactLocation"]["uri"] == "traffic/my%20visit.har"
        assert physical["region"]["startLine"] == 1
        assert re.fullmatch(r"[0-9a-f]{32}:1", result["partialFingerprints"]["primaryLocationLineHash"])
        assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"].startswith(
            "GET https://app.example/"
        )
    fingerprints = [result["partialFingerprints"]["coatcheckAudit/v1"] for result in run["results"]]
    assert len(set(fingerprints)) == len(fingerprints)


def test_the_levels_follow_the_severities() -> None:
    levels = {result["ruleId"]: result["level"] for result in log()["runs"][0]["results"]}
    assert levels["token-in-query"] == "error"
    assert levels["cookie-wide-domain"] == "warning"
    assert levels["cookie-without-prefix"] == "note"
    assert levels["cookie-without-expiry"] == "note"


def test_notes_go_along_and_no_message_is_read_as_markup() -> None:
    run = log()["runs"][0]
    assert run["invocations"][0]["toolExecutionNotifications"]
    assert not re.search(
        r"[\[\]{}]", json.dumps([result["message"]["text"] for result in run["results"]])[1:-1]
    )


def test_a_file_of_windows_has_a_uri_too() -> None:
    uri = log(file="a\\b#c.har")["runs"][0]["results"][0]["locations"][0]["physicalLocation"][
        "artifactLocation"
    ]["uri"]
    assert uri == "a/b%23c.har"
