"""What may follow what in the ledger as it is sent, and what each event changes. Every attack is an event here."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import pytest

from coatcheck.errors import CoatcheckError
from coatcheck.jose import Key, KeySet
from coatcheck.jose.errors import NoMatchingKeyError
from coatcheck.revocation.errors import BrokenOrderError, MalformedEntryError
from coatcheck.revocation.model import START, Facts, Position
from coatcheck.revocation.wire import to_wire
from coatcheck.verifier.clocks import ticks
from coatcheck.verifier.errors import MalformedStreamError, UntrustedEventError
from coatcheck.verifier.event_stream import EventStream
from coatcheck.verifier.feed import Feed
from coatcheck.verifier.model import VerifierEvent
from coatcheck.verifier.policy import VerifierPolicy
from coatcheck.verifier.state import State
from coatcheck.verifier.view import View
from tests.verifier.issuer import API, ISSUER, OTHER_KEY, SNAPSHOT, Issuer, frame, moment

SESSION = Facts(sid="session-1")


class Reader:
    """A connection, and what it has learnt."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.events: list[VerifierEvent] = []
        self.now = moment()
        policy = VerifierPolicy()
        self.view = View(issuer=ISSUER, audience=API, policy=policy, clock=lambda: self.now.wall)
        self.state = State(
            ISSUER,
            view=self.view,
            policy=policy,
            clock=lambda: self.now.wall,
            service_key=None,
            allow_http=False,
            on_event=self.events.append,
        )
        self.view.install(KeySet([issuer.key.public()]))
        self.registry = self.view.registry
        self.connect()

    def connect(self, resumes: Position | None = None) -> None:
        self.feed = Feed(self.state, resumes=resumes, sent=moment())

    def get(self, *frames: bytes, after: float = 0.0) -> None:
        stream = EventStream(1_000_000)
        for each in frames:
            for event in stream.feed(each):
                self.feed.receive(event, moment(after))

    def greet(self) -> None:
        """Bring it to where it reads what is committed."""
        self.get(*self.issuer.history(self.feed.nonce, self.feed.resumes), self.issuer.heartbeat())


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def reader(issuer: Issuer) -> Reader:
    return Reader(issuer)


def test_a_snapshot_and_what_follows_are_known_as_they_come(reader: Reader, issuer: Issuer) -> None:
    issuer.revoke("session", "session-1")
    reader.greet()
    assert reader.registry.void(SESSION) == "session"
    assert reader.view.ready
    before = issuer.position
    issuer.revoke("user", "ada")
    reader.get(issuer.entries_after(before))
    assert reader.registry.void(Facts(sub="ada")) == "user"
    assert reader.registry.position == issuer.position
    assert [event.kind for event in reader.events] == ["snapshot", "connected", "ready", "revoked"]


def test_an_empty_ledger_is_a_ledger(reader: Reader, issuer: Issuer) -> None:
    reader.greet()
    assert reader.view.ready
    assert reader.registry.position == START


def test_a_reader_that_comes_back_goes_on_where_it_was(reader: Reader, issuer: Issuer) -> None:
    issuer.revoke("session", "session-1")
    reader.greet()
    issuer.revoke("token", "token-9")
    reader.connect(resumes=reader.registry.position)
    reader.greet()
    assert reader.registry.void(Facts(jti="token-9")) == "token"
    assert reader.state.snapshots == 1


# --- forged -----------------------------------------------------------------------------------------------


Forgery = Callable[[Issuer, str], bytes]


