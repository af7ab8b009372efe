"""The ledger's entries and events as they are sent."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.revocation.errors import MalformedEntryError
from coatcheck.revocation.model import KINDS, START, Draft, Kind, Position
from coatcheck.revocation.wire import FeedEvent, WireEntry, from_wire, to_wire

AT = 1_800_000_000.25

instants = st.floats(min_value=0, max_value=1e11)
texts = st.text(min_size=1, max_size=256)


def draft(kind: Kind, value: str, cutoff: float | None, until: float) -> Draft:
    return Draft(
        kind=kind,
        value=value,
        cutoff=cutoff,
        until=until,
        reason="signed-out",
        actor="user:ann",
        at=AT,
        mark="m",
    )


drafts = st.builds(
    lambda kind, value, cutoff, until: draft(kind, "" if kind == "everything" else value, cutoff, until),
    st.sampled_from(KINDS),
    texts,
    st.none() | instants,
    instants,
)


@given(st.lists(drafts, max_size=5))
def test_what_arrives_is_what_was_sent_without_reason_actor_and_mark(sent: list[Draft]) -> None:
    event = FeedEvent(event="entries", seq=1, mark="m", now=AT, after="0.", entries=to_wire(sent))
    text = msgspec.json.encode(event)
    assert b"signed-out" not in text
    assert b"user:ann" not in text
    received = from_wire(msgspec.json.decode(text, type=FeedEvent).entries, at=AT)
    assert received == [msgspec.structs.replace(each, reason="", actor="", mark="") for each in sent]


@pytest.mark.parametrize(
    "entry",
    [
        ("session", "", None, AT),
        ("everything", "something", None, AT),
        ("session", "x" * 257, None, AT),
    ],
    ids=["nothing", "more than everything", "too long"],
)
def test_an_entry_about_nothing_is_refused(entry: WireEntry) -> None:
    with pytest.raises(MalformedEntryError):
        from_wire([entry], at=AT)


@pytest.mark.parametrize("place", [2, 3], ids=["cutoff", "until"])
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf], ids=["nan", "inf", "-inf"])
def test_a_time_that_is_none_is_refused(place: int, number: float) -> None:
    entry = ["session", "value", 1.0, 2.0]
    entry[place] = number
    with pytest.raises(MalformedEntryError):
        from_wire([tuple(entry)], at=AT)  # type: ignore[list-item]


@pytest.mark.parametrize(
    "strange",
    [
        ("planet", "earth", None, AT),
        ("planet", "", 1.0, AT),
        ("", "x", None, AT),
        ("Session", "x" * 999, None, AT),
    ],
    ids=["kind", "about nothing", "no kind", "another case"],
)
def test_an_entry_of_a_later_release_is_passed_over(strange: WireEntry) -> None:
    received = from_wire([strange, ("session", "value", None, AT)], at=AT)
    assert [(each.kind, each.value) for each in received] == [("session", "value")]


@pytest.mark.parametrize(
    "strange, is_sent",
    [
        ({"kind": "planet"}, True),
        ({"kind": "planet", "until": math.inf}, False),
        ({"kind": "planet", "value": "x" * 257}, False),
        ({"until": math.inf}, False),
        ({"cutoff": math.nan}, False),
        ({"value": ""}, False),
        ({"value": "x" * 257}, False),
        ({"kind": "everything"}, False),
    ],
    ids=[
        "kind",
        "kind and time",
        "kind and length",
        "until",
        "cutoff",
        "nothing",
        "too long",
        "more than all",
    ],
)
def test_no_entry_in_the_ledger_blinds_every_reader(strange: dict[str, Any], *, is_sent: bool) -> None:
    """Whoever can write one row of it could keep all others from being heard of."""
    good = draft("session", "value", None, AT)
    sent = to_wire([msgspec.structs.replace(good, **strange), good])
    assert len(sent) == 1 + is_sent
    event = FeedEvent(event="entries", seq=1, mark="m", now=AT, after="0.", entries=sent)
    received = msgspec.json.decode(msgspec.json.encode(event), type=FeedEvent)
    assert [each.value for each in from_wire(received.entries, at=AT)] == ["value"]


def test_an_event_leads_to_a_position() -> None:
    assert FeedEvent(event="heartbeat", seq=7, mark="abc", now=AT).position == Position(7, "abc")
    assert FeedEvent(event="heartbeat", seq=0, mark="", now=AT).position == START


def test_what_says_nothing_is_not_sent() -> None:
    event = FeedEvent(event="heartbeat", seq=7, mark="abc", now=AT)
    assert msgspec.json.decode(msgspec.json.encode(event)) == {
        "event": "heartbeat",
        "seq": 7,
        "mark": "abc",
        "now": AT,
    }
