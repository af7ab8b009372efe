"""From a recording to a report."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec

from .evidence import Evidence, gather
from .masking import Redactor, name_of
from .model import SEVERITIES, Finding, Options, Report, Severity, Where
from .reading import MOST_OCTETS, read_recording
from .recording import Exchange, Recording
from .rules.model import Hit, Rule
from .rules.table import RULES
from .tokens import read_token

__all__ = ["audit", "audit_recording"]

_MOST_PER_RULE = 200
_MOST_HOSTS = 100
_MOST_NAMES = 40


class _Group(msgspec.Struct):
    """The hits of a rule on one subject."""

    severity: Severity
    hit: Hit
    entries: set[int]


def audit(octets: bytes, options: Options | None = None, *, most: int = MOST_OCTETS) -> Report:
    """Look through a file.

    Args:
        octets: A HAR, packed by gzip or not; headers as curl saves them; or a token.
        options: What the person knows and the file does not say.
        most: How large the file may be, in octets, packed or unpacked.

    Raises:
        UnreadableRecordingError: If it is none of these.
        RecordingTooLargeError: If it is larger than ``most``.
    """
    return audit_recording(read_recording(octets, most=most), options)


def audit_recording(recording: Recording, options: Options | None = None) -> Report:
    """Look through what was read from a file."""
    evidence = gather(recording, options or Options())
    hide = Redactor(evidence.secrets)
    groups = [(rule, _grouped(rule, evidence)) for rule in RULES]
    elsewhere = sum(_leave_out(found, evidence.options) for _, found in groups)
    findings = [
        _finding(rule, group, hide)
        for rule, found in groups
        for group in list(found.values())[:_MOST_PER_RULE]
    ]
    findings.sort(key=lambda finding: -SEVERITIES.index(finding.severity))  # stable: by rule within
    cut = [
        f"{rule.id}: {len(found) - _MOST_PER_RULE} more findings are not shown."
        for rule, found in groups
        if len(found) > _MOST_PER_RULE
    ]
    if elsewhere:
        cut.append(f"Findings at hosts that --host does not name, left out: {elsewhere:,}.")
    session, other = _cookie_names(evidence)
    hosts = dict.fromkeys(each.address.authority for each in recording.exchanges if each.address.host)
    return Report(
        kind=recording.kind,
        creator=recording.creator,
        exchanges=len(recording.exchanges),
        hosts=tuple(hosts)[:_MOST_HOSTS],
        session_cookies=tuple(hide(name) for name in session),
        other_cookies=tuple(hide(name) for name in other),
        notes=(*recording.notes, *_notes(evidence), *cut),
        findings=tuple(findings),
    )


def _grouped(rule: Rule, evidence: Evidence) -> dict[str, _Group]:
    """Put hits on one subject together: the worst speaks for all."""
    groups: dict[str, _Group] = {}
    for hit in rule.check(evidence):
        severity = hit.severity or rule.severity
        entries = set() if hit.exchange is None else {hit.exchange.entry}
        group = groups.setdefault(hit.subject, _Group(severity, hit, entries))
        group.entries |= entries
        if SEVERITIES.index(severity) > SEVERITIES.index(group.severity):
            group.severity, group.hit = severity, hit
    return groups


def _leave_out(found: dict[str, _Group], options: Options) -> int:
    """Take out what was found at other hosts than were named; return how much that was."""
    others = [subject for subject, group in found.items() if not _is_named(group.hit.exchange, options.hosts)]
    for subject in others:
        del found[subject]
    return len(others)


def _is_named(exchange: Exchange | None, hosts: frozenset[str]) -> bool:
    if exchange is None or not hosts or not exchange.address.host:
        return True
    return any(exchange.address.host == host or exchange.address.host.endswith(f".{host}") for host in hosts)


def _finding(rule: Rule, group: _Group, hide: Redactor) -> Finding:
    hit = group.hit
    return Finding(
        rule=rule.id,
        severity=group.severity,
        title=rule.title,
        subject=hide(hit.subject),
        evidence=hide(hit.evidence),
        where=None if hit.exchange is None else _where(hit.exchange, hide),
        also=max(0, len(group.entries) - 1),
        fix=rule.fix,
        sources=rule.sources,
        fingerprint=hashlib.sha256(f"{rule.id}\n{hide(hit.subject)}".encode("utf-8", "replace")).hexdigest()[
            :32
        ],
    )


def _where(exchange: Exchange, hide: Redactor) -> Where:
    return Where(entry=exchange.entry, method=exchange.method, url=hide(exchange.address.shown))


def _cookie_names(evidence: Evidence) -> tuple[list[str], list[str]]:
    """Return the names that were taken for sessions or tokens, and the others."""
    session = [name_of(name) for name in evidence.session_names]
    names = [each.cookie.name for each in evidence.cookies if not each.removed]
    names += [name for exchange in evidence.exchanges for name, _ in exchange.cookies_sent]
    other = dict.fromkeys(name_of(name) for name in names if name and name not in evidence.session_names)
    return session[:_MOST_NAMES], list(other)[:_MOST_NAMES]


def _notes(evidence: Evidence) -> Iterator[str]:
    recording, options = evidence.recording, evidence.options
    if recording.token and read_token(recording.token) is None:
        yield "Nothing in this token can be read: it is opaque, or damaged. There is nothing to judge."
    known = {each.cookie.name for each in evidence.cookies}
    unseen = [name_of(name) for name in evidence.session_names if name not in known]
    if unseen:
        yield (
            f"Sent, but not set in the recording, so that their attributes are unknown: {', '.join(unseen[:8])}."
            " Begin the recording before the sign-in."
        )
    missing = sorted(options.session_cookies - {*evidence.session_names, *known})
    if missing:
        yield f"No cookie has the name given by --session-cookie: {', '.join(missing[:8])}."
    if options.sign_out and not evidence.sign_outs:
        yield "No request has the address given by --sign-out."
    elif recording.kind == "HAR" and not evidence.sign_outs and not evidence.clearings:
        yield "No sign-out was recognised, so whether it ends anything was not judged: name it with --sign-out."