@pytest.mark.parametrize(
    "forge",
    [
        lambda issuer, nonce: issuer.hello(nonce, key=_as(issuer)),
        lambda issuer, nonce: frame(
            "hello", f"eyJhbGciOiJub25lIiwidHlwIjoibGVkZ2VyK2p3dCJ9.{_payload(issuer, nonce)}."
        ),
        lambda issuer, nonce: issuer.hello(nonce, typ="at+jwt"),
        lambda issuer, nonce: issuer.hello(nonce, typ="JWT"),
        lambda issuer, nonce: issuer.hello(nonce, aud=API),
        lambda issuer, nonce: issuer.hello(nonce, iss="https://other.example"),
        lambda issuer, _: frame("hello", issuer.token()),
        lambda *_: frame("hello", "not a token"),
        lambda *_: frame("hello", ""),
        lambda issuer, nonce: issuer.hello(nonce).replace(b"event: hello", b"event: heartbeat"),
        lambda issuer, nonce: issuer.hello(nonce, seq=-1),
    ],
    ids=[
        *("key of somebody else", "alg none", "typ of a token", "typ JWT", "audience of a token"),
        *("another issuer", "an access token", "no token", "nothing", "another name", "impossible number"),
    ],
)
def test_a_forged_event_is_refused(reader: Reader, issuer: Issuer, forge: Forgery) -> None:
    with pytest.raises(UntrustedEventError):
        reader.get(forge(issuer, reader.feed.nonce))
    assert not reader.view.complete


def _as(issuer: Issuer) -> Key:
    """Return another key that goes by the name of the issuer's."""
    jwk = {**OTHER_KEY.to_private_jwk(), "kid": issuer.key.kid}
    return Key.from_jwk(jwk)


def _payload(issuer: Issuer, nonce: str) -> str:
    return issuer.hello(nonce).split(b"data: ")[1].split(b".")[1].decode()


def test_an_unknown_key_is_not_taken_for_a_forgery(reader: Reader, issuer: Issuer) -> None:
    """It may be new: whoever reads fetches the keys and gives the event again."""
    with pytest.raises(NoMatchingKeyError):
        reader.get(issuer.hello(reader.feed.nonce, key=OTHER_KEY))


def test_events_before_there_are_keys_are_refused(reader: Reader, issuer: Issuer) -> None:
    reader.view.events = None
    with pytest.raises(UntrustedEventError):
        reader.get(issuer.hello(reader.feed.nonce))


def test_an_event_signed_with_a_void_key_is_refused(reader: Reader, issuer: Issuer) -> None:
    """Whoever stole the key could go on signing with it."""
    reader.greet()
    before = issuer.position
    issuer.revoke("key", issuer.key.kid or "")
    reader.get(issuer.entries_after(before))
    assert reader.state.wanted.rung
    with pytest.raises(UntrustedEventError):
        reader.get(issuer.heartbeat())


def test_an_unknown_kind_of_event_is_passed_over(reader: Reader, issuer: Issuer) -> None:
    reader.greet()
    reader.get(frame("weather", "rain"))


# --- replayed, reordered, repeated, lost --------------------------------------------------------------------


def test_a_replayed_connection_is_refused(reader: Reader, issuer: Issuer) -> None:
    recorded = list(issuer.history(reader.feed.nonce, None))
    reader.get(*recorded)
    reader.connect()
    with pytest.raises(UntrustedEventError):
        reader.get(*recorded)


@pytest.mark.parametrize("nonce", ["", "x" * 32])
def test_a_greeting_without_the_nonce_is_refused(reader: Reader, issuer: Issuer, nonce: str) -> None:
    with pytest.raises(UntrustedEventError):
        reader.get(issuer.hello(nonce))


def test_nothing_counts_before_the_greeting(reader: Reader, issuer: Issuer) -> None:
    issuer.revoke("session", "session-1")
    for event in (issuer.heartbeat(), *issuer.snapshot(), issuer.entries_after(START)):
        reader.connect()
        with pytest.raises(UntrustedEventError):
            reader.get(event)
    assert not reader.view.complete


def test_a_second_greeting_is_refused(reader: Reader, issuer: Issuer) -> None:
    reader.greet()
    with pytest.raises(UntrustedEventError):
        reader.get(issuer.hello(reader.feed.nonce))


