"""The values of an audit: what is asked, and what is reported."""

from __future__ import annotations

from collections import Counter
from typing import Literal

import msgspec

__all__ = ["SEVERITIES", "Finding", "Options", "Report", "Severity", "Where", "at_least"]

Severity = Literal["info", "low", "medium", "high"]
SEVERITIES: tuple[Severity, ...] = ("info", "low", "medium", "high")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the person knows and the file does not say.

    Attributes:
        session_cookies: Names of cookies that carry a session or a token, besides those that are recognised.
        sign_out: A part of the address that signs out; empty to recognise it.
        hosts: The hosts that matter, with those below them, in small letters; empty for all.
    """

    session_cookies: frozenset[str] = frozenset()
    sign_out: str = ""
    hosts: frozenset[str] = frozenset()


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """One exchange of the file.

    Attributes:
        entry: Its number, from 1, in the order of the file.
        method: The method of the request; empty if only an answer was saved.
        url: The address without values of its query, fragment or userinfo; empty if it is unknown.
    """

    entry: int
    method: str
    url: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that should not be so.

    Attributes:
        rule: The stable name of the rule.
        severity: How bad it is.
        title: What is wrong, in the words of the rule.
        subject: What it is about: a cookie, a token in a place, an endpoint, a host.
        evidence: What was seen. No secret is in it.
        where: Where it was seen first; ``None`` for a bare token.
        also: In how many further exchanges it was seen.
        fix: What to do.
        sources: What says so: RFC and section, or a row of the OWASP ASVS 5.0.
        fingerprint: The same for the same rule and subject in any recording; hexadecimal.
    """

    rule: str
    severity: Severity
    title: str
    subject: str
    evidence: str
    where: Where | None
    also: int
    fix: str
    sources: tuple[str, ...]
    fingerprint: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that an audit says.

    Attributes:
        kind: What the file is: ``HAR``, ``headers`` or ``token``.
        creator: What made it, as far as it says.
        exchanges: How many requests, answers or both were read.
        hosts: The hosts in it, in order of appearance.
        session_cookies: Cookies that were taken for sessions or tokens.
        other_cookies: Cookies that were not, and are judged for their size alone.
        notes: What could not be judged, and why.
        findings: The worst first.
    """

    kind: Literal["HAR", "headers", "token"]
    creator: str
    exchanges: int
    hosts: tuple[str, ...]
    session_cookies: tuple[str, ...]
    other_cookies: tuple[str, ...]
    notes: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> dict[Severity, int]:
        """How many findings there are of each severity, the worst first."""
        found = Counter(finding.severity for finding in self.findings)
        return {severity: found[severity] for severity in reversed(SEVERITIES)}


def at_least(report: Report, severity: Severity) -> bool:
    """Tell whether a report has a finding that is as bad as this, or worse."""
    limit = SEVERITIES.index(severity)
    return any(SEVERITIES.index(finding.severity) >= limit for finding in report.findings)
