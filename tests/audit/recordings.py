"""Recordings made of a few words, as a browser would have written them."""

import json
from typing import Any

from coatcheck.audit.auditing import audit
from coatcheck.audit.model import Finding, Options, Report

SESSION = "kT9vQ2xW7bN4mC8pL3sD6fG1hJ5zR0yU"
OTHER = "aB1cD2eF3gH4iJ5kL6mN7oP8qR9sT0uV"
GOOD_COOKIE = f"__Host-session={SESSION}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600"
HSTS = {"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}


def fields(named: dict[str, str | list[str]]) -> list[dict[str, str]]:
    pairs = [(name, value if isinstance(value, list) else [value]) for name, value in named.items()]
    return [{"name": name, "value": value} for name, values in pairs for value in values]


def entry(
    url: str = "https://app.example/",
    *,
    method: str = "GET",
    sent: dict[str, Any] | None = None,
    got: dict[str, Any] | None = None,
    status: int = 200,
    form: str | None = None,
    body: str = "",
    kind: str = "text/html",
    second: int | None = None,
) -> dict[str, Any]:
    request: dict[str, Any] = {"method": method, "url": url, "headers": fields(sent or {})}
    if form is not None:
        kind_of_form = "application/json" if form.startswith("{") else "application/x-www-form-urlencoded"
        request["postData"] = {"mimeType": kind_of_form, "text": form}
    made: dict[str, Any] = {
        "request": request,
        "response": {
            "status": status,
            "headers": fields({**HSTS, **(got or {})}),
            "content": {"mimeType": kind, "text": body},
        },
    }
    if second is not None:
        made |= {"startedDateTime": f"2026-01-01T00:00:{second:02}.000Z", "time": 10}
    return made


def har(*entries: Any, creator: str = "WebInspector") -> bytes:
    log = {"version": "1.2", "creator": {"name": creator, "version": "1"}, "entries": list(entries)}
    return json.dumps({"log": log}).encode()


def report_of(*entries: Any, **options: Any) -> Report:
    return audit(har(*entries), Options(**options))


def findings_of(*entries: Any, **options: Any) -> dict[str, str]:
    """Return the rules that are broken, and how badly, in an otherwise quiet recording."""
    return {finding.rule: finding.severity for finding in reversed(report_of(*entries, **options).findings)}


def only(report: Report, rule: str) -> Finding:
    (found,) = [finding for finding in report.findings if finding.rule == rule]
    return found
