"""Security events: what is told to others who do not follow the ledger, in the words of the standards.

A security event token (SET, RFC 8417) is a JWT that says that something has happened, not that somebody may do
something. So that it can never be taken for a token that gives access, it has its own type, no ``sub`` and no ``exp``
(Shared Signals Framework 1.0, sections 4.1.1, 4.1.2 and 4.1.7), and whom it is about stands in ``sub_id`` (RFC 9493).

The events themselves are those of the Continuous Access Evaluation Profile (CAEP 1.0): ``session-revoked`` and
``credential-change``; and the two by which a stream speaks of itself.

=============  ===================================================================================================
ledger entry   event
=============  ===================================================================================================
session        ``session-revoked``: the user and the session. With a cut-off, none: the session goes on.
user           ``session-revoked``: the user, and with them all of their sessions
client         ``session-revoked``: the application, and with it all sessions in it
everything     ``session-revoked``: the tenant, which is the issuer, and with it all sessions there are
token, key     none: CAEP has no event for a single token, and keys are withdrawn from the key set
=============  ===================================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from .._core import json
from .model import Kind

__all__ = [
    "CREDENTIAL_CHANGE",
    "SESSION_REVOKED",
    "STREAM_UPDATED",
    "SUPPORTED",
    "TYPE",
    "VERIFICATION",
    "Initiator",
    "SecurityEvent",
    "Subject",
    "canonical",
    "covering",
    "credential_change",
    "initiator_of",
    "is_known_subject",
    "revocation_events",
    "stream_updated",
    "user_subject",
    "verification",
]

TYPE: Final = "secevent+jwt"
"""The ``typ`` of a SET (RFC 8417 section 2.3)."""

_CAEP: Final = "https://schemas.openid.net/secevent/caep/event-type/"
_SSF: Final = "https://schemas.openid.net/secevent/ssf/event-type/"

SESSION_REVOKED: Final = _CAEP + "session-revoked"
CREDENTIAL_CHANGE: Final = _CAEP + "credential-change"
VERIFICATION: Final = _SSF + "verification"
STREAM_UPDATED: Final = _SSF + "stream-updated"

SUPPORTED: Final = (SESSION_REVOKED, CREDENTIAL_CHANGE)
"""What a stream can be asked for. The events about the stream itself come without being asked for."""

Subject = Mapping[str, Any]
"""A subject identifier (RFC 9493), or several of them as a complex subject (SSF section 3.3)."""

Initiator = Literal["admin", "user", "policy", "system"]

_BY_POLICY: Final = frozenset(
    {"bound-elsewhere", "policy-changed", "refresh-token-reused", "session-limit"}  # no person wanted that
)
_BY_ADMINISTRATOR: Final = frozenset({"ended-by-administrator"})
_SESSIONS_GO_ON: Final = frozenset({"permissions-changed", "renewed"})
_MEMBERS: Final = {
    "user": frozenset({"iss_sub"}),
    "session": frozenset({"opaque"}),
    "application": frozenset({"opaque"}),
    "tenant": frozenset({"uri"}),
}
_FIELDS: Final = {"iss_sub": ("iss", "sub"), "opaque": ("id",), "uri": ("uri",)}
_LONGEST_FIELD: Final = 512


class SecurityEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event, before it is somebody's.

    Attributes:
        type: Its URI.
        subject: Whom it is about.
        details: What it says.
        at: When it was made, in seconds since 1970.
        txn: What all events have in common that come of the same cause; ``None`` for those about the stream itself.
    """

    type: str
    subject: Subject
    details: dict[str, Any]
    at: float
    txn: str | None = None

    def claims(self, *, jti: str) -> dict[str, Any]:
        """Return the claims of its SET (RFC 8417 section 2.2), but for ``iss`` and ``aud``, which whoever signs adds.

        They are the same whenever it is sent: a SET that is sent again is the same SET.

        Args:
            jti: Its identifier, one for each recipient and event.
        """
        claims: dict[str, Any] = {
            "jti": jti,
            "iat": int(self.at),
            "sub_id": self.subject,
            "events": {self.type: self.details},
        }
        if self.txn is not None:
            claims["txn"] = self.txn
        return claims


def user_subject(issuer: str, user_id: str) -> Subject:
    """Return a user as a subject (RFC 9493 section 3.2.3): the ``iss`` and ``sub`` of their tokens."""
    return {"format": "iss_sub", "iss": issuer, "sub": user_id}


def revocation_events(
    named: Iterable[tuple[Kind, str]],
    *,
    issuer: str,
    owners: Mapping[str, str],
    reason: str,
    actor: str,
    cutoff: float | None,
    at: float,
    txn: str,
) -> list[SecurityEvent]:
    """Return the ``session-revoked`` events of ledger entries (CAEP section 3.1), at most one for each.

    Args:
        named: What ended: kinds and values.
        issuer: Who says so.
        owners: Whose the sessions among them were, as far as it is known.
        reason: Why.
        actor: Who did it.
        cutoff: The entries' cut-off.
        at: When.
        txn: What these events have in common.
    """
    if reason in _SESSIONS_GO_ON:
        return []
    subjects = (_subject(kind, value, issuer=issuer, owners=owners, cutoff=cutoff) for kind, value in named)
    details = _details(reason, actor, at)
    return [
        SecurityEvent(type=SESSION_REVOKED, subject=subject, details=details, at=at, txn=txn)
        for subject in subjects
        if subject is not None
    ]


