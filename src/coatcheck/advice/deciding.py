"""From a case to advice: the table of rules, applied."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from .configuration import configure
from .errors import CaseError
from .model import Advice, Case, Client, ClientAdvice, Conflict, Statement, ThreatAdvice
from .rules import (
    CHECKS,
    CHOICES,
    CONFLICTS,
    INSTEAD,
    THREATS,
    UNNEEDED,
)
from .ruling import StatementRule

__all__ = ["advise", "settle"]


def advise(case: Case) -> Advice:
    """Say which credential each client of a case should carry, and why.

    Args:
        case: The answers.

    Raises:
        CaseError: If it names no client.
    """
    if not case.clients:
        raise CaseError(("clients: name at least one.",))
    settled, conflicts = settle(case)
    clients = tuple(_for_client(client, settled) for client in settled.clients)
    return Advice(
        asked=case,
        case=settled,
        conflicts=conflicts,
        instead=_statements(INSTEAD, settled),
        clients=clients,
        checks=_statements(CHECKS, settled),
        threats=_threats(clients, settled),
        unneeded=_statements(UNNEEDED, settled),
        configuration=configure(settled, clients),
    )


def settle(case: Case) -> tuple[Case, tuple[Conflict, ...]]:
    """Return the case with what cannot be had given up, and what that was; each conflict is told once."""
    conflicts: list[Conflict] = []
    for rule in CONFLICTS:
        if not rule.when.holds(case):
            continue
        answer, taken = rule.becomes
        given = getattr(case, answer)
        changes: dict[str, Any] = {answer: taken}
        case = replace(case, **changes)
        conflicts.append(
            Conflict(
                rule=rule.id,
                conflict=rule.conflict,
                gives=rule.gives,
                answer=answer,
                given=_written(given),
                taken=_written(taken),
                sources=rule.sources,
            )
        )
    return case, tuple(conflicts)


def _written(value: str | bool) -> str:  # noqa: FBT001 - an answer
    return value if isinstance(value, str) else str(value).lower()


def _for_client(client: Client, case: Case) -> ClientAdvice:
    alone = replace(case, clients=(client,))
    rule = next(rule for rule in CHOICES if rule.when.holds(alone))
    return ClientAdvice(
        client=client, credential=rule.credential, reason=rule.reason, rule=rule.id, sources=rule.sources
    )


def _statements(rules: tuple[StatementRule, ...], case: Case) -> tuple[Statement, ...]:
    return tuple(
        Statement(rule=rule.id, title=rule.title, text=rule.text, sources=rule.sources)
        for rule in rules
        if rule.when.holds(case)
    )


def _threats(clients: tuple[ClientAdvice, ...], case: Case) -> tuple[ThreatAdvice, ...]:
    found: list[ThreatAdvice] = []
    for rule in THREATS:
        concerned = tuple(each.client for each in clients if each.credential in rule.credentials)
        if concerned and rule.when.holds(case):
            found.append(
                ThreatAdvice(
                    rule=rule.id, threat=rule.threat, do=rule.do, clients=concerned, sources=rule.sources
                )
            )
    return tuple(found)
