"""The rotation of refresh tokens: a table of what is decided, and a machine that tries to break the promise."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from coatcheck._core.secrets import Sealer, digest, new_token
from coatcheck.identity import Client
from coatcheck.sessions.errors import InvalidRefreshTokenError, RefreshTokenReusedError
from coatcheck.sessions.model import RefreshToken, Session
from coatcheck.sessions.policy import RefreshPolicy
from coatcheck.sessions.refresh import (
    Plan,
    client_digest,
    make_token,
    next_token,
    open_successor,
    plan_refresh,
    seal_successor,
    session_of,
)
from tests.sessions.samples import CLIENT, NOW, session

POLICY = RefreshPolicy()
OURS, OTHERS = client_digest(CLIENT, "app"), client_digest(Client(user_agent="curl"), "app")
DAY = 24 * 3600.0
SECRET = "a-refresh-token"


def token(**changes: object) -> RefreshToken:
    fresh = next_token(SECRET, session(), client=OURS, policy=POLICY, now=NOW)
    return replace(fresh, **changes)


def plan(presented: RefreshToken, *, at: float, client: bytes = OURS, of: Session | None = None) -> Plan:
    # The session is used by its access tokens: only what is asked about decides.
    used = of or replace(session(), last_seen_at=max(NOW, at - 1))
    return plan_refresh(presented, used, client=client, policy=POLICY, now=at)


@pytest.mark.parametrize(
    "rotated_at, at, client, planned",
    [
        (None, NOW, OURS, Plan.ROTATE),
        (None, NOW, OTHERS, Plan.ROTATE),  # a browser's update changes its name
        (None, NOW + 14 * DAY - 1, OURS, Plan.ROTATE),
        (NOW, NOW, OURS, Plan.REPLAY),
        (NOW, NOW + 9.999, OURS, Plan.REPLAY),
        (NOW, NOW + 10, OURS, Plan.REUSE),
        (NOW, NOW + 1, OTHERS, Plan.REUSE),
        (NOW, NOW + 15 * DAY, OURS, Plan.REUSE),
        (NOW, NOW - 5, OURS, Plan.REPLAY),  # the clock was set back
    ],
)
def test_what_is_decided(rotated_at: float | None, at: float, client: bytes, planned: Plan) -> None:
    assert plan(token(rotated_at=rotated_at), at=at, client=client) is planned


@pytest.mark.parametrize("rotated_at", [None, NOW])
@pytest.mark.parametrize(
    "of, at",
    [
        (session(), NOW + 14 * DAY),  # the session is idle
        (session(last_seen_at=NOW + 29.9 * DAY), NOW + 30 * DAY),  # and old
        (session(created_at=NOW - 30 * DAY), NOW),  # the chain is over though the session was renewed
    ],
)
def test_nothing_is_decided_beyond_the_end_of_session_and_chain(
    of: Session, at: float, rotated_at: float | None
) -> None:
    with pytest.raises(InvalidRefreshTokenError) as caught:
        plan(token(rotated_at=rotated_at), at=at, of=of)
    assert not isinstance(caught.value, RefreshTokenReusedError)


def test_a_token_that_was_not_used_for_too_long_is_refused_and_not_a_theft() -> None:
    with pytest.raises(InvalidRefreshTokenError) as caught:
        plan(token(), at=NOW + 14 * DAY)
    assert caught.value.detail == "it was not used for too long"


@given(st.floats(0, 40 * DAY), st.floats(0, 40 * DAY))
def test_a_token_outlives_neither_chain_nor_session(age: float, lifetime: float) -> None:
    of = replace(session(), expires_at=NOW + lifetime)
    made = next_token(SECRET, of, client=OURS, policy=POLICY, now=NOW + age)
    assert made.expires_at <= min(of.expires_at, of.created_at + 30 * DAY, NOW + age + 14 * DAY)
    assert made.digest == digest(SECRET)
    assert SECRET not in repr(made)


def test_a_client_is_known_by_what_it_is_and_not_by_where_it_is() -> None:
    roaming = Client(address="203.0.113.5", user_agent=CLIENT.user_agent)
    assert client_digest(roaming, "app") == OURS
    assert client_digest(CLIENT, "another") != OURS
    assert OTHERS != OURS


def test_a_token_names_its_session_and_only_the_server_can_make_one() -> None:
    sealer = Sealer(b"k" * 32)
    made = make_token(sealer, "the-session")
    assert session_of(sealer, made) == "the-session"
    assert make_token(sealer, "the-session") != made
    _, secret, tag = made.split(".")
    for forged in (f"another.{secret}.{tag}", f"the-session.{tag}", "", ".", "..", "\ud800.é.x", made[:-1]):
        with pytest.raises(InvalidRefreshTokenError):
            session_of(sealer, forged)
    with pytest.raises(InvalidRefreshTokenError):
        session_of(Sealer(b"x" * 32), made)


def test_a_token_of_ours_without_a_record_was_used_long_ago() -> None:
    assert plan_refresh(None, session(), client=OURS, policy=POLICY, now=NOW) is Plan.REUSE
    with pytest.raises(InvalidRefreshTokenError):
        plan_refresh(None, session(), client=OURS, policy=POLICY, now=NOW + 31 * DAY)


def test_only_the_token_that_was_presented_opens_its_successor() -> None:
    sealed = seal_successor("presented", "following")
    assert open_successor("presented", sealed) == "following"
    assert b"following" not in sealed
    for wrong in ("another", "", "following", digest("presented").hex()):
        with pytest.raises(InvalidRefreshTokenError):
            open_successor(wrong, sealed)
    for changed in (b"", sealed[:-1], sealed[:5], bytes([sealed[0] ^ 1]) + sealed[1:]):
        with pytest.raises(InvalidRefreshTokenError):
            open_successor("presented", changed)


def test_what_the_storage_knows_of_a_token_is_not_the_key() -> None:
    sealed = seal_successor("presented", "following")
    assert seal_successor("presented", "following") != sealed
    with pytest.raises(ValueError, match="does not open"):
        Sealer(digest("presented")).open(sealed, context="refresh-successor")


class Chain(RuleBasedStateMachine):
    """One session's tokens, kept as a storage would, presented by its owner and by a thief, at once and late."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.session: Session | None = session(secret=None)
        first = new_token()
        self.issued = [first]
        self.stored = {digest(first): token(digest=digest(first))}
        self.successors: dict[str, str] = {}

    def present(self, secret: str, client: bytes) -> None:
        record = self.stored.get(digest(secret))
        if self.session is None or record is None:
            return
        try:
            planned = plan_refresh(record, self.session, client=client, policy=POLICY, now=self.now)
        except InvalidRefreshTokenError:
            return
        late = record.rotated_at is not None and self.now >= record.rotated_at + 10
        if planned is Plan.REUSE:
            assert record.rotated_at is not None
            assert late or client != record.client
            self.session = None
            self.stored.clear()
        elif planned is Plan.REPLAY:
            assert not late
            assert record.sealed_successor is not None
            assert open_successor(secret, record.sealed_successor) == self.successors[secret]
        else:
            following = new_token()
            self.stored[record.digest] = replace(
                record, rotated_at=self.now, sealed_successor=seal_successor(secret, following)
            )
            self.stored[digest(following)] = next_token(
                following, self.session, client=client, policy=POLICY, now=self.now
            )
            self.session = replace(self.session, last_seen_at=self.now)
            self.successors[secret] = following
            self.issued.append(following)

    @rule(client=st.sampled_from([OURS, OTHERS]))
    def present_the_newest(self, client: bytes) -> None:
        self.present(self.issued[-1], client)

    @rule(back=st.integers(0, 6), client=st.sampled_from([OURS, OURS, OTHERS]))
    def present_an_older(self, back: int, client: bytes) -> None:
        self.present(self.issued[max(0, len(self.issued) - 1 - back)], client)

    @rule(seconds=st.sampled_from([0.5, 9.0, 10.0, 3600.0, 13 * DAY]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.session is not None)
    @invariant()
    def there_is_one_live_token_and_it_is_the_newest(self) -> None:
        live = [each for each in self.stored.values() if each.rotated_at is None]
        assert [each.digest for each in live] == [digest(self.issued[-1])]

    @invariant()
    def with_the_session_all_tokens_end(self) -> None:
        assert self.session is not None or not self.stored


TestChain = Chain.TestCase
TestChain.settings = settings(stateful_step_count=25)


def test_the_policy_is_what_the_documentation_says() -> None:
    assert (
        RefreshPolicy(
            idle_timeout=timedelta(days=14), lifetime=timedelta(days=30), replay_window=timedelta(seconds=10)
        )
        == POLICY
    )
