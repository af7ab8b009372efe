"""A report as SARIF 2.1.0, in the part of it that code scanning reads."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from .model import Finding, Report, Severity
from .rules.model import Rule
from .rules.table import RULES

__all__ = ["as_sarif"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: dict[Severity, str] = {"high": "error", "medium": "warning", "low": "note", "info": "note"}
# By these, code scanning sorts into high, medium and low. 0.0 is no vulnerability at all.
_SCORES: dict[Severity, str] = {"high": "8.0", "medium": "5.5", "low": "2.0", "info": "0.0"}
_POSITIONS = {rule.id: position for position, rule in enumerate(RULES)}


def as_sarif(report: Report, *, file: str, version: str) -> dict[str, Any]:
    """Return the report as a SARIF log.

    Args:
        report: The report.
        file: The name of the recording, as it shall appear: relative to the repository, if it is in one.
        version: That of Coatcheck.
    """
    uri = quote(file.replace("\\", "/"), safe="/.-_~:", errors="replace")
    run = {
        "tool": {
            "driver": {
                "name": "Coatcheck audit",
                "semanticVersion": version,
                "rules": [_rule(rule) for rule in RULES],
            }
        },
        "automationDetails": {"id": "coatcheck-audit/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    {"level": "note", "message": {"text": _plain(note)}} for note in report.notes
                ],
            }
        ],
        "results": [_result(finding, uri) for finding in report.findings],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> dict[str, Any]:
    sources = ", ".join(rule.sources)
    return {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": rule.why},
        "help": {
            "text": f"{rule.why}\n\n{rule.fix}\n\n{sources}",
            "markdown": f"{rule.why}\n\n**Fix:** {rule.fix}\n\n**Source:** {sources}",
        },
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "tags": ["security", "authentication"],
            "precision": "medium",
            "problem.severity": {"error": "error", "warning": "warning"}.get(
                _LEVELS[rule.severity], "recommendation"
            ),
            "security-severity": _SCORES[rule.severity],
        },
    }


def _result(finding: Finding, uri: str) -> dict[str, Any]:
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}},
    }
    where = ""
    if finding.where is not None:
        endpoint = f"{finding.where.method} {finding.where.url}".strip()
        where = f" Entry {finding.where.entry}{f': {endpoint}' if endpoint else ''}."
        location["logicalLocations"] = [
            {"fullyQualifiedName": _plain(endpoint) or "answer", "kind": "resource"}
        ]
    return {
        "ruleId": finding.rule,
        "ruleIndex": _POSITIONS[finding.rule],
        "level": _LEVELS[finding.severity],
        "message": {"text": _plain(f"{finding.title}: {finding.subject}. {finding.evidence}.{where}")},
        "locations": [location],
        "partialFingerprints": {
            "coatcheckAudit/v1": finding.fingerprint,
            # The only one that code scanning compares. A recording has no line that could be meant instead.
            "primaryLocationLineHash": f"{finding.fingerprint}:1",
        },
        "properties": {"severity": finding.severity, "occurrences": finding.also + 1},
    }


def _plain(text: str) -> str:
    """Write out what would be markup in a message (SARIF section 3.11.6), or steer whoever shows it."""
    shown = "".join(
        character if character.isprintable() else f"\\u{ord(character):04x}" for character in text
    )
    return shown.replace("[", "(").replace("]", ")").replace("{", "(").replace("}", ")")