def test_events_of_a_ledger_count_in_their_order_only(reader: Reader, issuer: Issuer) -> None:
    reader.greet()
    frames = []
    for number in range(3):
        before = issuer.position
        issuer.revoke("session", f"session-{number}")
        frames.append(issuer.entries_after(before))
    at = reader.registry.position
    for order in itertools.permutations(frames):
        reader.registry.move_to(at)
        if order == tuple(frames):
            reader.get(*order)
            continue
        with pytest.raises(BrokenOrderError):
            reader.get(*order)
        assert reader.feed.misfit
    reader.registry.move_to(at)
    with pytest.raises(BrokenOrderError):
        reader.get(frames[0], frames[0])


def test_a_heartbeat_tells_of_what_was_lost(reader: Reader, issuer: Issuer) -> None:
    reader.greet()
    issuer.revoke("session", "session-1")
    with pytest.raises(BrokenOrderError):
        reader.get(issuer.heartbeat(now=issuer.now() + 0.1))


def test_entries_never_lead_backwards(reader: Reader, issuer: Issuer) -> None:
    issuer.revoke("session", "session-1")
    reader.greet()
    with pytest.raises(BrokenOrderError):
        reader.get(issuer.event("entries", after=str(issuer.position), seq=0, mark=""))


def test_a_repeated_heartbeat_shows_nothing(reader: Reader, issuer: Issuer) -> None:
    reader.greet()
    beat = issuer.heartbeat(now=issuer.now() + 0.1)
    reader.get(beat)
    as_of, deadline = reader.view.as_of, reader.feed.deadline
    for seconds in range(1, 5):
        reader.get(beat, after=seconds)
    assert reader.view.as_of == as_of
    assert reader.feed.deadline == deadline
    with pytest.raises(MalformedStreamError):
        reader.feed.check_deadline(moment(20))


def test_parts_of_a_snapshot_count_in_their_order_only(reader: Reader, issuer: Issuer) -> None:
    for number in range(5):
        issuer.revoke("session", f"session-{number}")
    first, second, third = issuer.snapshot(part_size=2)
    for frames in ([second], [first, first], [first, third], [first, second, third, third]):
        reader.connect()
        reader.get(issuer.hello(reader.feed.nonce, snapshot=SNAPSHOT))
        with pytest.raises(BrokenOrderError):
            reader.get(*frames)


@pytest.fixture
def old(issuer: Issuer) -> Recording:
    """What somebody has recorded who sits between the server and its readers."""
    for number in range(4):
        issuer.revoke("session", f"session-{number}")
    return Recording(issuer)


class Recording:
    def __init__(self, issuer: Issuer) -> None:
        self.parts = issuer.snapshot(part_size=2, snapshot="old-snapshot")
        self.position = issuer.position


def refuses(reader: Reader, *frames: bytes) -> None:
    """A reader that is sent this knows no more, is not ready, and begins anew."""
    with pytest.raises(BrokenOrderError):
        reader.get(*frames, reader.issuer.heartbeat())
    assert not reader.view.ready
    assert reader.view.as_of == -math.inf
    assert reader.registry.position == START
    assert reader.feed.misfit


def test_an_old_snapshot_after_a_real_greeting_is_refused(
    reader: Reader, issuer: Issuer, old: Recording
) -> None:
    """Its parts are the issuer's, and everything is in order but what was revoked since."""
    issuer.revoke("user", "eve")
    refuses(reader, issuer.hello(reader.feed.nonce, snapshot=SNAPSHOT), *old.parts)
    assert len(reader.registry) == 0


def test_an_old_part_in_a_new_snapshot_is_refused(reader: Reader, issuer: Issuer, old: Recording) -> None:
    issuer.revoke("user", "eve")
    new = issuer.snapshot(part_size=2)
    for place, part in enumerate(old.parts):
        reader.connect()
        mixed = [*new[:place], part, *new[place + 1 :]]
        refuses(reader, issuer.hello(reader.feed.nonce, snapshot=SNAPSHOT), *mixed)


