"""Security events: what is said of each end of access, in the words of RFC 8417, RFC 9493, SSF and CAEP."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.flows.ending import ADMINISTRATOR, SERVER, Reason, by_user
from coatcheck.revocation.model import EVERYTHING, KINDS, Kind
from coatcheck.revocation.security_events import (
    CREDENTIAL_CHANGE,
    SESSION_REVOKED,
    STREAM_UPDATED,
    TYPE,
    VERIFICATION,
    SecurityEvent,
    canonical,
    covering,
    credential_change,
    initiator_of,
    is_known_subject,
    revocation_events,
    stream_updated,
    user_subject,
    verification,
)

ISSUER = "https://id.example"
ADA = {"format": "iss_sub", "iss": ISSUER, "sub": "ada"}
SESSION = {"format": "opaque", "id": "s1"}
COMPLEX = {"format": "complex", "user": ADA, "session": SESSION}
AT = 1_800_000_000.75


def revoked(
    *named: tuple[Kind, str],
    reason: Reason = Reason.SIGNED_OUT,
    actor: str = SERVER,
    cutoff: float | None = None,
) -> list[SecurityEvent]:
    return revocation_events(
        named,
        issuer=ISSUER,
        owners={"s1": "ada"},
        reason=reason.value,
        actor=actor,
        cutoff=cutoff,
        at=AT,
        txn="cause",
    )


EVENTS = {
    "session-revoked": revoked(("session", "s1"))[0],
    "credential-change": credential_change(
        "ada", issuer=ISSUER, reason="password-changed", actor="user:ada", at=AT, txn="cause"
    ),
    "verification": verification("stream", state="echo", at=AT),
    "stream-updated": stream_updated("stream", status="disabled", reason="why", at=AT),
}


@pytest.mark.parametrize("name", EVENTS)
def test_rfc_8417_section_2_2_and_ssf_section_4_1_a_set_has_what_it_must_have_and_nothing_that_it_must_not(
    name: str,
) -> None:
    claims = EVENTS[name].claims(jti="1")
    assert claims["jti"] == "1"
    assert claims["iat"] == 1_800_000_000
    assert claims["sub_id"]["format"] in {"complex", "iss_sub", "opaque"}
    assert not {"sub", "exp", "nbf", "toe"} & claims.keys()
    ((uri, event),) = claims["events"].items()  # exactly one: CAEP interoperability profile, section 2.8.1
    assert uri.endswith(f"/event-type/{name}")
    assert isinstance(event, dict)
    assert "subject" not in event


def test_rfc_8417_section_2_3_a_set_has_a_type_of_its_own() -> None:
    assert TYPE == "secevent+jwt"


def test_what_a_set_says_is_the_same_however_often_it_is_said() -> None:
    event = EVENTS["session-revoked"]
    assert event.claims(jti="1") == event.claims(jti="1")


def test_caep_section_3_1_a_session_is_named_with_its_user() -> None:
    (event,) = revoked(("session", "s1"), reason=Reason.ENDED_BY_USER, actor=by_user("ada"))
    assert event.type == SESSION_REVOKED
    assert event.subject == COMPLEX
    assert event.details == {
        "event_timestamp": 1_800_000_000,
        "initiating_entity": "user",
        "reason_admin": {"en": "Ended by user"},
    }


def test_a_session_whose_user_is_not_known_is_named_alone() -> None:
    (event,) = revoked(("session", "s2"))
    assert event.subject == {"format": "complex", "session": {"format": "opaque", "id": "s2"}}


@pytest.mark.parametrize(
    "kind, value, subject",
    [
        ("user", "ada", ADA),
        ("client", "app", {"format": "complex", "application": {"format": "opaque", "id": "app"}}),
        ("everything", EVERYTHING, {"format": "complex", "tenant": {"format": "uri", "uri": ISSUER}}),
        ("token", "jti", None),
        ("key", "kid", None),
    ],
    ids=["user", "client", "everything", "token", "key"],
)
@pytest.mark.parametrize("cutoff", [None, AT], ids=["all", "earlier"])
def test_whatever_else_ended_is_named_by_what_all_its_sessions_have_in_common(
    kind: Kind, value: str, subject: object, cutoff: float | None
) -> None:
    found = [event.subject for event in revoked((kind, value), cutoff=cutoff)]
    assert found == ([] if subject is None else [subject])


def test_a_session_that_goes_on_is_not_said_to_be_revoked() -> None:
    assert revoked(("session", "s1"), cutoff=AT, reason=Reason.EMAIL_CHANGED) == []
    assert revoked(("session", "s1"), cutoff=AT, reason=Reason.RENEWED) == []
    assert revoked(("session", "s1"), reason=Reason.RENEWED) == []
    assert revoked(("user", "ada"), cutoff=AT, reason=Reason.PERMISSIONS_CHANGED) == []


def test_ssf_section_4_1_9_all_that_comes_of_one_cause_has_one_txn() -> None:
    events = revoked(("session", "s1"), ("session", "s2"), ("user", "ada"))
    assert [event.claims(jti="1")["txn"] for event in events] == ["cause"] * 3


def test_caep_section_3_3_another_password_is_a_changed_credential() -> None:
    event = EVENTS["credential-change"]
    assert event.type == CREDENTIAL_CHANGE
    assert event.subject == user_subject(ISSUER, "ada") == ADA
    assert event.details == {
        "credential_type": "password",
        "change_type": "update",
        "event_timestamp": 1_800_000_000,
        "initiating_entity": "user",
        "reason_admin": {"en": "Password changed"},
    }


@pytest.mark.parametrize("state", ["echo", "", None], ids=["some", "empty", "none"])
def test_ssf_section_8_1_4_1_a_verification_is_about_its_stream_and_repeats_the_state(
    state: str | None,
) -> None:
    event = verification("stream", state=state, at=AT)
    assert event.type == VERIFICATION
    assert event.subject == {"format": "opaque", "id": "stream"}
    assert event.details == ({} if state is None else {"state": state})


def test_ssf_section_8_1_5_an_updated_stream_says_its_status_and_why() -> None:
    event = EVENTS["stream-updated"]
    assert event.type == STREAM_UPDATED
    assert event.subject == {"format": "opaque", "id": "stream"}
    assert event.details == {"status": "disabled", "reason": "why"}


@pytest.mark.parametrize("reason", Reason)
def test_caep_section_2_every_reason_has_an_initiator_and_words_for_administrators(reason: Reason) -> None:
    expected = {
        Reason.BOUND_ELSEWHERE: "policy",
        Reason.POLICY_CHANGED: "policy",
        Reason.REFRESH_REUSED: "policy",
        Reason.SESSION_LIMIT: "policy",
    }
    by_admin = reason is Reason.ENDED_BY_ADMINISTRATOR
    assert initiator_of(SERVER, reason) == ("admin" if by_admin else expected.get(reason, "system"))
    assert initiator_of(ADMINISTRATOR, reason) == "admin"
    if reason not in expected:
        assert initiator_of(by_user("ada"), reason) == ("admin" if by_admin else "user")
        assert initiator_of("service:billing", reason) == ("admin" if by_admin else "system")
    for event in revoked(("user", "ada"), reason=reason):
        assert event.details["reason_admin"]["en"]


def test_every_kind_of_entry_is_decided_upon() -> None:
    told = {kind for kind in KINDS if revoked((kind, EVERYTHING if kind == "everything" else "s1"))}
    assert told == {"session", "user", "client", "everything"}


# --- subjects that are not wanted ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unwanted, leaves_out",
    [
        (ADA, {"ada", "ada s1", "ada s2"}),
        ({"format": "complex", "user": ADA}, {"ada", "ada s1", "ada s2"}),
        (SESSION, {"ada s1", "s1"}),
        ({"format": "complex", "session": SESSION}, {"ada s1", "s1"}),
        (COMPLEX, {"ada s1"}),
        ({"format": "opaque", "id": "ada"}, set()),
        ({"format": "iss_sub", "iss": "https://other.example", "sub": "ada"}, set()),
    ],
    ids=["user", "complex user", "session", "complex session", "both", "another format", "another issuer"],
)
def test_ssf_section_8_1_3_1_a_subject_leaves_out_what_it_covers_and_never_what_covers_it(
    unwanted: dict[str, Any], leaves_out: set[str]
) -> None:
    subjects: dict[str, dict[str, Any]] = {
        "ada": ADA,
        "ada s1": COMPLEX,
        "ada s2": {"format": "complex", "user": ADA, "session": {"format": "opaque", "id": "s2"}},
        "s1": {"format": "complex", "session": SESSION},
        "eve s3": {
            "format": "complex",
            "user": {**ADA, "sub": "eve"},
            "session": {"format": "opaque", "id": "s3"},
        },
    }
    found = {name for name, subject in subjects.items() if canonical(unwanted) in covering(subject)}
    assert found == leaves_out


def test_two_subjects_are_identical_whatever_the_order_of_their_members() -> None:
    turned = {name: COMPLEX[name] for name in reversed(COMPLEX)}
    assert canonical(turned) == canonical(COMPLEX)
    assert canonical(ADA) != canonical({**ADA, "sub": "Ada"})


@pytest.mark.parametrize(
    "subject",
    [
        ADA,
        SESSION,
        COMPLEX,
        {"format": "complex", "user": ADA},
        {"format": "complex", "application": {"format": "opaque", "id": "app"}},
        {"format": "complex", "tenant": {"format": "uri", "uri": ISSUER}},
    ],
    ids=["user", "session", "both", "complex user", "application", "tenant"],
)
def test_subjects_of_the_formats_that_are_used_are_known(subject: dict[str, Any]) -> None:
    assert is_known_subject(subject, issuer=ISSUER)


@pytest.mark.parametrize(
    "subject",
    [
        {},
        {"format": "email", "email": "ada@example.com"},
        {"format": "iss_sub", "iss": "https://other.example", "sub": "ada"},
        {"format": "iss_sub", "iss": ISSUER},
        {**ADA, "more": 1},
        {**ADA, "sub": 1},
        {**ADA, "sub": ""},
        {**ADA, "sub": "x" * 513},
        {"format": ["opaque"], "id": "s1"},
        {"format": "complex"},
        {"format": "complex", "user": SESSION},
        {"format": "complex", "user": ADA, "device": SESSION},
        {"format": "complex", "user": "ada"},
        {"format": "complex", "user": COMPLEX},
    ],
    ids=range(14),
)
def test_subjects_that_no_event_can_be_about_are_not(subject: dict[str, Any]) -> None:
    assert not is_known_subject(subject, issuer=ISSUER)


values = st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner))


@given(st.dictionaries(st.sampled_from(["format", "user", "session", "id", "iss", "sub"]), values))
def test_whatever_a_subject_is_it_is_known_or_not_and_nothing_is_raised(subject: dict[str, Any]) -> None:
    assert is_known_subject(subject, issuer=ISSUER) in {True, False}