def _subject(
    kind: Kind, value: str, *, issuer: str, owners: Mapping[str, str], cutoff: float | None
) -> Subject | None:
    match kind:
        case "session" if cutoff is None:
            subject: dict[str, Any] = {"format": "complex"}
            if value in owners:
                subject["user"] = user_subject(issuer, owners[value])
            return subject | {"session": {"format": "opaque", "id": value}}
        case "user":
            return user_subject(issuer, value)
        case "client":
            return {"format": "complex", "application": {"format": "opaque", "id": value}}
        case "everything":
            return {"format": "complex", "tenant": {"format": "uri", "uri": issuer}}
        case _:
            return None


def credential_change(
    user_id: str, *, issuer: str, reason: str, actor: str, at: float, txn: str
) -> SecurityEvent:
    """Return the event of another password (CAEP section 3.3)."""
    details = {"credential_type": "password", "change_type": "update", **_details(reason, actor, at)}
    subject = user_subject(issuer, user_id)
    return SecurityEvent(type=CREDENTIAL_CHANGE, subject=subject, details=details, at=at, txn=txn)


def verification(stream_id: str, *, state: str | None, at: float) -> SecurityEvent:
    """Return the event that shows that a stream works (SSF section 8.1.4.1)."""
    details = {} if state is None else {"state": state}
    return SecurityEvent(type=VERIFICATION, subject=_stream_subject(stream_id), details=details, at=at)


def stream_updated(stream_id: str, *, status: str, reason: str, at: float) -> SecurityEvent:
    """Return the event by which a stream tells that its status is another (SSF section 8.1.5)."""
    details = {"status": status, "reason": reason}
    return SecurityEvent(type=STREAM_UPDATED, subject=_stream_subject(stream_id), details=details, at=at)


def _stream_subject(stream_id: str) -> Subject:
    return {"format": "opaque", "id": stream_id}


def _details(reason: str, actor: str, at: float) -> dict[str, Any]:
    """Return the claims that CAEP events share (CAEP section 2)."""
    return {
        "event_timestamp": int(at),
        "initiating_entity": initiator_of(actor, reason),
        "reason_admin": {"en": reason.replace("-", " ").capitalize()},
    }


def initiator_of(actor: str, reason: str) -> Initiator:
    """Return what kind of entity caused something: a person of either kind, a rule, or the system itself."""
    if actor == "administrator" or reason in _BY_ADMINISTRATOR:
        return "admin"
    if reason in _BY_POLICY:
        return "policy"
    return "user" if actor.startswith("user:") else "system"


# --- subjects that a receiver does not want to hear of ---------------------------------------------------


def canonical(subject: Subject) -> str:
    """Return a subject as text: two are identical if and only if their texts are."""
    return json.encode(_sorted(subject)).decode("utf-8")


def _sorted(value: Any) -> Any:
    return {name: _sorted(value[name]) for name in sorted(value)} if isinstance(value, Mapping) else value


def is_known_subject(subject: Subject, *, issuer: str) -> bool:
    """Tell whether an event of this issuer can be about a subject: whether its formats are those that are used here."""
    if subject.get("format") != "complex":
        return any(_is_member(name, subject, issuer) for name in ("user", "session"))
    members = {name: value for name, value in subject.items() if name != "format"}
    return bool(members) and all(_is_member(name, value, issuer) for name, value in members.items())


def _is_member(name: str, subject: object, issuer: str) -> bool:
    if not isinstance(subject, Mapping):
        return False
    form = subject.get("format")
    if not isinstance(form, str) or form not in _MEMBERS.get(name, ()):
        return False
    fields = _FIELDS[form]
    texts = [subject.get(field) for field in fields]
    return (
        set(subject) == {"format", *fields}
        and all(isinstance(text, str) and 0 < len(text) <= _LONGEST_FIELD for text in texts)
        and subject.get("iss", issuer) == issuer
    )


def covering(subject: Subject) -> list[str]:
    """Return, as texts, the subjects that cover one: whoever wants to hear of none of them does not want this.

    A simple subject covers itself, and every complex subject of which it is a member. A complex one covers those that
    have all of its members. It never works the other way round: whoever does not want to hear of one session still
    hears that all sessions of its user ended.
    """
    if subject.get("format") != "complex":
        return [canonical(subject), *(canonical({"format": "complex", "user": subject}),)]
    members = [(name, value) for name, value in subject.items() if name != "format"]
    found = [canonical(value) for name, value in members if name in {"user", "session"}]
    for chosen in range(1, 2 ** len(members)):
        part = {name: value for place, (name, value) in enumerate(members) if chosen >> place & 1}
        found.append(canonical({"format": "complex", **part}))
    return found