def test_a_part_of_a_snapshot_up_to_the_same_position_is_refused(
    reader: Reader, issuer: Issuer, old: Recording
) -> None:
    """At another time other entries were of use, and the parts may end elsewhere."""
    first, second = issuer.snapshot(part_size=3)
    refuses(reader, issuer.hello(reader.feed.nonce, snapshot=SNAPSHOT), first, old.parts[1])
    reader.connect()
    refuses(reader, issuer.hello(reader.feed.nonce, snapshot=SNAPSHOT), old.parts[0], second)


@pytest.mark.parametrize(
    "wrong",
    [
        {"snapshot": None},
        {"snapshot": ""},
        {"snapshot": "another"},
        {"seq": 3},
        {"mark": "another"},
        {"after": None},
        {"after": "1.mark"},
        {"upto": None},
        {"upto": "1.mark"},
        {"done": False},
        {"part": 1},
    ],
    ids=str,
)
def test_a_part_that_is_not_of_the_announced_snapshot_is_refused(
    reader: Reader, issuer: Issuer, wrong: dict[str, Any]
) -> None:
    issuer.revoke("session", "session-1")
    refuses(reader, issuer.hello(reader.feed.nonce, snapshot=SNAPSHOT), *issuer.snapshot(**wrong))


def test_a_gap_between_parts_is_refused(reader: Reader, issuer: Issuer) -> None:
    """A server that cuts its parts in another place than before must not lose what is in between."""
    for number in range(6):
        issuer.revoke("session", f"session-{number}")
    first, *_ = issuer.snapshot(part_size=2)
    _, late = issuer.snapshot(part_size=4)
    refuses(reader, issuer.hello(reader.feed.nonce, snapshot=SNAPSHOT), first, late)


def test_a_part_that_claims_to_be_the_last_is_refused(reader: Reader, issuer: Issuer) -> None:
    for number in range(4):
        issuer.revoke("session", f"session-{number}")
    first, _ = issuer.snapshot(part_size=2, done=True)
    refuses(reader, issuer.hello(reader.feed.nonce, snapshot=SNAPSHOT), first)


def test_a_snapshot_that_nobody_announced_is_refused(reader: Reader, issuer: Issuer) -> None:
    refuses(reader, issuer.hello(reader.feed.nonce), *issuer.snapshot(snapshot=None))


def is_ready(reader: Reader) -> bool:
    return reader.view.ready


def test_what_was_revoked_after_a_snapshot_was_made_is_known_before_anything_is_accepted(
    reader: Reader, issuer: Issuer
) -> None:
    """Readers share a snapshot for some seconds. A verifier that starts must not believe that it is all."""
    made = issuer.now() - 8.0
    reader.get(issuer.hello(reader.feed.nonce, snapshot=SNAPSHOT), *issuer.snapshot(now=made))
    assert not is_ready(reader)
    before = issuer.position
    issuer.revoke("session", "session-1")
    reader.get(issuer.entries_after(before))
    assert not is_ready(reader)
    reader.get(issuer.heartbeat())
    assert is_ready(reader)
    assert reader.registry.void(SESSION) == "session"
    assert reader.view.age() < 5


def test_a_snapshot_that_is_cut_off_leaves_the_view_unready(reader: Reader, issuer: Issuer) -> None:
    for number in range(5):
        issuer.revoke("session", f"session-{number}")
    first, *_ = issuer.snapshot(part_size=2)
    reader.get(issuer.hello(reader.feed.nonce, snapshot=SNAPSHOT), first, issuer.heartbeat())
    assert not reader.view.ready
    assert reader.registry.position == START
    assert reader.registry.void(Facts(sid="session-0")) == "session"  # what is known is known
    with pytest.raises(BrokenOrderError):
        reader.get(issuer.entries_after(START))


def test_a_stream_cut_at_any_octet_never_says_more_than_it_has_said(issuer: Issuer) -> None:
    for number in range(4):
        issuer.revoke("session", f"session-{number}")
    reader = Reader(issuer)
    whole = b"".join([*issuer.history(reader.feed.nonce, None), issuer.heartbeat()])
    for at in range(0, len(whole), 7):
        cut = Reader(issuer)
        cut.feed.nonce = reader.feed.nonce
        cut.get(whole[:at])
        assert not cut.view.complete
        assert not cut.feed.live


