"""The forms of rules: what each row of the table says, and when it holds."""

from __future__ import annotations

from typing import Any

import msgspec

from .model import Assurance, Case, Client, Credential, Hosts, Offline, SignIn, SignOut, Source, Verifier

__all__ = ["ConflictRule", "CredentialRule", "StatementRule", "ThreatRule", "When"]


class When(msgspec.Struct, frozen=True, kw_only=True):
    """What must be true of a case. Whatever is left empty does not matter.

    Attributes:
        clients: One of these clients is there.
        no_other_clients: No client is there but these.
        sign_in: Who proves who people are.
        hosts: Where things are.
        backend: Whether the single-page app has a program on its own host.
        sign_out: How soon a sign-out must bite.
        verifiers: One of these checks.
        no_other_verifiers: Nobody checks but the app and these.
        nobody_else_verifies: Nobody checks but the app.
        offline: Who must get by without a connection.
        hidden: Whether there is data that clients must not read.
        assurance: How strongly people must sign in.
    """

    clients: tuple[Client, ...] = ()
    no_other_clients: tuple[Client, ...] = ()
    sign_in: tuple[SignIn, ...] = ()
    hosts: tuple[Hosts, ...] = ()
    backend: bool | None = None
    sign_out: tuple[SignOut, ...] = ()
    verifiers: tuple[Verifier, ...] = ()
    no_other_verifiers: tuple[Verifier, ...] = ()
    nobody_else_verifies: bool = False
    offline: tuple[Offline, ...] = ()
    hidden: bool | None = None
    assurance: tuple[Assurance, ...] = ()

    def holds(self, case: Case) -> bool:
        """Tell whether it is true of the case."""
        return (
            _meet(self.clients, case.clients)
            and _cover(self.no_other_clients, case.clients)
            and _has(self.sign_in, case.sign_in)
            and _has(self.hosts, case.hosts)
            and self.backend in {None, case.backend}
            and _has(self.sign_out, case.sign_out)
            and _meet(self.verifiers, case.verifiers)
            and _cover(self.no_other_verifiers, case.verifiers)
            and not (self.nobody_else_verifies and case.verifiers)
            and _has(self.offline, case.offline)
            and self.hidden in {None, case.hidden}
            and _has(self.assurance, case.assurance)
        )


def _has(wanted: tuple[Any, ...], given: Any) -> bool:
    return not wanted or given in wanted


def _meet(wanted: tuple[Any, ...], given: tuple[Any, ...]) -> bool:
    return not wanted or not set(wanted).isdisjoint(given)


def _cover(allowed: tuple[Any, ...], given: tuple[Any, ...]) -> bool:
    return not allowed or set(allowed).issuperset(given)


class CredentialRule(msgspec.Struct, frozen=True, kw_only=True):
    """For each client, the first of these that holds counts, as if no other client were there.

    Attributes:
        id: Its stable name.
        when: For which clients, and in which cases.
        credential: What the client carries.
        reason: Why.
        sources: What says so.
    """

    id: str
    when: When
    credential: Credential
    reason: str
    sources: tuple[Source, ...]


class ThreatRule(msgspec.Struct, frozen=True, kw_only=True):
    """All of these that hold are told.

    Attributes:
        id: Its stable name.
        credentials: To which credentials it happens.
        when: In which cases.
        threat: What can still happen.
        do: What to do about it.
        sources: What says so.
    """

    id: str
    credentials: tuple[Credential, ...]
    when: When = When()
    threat: str
    do: str
    sources: tuple[Source, ...]


class StatementRule(msgspec.Struct, frozen=True, kw_only=True):
    """All of these that hold are told.

    Attributes:
        id: Its stable name.
        when: In which cases.
        title: What it says in a few words.
        text: What it says.
        sources: What says so.
    """

    id: str
    when: When
    title: str
    text: str
    sources: tuple[Source, ...]


class ConflictRule(msgspec.Struct, frozen=True, kw_only=True):
    """Answers that cannot all be had. Applied in order, each to what those before have left.

    Attributes:
        id: Its stable name.
        when: In which cases.
        conflict: What does not go together.
        gives: What must give, and why.
        becomes: The answer that gives, a field of ``Case``, and what the advice goes by instead.
        sources: What says so.
    """

    id: str
    when: When
    conflict: str
    gives: str
    becomes: tuple[str, str | bool]
    sources: tuple[Source, ...]