def test_an_entry_about_nothing_is_refused(reader: Reader, issuer: Issuer) -> None:
    reader.greet()
    with pytest.raises(MalformedEntryError):
        reader.get(issuer.event("entries", after=str(START), seq=1, entries=(("session", "", None, 1.0),)))
    with pytest.raises(UntrustedEventError):
        reader.get(issuer.event("entries", after=str(START), seq=1, entries=((7, "x", None, 1.0),)))


def test_entries_of_a_later_release_do_not_blind_a_reader(
    reader: Reader, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    """A newer server speaks of kinds that this release does not know: all the others still count."""
    reader.greet()
    for number in range(3):
        before = issuer.position
        issuer.revoke("device\n", f"device-{number}")  # type: ignore[arg-type] # that is the point
        issuer.revoke("session", f"session-{number}")
        reader.get(issuer.entries_after(before))
        assert reader.registry.void(Facts(sid=f"session-{number}")) == "session"
    assert reader.registry.position == issuer.position
    reader.connect()
    reader.greet()
    assert len(reader.registry) == 3
    told = [record.getMessage() for record in caplog.records if "passed over" in record.getMessage()]
    assert len(told) == 2  # once for each connection
    assert "['device\\n']" in told[0]


def test_a_server_that_goes_on_from_elsewhere_is_asked_for_all(reader: Reader, issuer: Issuer) -> None:
    issuer.revoke("session", "session-1")
    reader.greet()
    reader.connect(resumes=reader.registry.position)
    with pytest.raises(BrokenOrderError):
        reader.get(issuer.hello(reader.feed.nonce, seq=9, mark="x"))
    assert reader.feed.misfit


@pytest.mark.parametrize("interval", [None, 0.0, -1.0, 600.0])
def test_a_server_without_a_usable_heartbeat_is_refused(
    reader: Reader, issuer: Issuer, interval: float | None
) -> None:
    with pytest.raises(MalformedStreamError):
        reader.get(issuer.hello(reader.feed.nonce, heartbeat=interval))


# --- restored from a backup ---------------------------------------------------------------------------------


def test_a_ledger_restored_from_a_backup_revives_nothing(reader: Reader, issuer: Issuer) -> None:
    issuer.revoke("session", "session-0")
    reader.greet()
    backup, position = list(issuer.entries), issuer.position
    before = issuer.position
    issuer.revoke("session", "session-1")
    reader.get(issuer.entries_after(before))
    # The server comes back with the backup, and goes on from there in another way.
    issuer.entries, issuer.position = backup, position
    issuer.positions().pop()
    issuer.revoke("session", "session-2")
    reader.connect(resumes=reader.registry.position)
    reader.greet()
    assert reader.registry.position == issuer.position
    for number in range(3):
        assert reader.registry.void(Facts(sid=f"session-{number}")) == "session"
    before = issuer.position
    issuer.revoke("session", "session-3")
    reader.get(issuer.entries_after(before))
    assert reader.registry.void(Facts(sid="session-3")) == "session"


def test_a_ledger_that_was_emptied_revives_nothing(reader: Reader, issuer: Issuer) -> None:
    issuer.revoke("session", "session-1")
    reader.greet()
    reader.connect(resumes=None)
    empty = Issuer()
    reader.get(empty.hello(reader.feed.nonce), empty.heartbeat())
    assert reader.registry.position == START
    assert reader.registry.void(SESSION) == "session"


# --- clocks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [-600.0, -90.0, 90.0, 600.0, 86_400.0])
def test_a_clock_that_is_off_is_found_out(error: float) -> None:
    issuer = Issuer()
    issuer.clock_error = error
    reader = Reader(issuer)
    reader.greet()
    assert reader.view.offset == pytest.approx(error, abs=0.5)
    assert reader.view.age() < 5


def test_a_clock_that_is_nearly_right_is_believed(reader: Reader, issuer: Issuer) -> None:
    issuer.clock_error = 0.5
    reader.greet()
    assert reader.view.offset == 0.0


def test_a_stream_that_is_held_back_shows_as_age_and_not_as_another_clock(
    reader: Reader, issuer: Issuer
) -> None:
    reader.greet()
    beat = issuer.heartbeat(now=issuer.now() + 0.1)
    reader.get(beat, after=4.0)
    assert reader.view.offset == 0.0
    assert reader.view.as_of <= moment().ticks + 0.2  # of when it was said, not of when it came


def test_a_stream_that_is_held_back_for_long_is_left(reader: Reader, issuer: Issuer) -> None:
    reader.greet()
    with pytest.raises(MalformedStreamError):
        reader.get(issuer.heartbeat(now=issuer.now() + 0.1), after=10.0)


def test_a_greeting_that_came_late_does_not_make_the_view_younger(issuer: Issuer) -> None:
    reader = Reader(issuer)
    reader.get(*issuer.history(reader.feed.nonce, None), issuer.heartbeat(now=issuer.now() + 0.01), after=3.0)
    assert reader.view.as_of <= moment().ticks + 0.1


def test_resuming_alone_does_not_make_the_view_young(reader: Reader, issuer: Issuer) -> None:
    """What has been revoked meanwhile comes after the greeting, and may be held back."""
    reader.greet()
    as_of = reader.view.as_of
    issuer.revoke("session", "session-1")
    reader.connect(resumes=reader.registry.position)
    hello, entries = issuer.history(reader.feed.nonce, reader.feed.resumes)
    reader.get(hello, entries, after=1.0)
    assert reader.view.as_of == as_of
    reader.get(issuer.heartbeat(now=issuer.now() + 1.1), after=1.0)
    assert reader.view.as_of > as_of


def test_a_server_whose_clock_is_set_forward_is_followed(reader: Reader, issuer: Issuer) -> None:
    reader.greet()
    issuer.clock_error = 300.0
    reader.get(issuer.heartbeat())
    assert reader.view.offset == pytest.approx(300.0, abs=0.5)
    assert reader.view.age() < 5


def test_entries_are_forgotten_when_they_are_of_no_use(reader: Reader, issuer: Issuer) -> None:
    issuer.clock_error = -6 * 3600.0
    issuer.revoke("session", "session-1")
    issuer.clock_error = 0.0
    reader.get(issuer.hello(reader.feed.nonce, snapshot=SNAPSHOT), *issuer.snapshot())
    assert reader.registry.void(SESSION) == "session"  # the clock alone does not say so
    reader.registry._ticks = lambda: ticks() + 2 * 3600.0
    reader.get(issuer.heartbeat())
    assert reader.registry.void(SESSION) is None
    assert len(reader.registry) == 0


# --- keys ---------------------------------------------------------------------------------------------------


def test_another_digest_of_the_keys_has_them_fetched(reader: Reader, issuer: Issuer) -> None:
    reader.state.digests = frozenset({"one-and-only-digest"})
    reader.get(issuer.hello(reader.feed.nonce, keys="one-and-only-dig"))
    assert not reader.state.wanted.rung
    reader.get(issuer.heartbeat(now=issuer.now() + 0.1, keys="two"))
    assert reader.state.wanted.rung


def test_what_the_hook_raises_harms_nothing(
    reader: Reader, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: VerifierEvent) -> None:
        raise CoatcheckError("no")

    reader.state._on_event = broken
    reader.greet()
    assert reader.view.ready
    assert "hook" in caplog.text


def test_entries_go_over_the_wire_as_they_are(issuer: Issuer) -> None:
    entry = issuer.revoke("user", "ada", cutoff=12.5)
    assert to_wire([entry]) == (("user", "ada", 12.5, entry.until),)
