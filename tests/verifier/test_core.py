"""From a token to whom it stands for: what is accepted, what is refused, and what a flood of either can do."""

from __future__ import annotations

import base64
import sys
import threading
import time
import tracemalloc
from datetime import timedelta
from typing import Any

import pytest

from coatcheck.jose import Key, KeySet
from coatcheck.revocation.model import Draft, Kind
from coatcheck.verifier import (
    InvalidTokenError,
    NotReadyError,
    Principal,
    StaleViewError,
    UnknownKeyError,
    Verifier,
    VerifierConfigurationError,
    VerifierPolicy,
)
from coatcheck.verifier.cache import Cache
from tests.verifier.issuer import API, ISSUER, KEY, OTHER_KEY, Issuer, moment, mutated


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.time = time.time()

    def __call__(self) -> float:
        return self.time


def ready(clock: Clock | None = None, *, keys: list[Key] | None = None, **options: Any) -> Verifier:
    """Return a verifier that has read keys and an empty ledger, and follows nobody."""
    clock = clock or Clock()
    verifier = Verifier(ISSUER, audience=API, clock=clock, **options)
    verifier._view.install(KeySet(keys or [KEY.public()]))
    now = moment()
    verifier._view.reset_clock(clock(), sent=now, received=now)
    verifier._view.offset = 0.0
    verifier._view.confirm(clock(), now)
    return verifier


def end(verifier: Verifier, kind: Kind, value: str = "", cutoff: float | None = None) -> None:
    entry = Draft(
        kind=kind, value=value, cutoff=cutoff, until=time.time() + 3720, reason="", actor="", at=0.0, mark=""
    )
    verifier._view.registry.add([entry])


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


def test_a_good_token_stands_for_somebody(issuer: Issuer) -> None:
    now = int(issuer.now())
    token = issuer.token(iat=now, exp=now + 3600, auth_time=now - 1000, tenant="t1")
    principal = ready().verify(token)
    assert isinstance(principal, Principal)
    assert principal.subject == "ada"
    assert principal.scopes == {"read", "write"}
    assert principal.client_id == "first-party"
    assert principal.session_id == "session-1"
    assert principal.authenticated_at == now - 1000
    assert principal.methods == ("pwd",)
    assert principal.acr == "aal1"
    assert principal.issued_at == now
    assert principal.expires_at == now + 3600
    assert principal.token_id.startswith("token-")
    assert principal.via == "bearer"
    assert principal.claims["tenant"] == "t1"
    assert len(principal.claims) == 14 or "tenant" in list(principal.claims)
    assert "tenant" in repr(principal.claims)
    assert repr(principal) == "<Principal 'ada' via bearer>"


def test_nobody_can_change_what_others_will_see(issuer: Issuer) -> None:
    verifier, token = ready(), issuer.token(roles=["reader", {"of": "books"}])
    claims = verifier.verify(token).claims
    assert claims["roles"] == ("reader", {"of": "books"})
    with pytest.raises(TypeError):
        claims["roles"][1]["of"] = "everything"
    with pytest.raises(AttributeError):
        verifier.verify(token).subject = "eve"  # type: ignore[misc]


def test_a_token_that_says_little_is_enough(issuer: Issuer) -> None:
    nothing: dict[str, Any] = dict.fromkeys(("sid", "client_id", "scope", "auth_time", "amr", "acr"))
    principal = ready().verify(issuer.token(**nothing))
    assert principal.session_id == ""
    assert principal.scopes == frozenset()
    assert principal.authenticated_at is None


def test_a_remembered_token_gives_the_same_answer(issuer: Issuer) -> None:
    verifier, token = ready(), issuer.token()
    first = verifier.verify(token)
    assert verifier.verify(token) is first
    assert verifier.verify(token) is first
    metrics = verifier.metrics()
    assert (metrics.hits, metrics.misses, metrics.cached) == (2, 1, 1)
    assert metrics.hit_rate == pytest.approx(2 / 3)


HOUR = 3600


@pytest.mark.parametrize(
    "claims, reason",
    [
        ({"iss": "https://other.example"}, "issuer"),
        ({"iss": ISSUER + "/"}, "issuer"),
        ({"aud": "https://other.example"}, "audience"),
        ({"aud": ["x", "y"]}, "audience"),
        ({"exp": time.time() - HOUR}, "expired"),
        ({"iat": time.time() + HOUR}, "not-yet-valid"),
        ({"nbf": time.time() + HOUR}, "not-yet-valid"),
        *(({name: None}, "claims") for name in ("iss", "aud", "sub", "exp", "iat", "jti")),
        ({"sub": 7}, "claims"),
        ({"scope": 'a "quoted" one'}, "claims"),
        ({"amr": "pwd"}, "claims"),
        ({"typ": "JWT"}, "type"),
        ({"typ": "ledger+jwt"}, "type"),
    ],
    ids=lambda value: (
        value
        if isinstance(value, str)
        else f"{next(iter(value))} {type(next(iter(value.values()))).__name__}"
    ),
)
def test_a_token_that_is_not_for_here_is_refused(issuer: Issuer, claims: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidTokenError) as caught:
        ready().verify(issuer.token(**claims))
    assert caught.value.reason == reason
    assert caught.value.status == 401


def _segment(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


UNSIGNED = _segment('{"alg":"none","typ":"at+jwt","kid":"x"}')
UNSIGNED_BY_KEY = _segment(f'{{"alg":"none","typ":"at+jwt","kid":"{KEY.kid}"}}')


@pytest.mark.parametrize(
    "token, reason",
    [
        ("", "malformed"),
        ("a.b", "malformed"),
        ("." * 100, "malformed"),
        ("ü.ü.ü", "malformed"),
        ("\ud800", "malformed"),
        ("x" * 20_000, "malformed"),
        (mutated(Issuer().token()), "signature"),
        (f"{UNSIGNED}.{Issuer().token().split('.')[1]}.", "unknown-key"),
        (f"{UNSIGNED_BY_KEY}.{Issuer().token().split('.')[1]}.", "algorithm"),
        (b"bytes", "malformed"),
        (None, "malformed"),
    ],
    ids=[
        "empty",
        "two parts",
        "dots",
        "not ascii",
        "surrogate",
        "long",
        "forged",
        "alg none",
        "alg none of the key",
        "octets",
        "None",
    ],
)
def test_what_is_no_token_of_the_issuer_is_refused(token: Any, reason: str) -> None:
    verifier = ready()
    with pytest.raises(InvalidTokenError) as caught:
        verifier.verify(token)
    assert caught.value.reason == reason
    assert verifier.metrics().refusals == {reason: 1}


def test_numbers_of_any_size_do_no_harm(issuer: Issuer) -> None:
    assert ready().verify(issuer.token(auth_time=-(10**300))).authenticated_at == 0.0
    assert ready().verify(issuer.token(auth_time=10**300)).authenticated_at == 253_402_300_799.0
    with pytest.raises(InvalidTokenError):
        ready().verify(issuer.token(exp=10**300))
    with pytest.raises(InvalidTokenError):
        ready().verify(issuer.token(iat=-(10**300)))
    with pytest.raises(InvalidTokenError):
        ready().verify(issuer.token(exp=10**300, iat=10**300))


def test_a_token_of_a_stolen_key_does_not_outlive_what_the_ledger_says_of_the_key(issuer: Issuer) -> None:
    """The entry is forgotten after an hour and two minutes: nothing may be remembered as good for longer."""
    now = int(issuer.now())
    with pytest.raises(InvalidTokenError) as caught:
        ready().verify(issuer.token(iat=now, exp=now + 3601))
    assert caught.value.reason == "claims"
    assert ready().verify(issuer.token(iat=now, exp=now + 3600)).expires_at == now + 3600


def test_what_was_refused_once_is_not_remembered_as_good(issuer: Issuer) -> None:
    clock = Clock()
    now = int(clock.time)
    verifier, token = ready(clock), issuer.token(iat=now, exp=now + 3600, jti="stolen")
    verifier.verify(token)
    entry = Draft(
        kind="token", value="stolen", cutoff=None, until=now + 60, reason="", actor="", at=now, mark=""
    )
    registry = verifier._view.registry
    registry.add([entry])
    with pytest.raises(InvalidTokenError):
        verifier.verify(token)
    assert verifier.metrics().cached == 0


# --- revoked ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind, value",
    [
        ("token", "token-x"),
        ("session", "session-1"),
        ("user", "ada"),
        ("client", "first-party"),
        ("key", KEY.kid),
        ("everything", ""),
    ],
    ids=["token", "session", "user", "client", "key", "everything"],
)
def test_what_is_revoked_is_refused_at_once_remembered_or_not(issuer: Issuer, kind: Kind, value: str) -> None:
    verifier, token = ready(), issuer.token(jti="token-x")
    verifier.verify(token)
    end(verifier, kind, value)
    for _ in range(2):
        with pytest.raises(InvalidTokenError) as caught:
            verifier.verify(token)
        assert caught.value.reason == f"revoked-{kind}"
    cold = ready()
    end(cold, kind, value)
    with pytest.raises(InvalidTokenError):
        cold.verify(token)
    assert cold.metrics().cached == 0


def test_what_is_issued_after_a_cut_off_is_good(issuer: Issuer) -> None:
    verifier = ready()
    now = int(time.time())
    end(verifier, "user", "ada", cutoff=float(now - 100))
    verifier.verify(issuer.token(iat=now - 100))
    with pytest.raises(InvalidTokenError):
        verifier.verify(issuer.token(iat=now - 101))


def test_no_reader_sees_a_revoked_token_pass_after_the_epoch_has_moved(issuer: Issuer) -> None:
    """Many readers, one writer: a token that has been refused by one is accepted by none that asks later."""
    verifier = ready()
    tokens = [issuer.token(sid=f"session-{number}") for number in range(100)]
    for token in tokens:
        verifier.verify(token)
        verifier.verify(token)
    ended = 0  # how many sessions the writer has finished ending
    wrong: list[str] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            before = ended
            for number in range(before):
                try:
                    verifier.verify(tokens[number])
                except InvalidTokenError:
                    continue
                wrong.append(tokens[number])

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(100):
        end(verifier, "session", f"session-{number}")
        ended = number + 1
        time.sleep(0.001)
    over.set()
    for reader in readers:
        reader.join()
    assert not wrong


# --- time -------------------------------------------------------------------------------------------------


def test_a_remembered_token_ends_in_time(issuer: Issuer) -> None:
    clock = Clock()
    verifier, token = ready(clock), issuer.token(exp=int(clock.time) + 60)
    verifier.verify(token)
    clock.time = int(clock.time) + 69.0
    verifier.verify(token)
    clock.time += 1.0
    for _ in range(2):
        with pytest.raises(InvalidTokenError) as caught:
            verifier.verify(token)
        assert caught.value.reason == "expired"
    assert verifier.metrics().cached == 0


def test_a_clock_that_tells_no_time_lets_nothing_pass(issuer: Issuer) -> None:
    clock = Clock()
    verifier, token = ready(clock), issuer.token()
    verifier.verify(token)
    clock.time = float("nan")
    with pytest.raises(InvalidTokenError):
        verifier.verify(token)


@pytest.mark.parametrize("error", [-300.0, 300.0])
def test_tokens_are_judged_by_the_clock_of_the_server(issuer: Issuer, error: float) -> None:
    issuer.clock_error = error
    verifier = ready()
    token = issuer.token(exp=int(issuer.now()) + 60)
    with pytest.raises(InvalidTokenError):
        verifier.verify(token)
    verifier._view.reset_clock(issuer.now(), sent=moment(), received=moment())
    assert verifier.verify(token).subject == "ada"
    assert verifier.metrics().clock_offset == pytest.approx(error, abs=1)


# --- readiness and staleness --------------------------------------------------------------------------------


def test_nothing_is_accepted_before_keys_and_ledger_were_read(issuer: Issuer) -> None:
    verifier = Verifier("http://127.0.0.1:1", audience=API, policy=VerifierPolicy(startup_timeout=0.05))
    with verifier:
        with pytest.raises(NotReadyError):
            verifier.verify(issuer.token())
        verifier._view.install(KeySet([KEY.public()]))
        with pytest.raises(NotReadyError):  # keys alone would accept what has been revoked
            verifier.verify(issuer.token())


def test_the_first_use_waits_once_and_no_longer_than_it_may(issuer: Issuer) -> None:
    verifier = Verifier("http://127.0.0.1:1", audience=API, policy=VerifierPolicy(startup_timeout=0.3))
    with verifier:
        waited = []
        for _ in range(2):
            began = time.monotonic()
            with pytest.raises(NotReadyError):
                verifier.verify(issuer.token())
            waited.append(time.monotonic() - began)
    assert waited[0] >= 0.3
    assert waited[1] < waited[0]


async def _verify(verifier: Verifier, token: str) -> float:
    began = time.monotonic()
    with pytest.raises(NotReadyError):
        verifier.verify(token)
    return time.monotonic() - began


def test_an_event_loop_is_never_held_up(issuer: Issuer) -> None:
    import asyncio

    with Verifier("http://127.0.0.1:1", audience=API) as verifier:
        assert asyncio.run(_verify(verifier, issuer.token())) < 5


def test_an_old_view_accepts_nothing_if_that_was_asked_for(issuer: Issuer) -> None:
    verifier, token = ready(max_staleness=timedelta(seconds=10)), issuer.token()
    verifier.verify(token)
    verifier._view.as_of -= 11
    for each in (token, issuer.token()):
        with pytest.raises(StaleViewError) as caught:
            verifier.verify(each)
        assert caught.value.age == pytest.approx(11, abs=1)
        assert caught.value.status == 503
    verifier._view.as_of += 11
    verifier.verify(token)


def test_a_view_of_any_age_will_do_otherwise(issuer: Issuer) -> None:
    verifier, token = ready(), issuer.token()
    verifier.verify(token)
    verifier._view.as_of -= 100_000
    verifier.verify(token)
    verifier.verify(issuer.token())


# --- floods -----------------------------------------------------------------------------------------------


def test_a_flood_of_nonsense_neither_grows_memory_nor_displaces_anything(issuer: Issuer) -> None:
    verifier = ready()
    good = [issuer.token() for _ in range(50)]
    for token in good:
        verifier.verify(token)
    head, _, _ = issuer.token().rpartition(".")
    before = 0
    for number in range(200_000):
        if number == 180_000:  # looking on makes it slow
            tracemalloc.start()
            before, _ = tracemalloc.get_traced_memory()
        # The longer nonsense verifies a signature, which takes its time: one in a hundred will do.
        token = f"{head}.{number:086d}" if number % 100 == 0 else f"nonsense-{number}"
        with pytest.raises(InvalidTokenError):
            verifier.verify(token)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # What other threads of this process took meanwhile is among it. Twenty thousand tokens that are kept are megabytes.
    assert after - before < 1_000_000
    misses = verifier.metrics().misses
    for token in good:
        verifier.verify(token)
    assert verifier.metrics().misses == misses


def test_a_flood_of_good_tokens_does_not_displace_what_is_in_use() -> None:
    cache: Cache[int] = Cache(100)
    for number in range(20):
        cache.remember(f"mine-{number}", number)
        cache.recall(f"mine-{number}")
    for number in range(10_000):
        cache.remember(f"flood-{number}", number)
        assert len(cache) <= 100
    assert [cache.recall(f"mine-{number}") for number in range(20)] == list(range(20))


def test_a_flood_of_good_tokens_used_twice_goes_by_halves() -> None:
    cache: Cache[int] = Cache(100)
    for number in range(10):
        cache.remember(f"mine-{number}", number)
        cache.recall(f"mine-{number}")
    for number in range(10_000):
        cache.remember(f"flood-{number}", number)
        cache.recall(f"flood-{number}")
        if number % 10 == 0:
            for mine in range(10):
                assert cache.recall(f"mine-{mine}") == mine
        assert len(cache) <= 100
    cache.forget("mine-1")
    assert cache.recall("mine-1") is None
    cache.clear()
    assert len(cache) == 0


def test_a_flood_of_unknown_keys_has_the_keys_fetched_once(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = ready()
    bell = verifier._state.wanted
    rung = 0
    for _ in range(200):
        stranger = Key.generate("ES256")
        with pytest.raises(UnknownKeyError) as caught:
            verifier.verify(issuer.token(key=stranger))
        assert caught.value.reason == "unknown-key"
        rung += bell.rung
        bell.clear()
    assert rung == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"},
        {"aud": "https://other.example"},
        {"exp": time.time() - HOUR},
        {"iat": time.time() - 48 * HOUR},
        {"sub": 7},
        {"typ": "JWT"},
    ],
    ids=["issuer", "audience", "expired", "old", "malformed", "type"],
)
def test_a_token_that_would_not_be_good_anyway_has_no_keys_fetched(
    issuer: Issuer, claims: dict[str, Any]
) -> None:
    verifier = ready()
    with pytest.raises(InvalidTokenError):
        verifier.verify(issuer.token(key=OTHER_KEY, **claims))
    assert not verifier._state.wanted.rung


def test_a_key_without_a_usable_name_has_no_keys_fetched(issuer: Issuer) -> None:
    verifier = ready()
    key = Key.from_jwk({**OTHER_KEY.to_private_jwk(), "kid": "k" * 300})
    with pytest.raises(UnknownKeyError):
        verifier.verify(issuer.token(key=key))
    assert not verifier._state.wanted.rung


def test_what_is_not_even_a_token_has_no_keys_fetched(issuer: Issuer) -> None:
    verifier = ready()
    _, payload, signature = issuer.token(key=OTHER_KEY).split(".")
    header = _segment('{"alg":"ES256","typ":"at+jwt"}')
    named = ready(
        keys=[Key.from_jwk({**KEY.to_jwk(), "kid": "a"}), Key.from_jwk({**OTHER_KEY.to_jwk(), "kid": "b"})]
    )
    for each in (verifier, named):
        with pytest.raises(InvalidTokenError):
            each.verify(f"{header}.{payload}.{signature[:-4]}AAAA")
        assert not each._state.wanted.rung
    long_header = _segment('{"alg":"ES256","typ":"at+jwt","kid":"stranger","x":"' + "[" * 40 + '"}')
    with pytest.raises(InvalidTokenError):
        verifier.verify(f"{long_header}.{_segment('{')}.{signature}")
    assert not verifier._state.wanted.rung


def test_what_is_remembered_shows_no_token(issuer: Issuer) -> None:
    verifier, token = ready(), issuer.token()
    verifier.verify(token)
    known = verifier._core._cache.recall(token)
    assert repr(known) == "<Known <Principal 'ada' via bearer>>"


def test_a_very_long_token_is_verified_and_not_remembered(issuer: Issuer) -> None:
    verifier = ready()
    verifier.verify(issuer.token(filler="x" * 5000))
    assert verifier.metrics().cached == 0


# --- arguments --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        {"issuer": "http://id.example"},
        {"issuer": "ftp://localhost"},
        {"issuer": "https://id.example?x"},
        {"issuer": "https://id.example#x"},
        {"issuer": "https://user@id.example"},
        {"issuer": "https://id.example:port"},
        {"issuer": "https://"},
        {"issuer": "id.example"},
        {"issuer": ""},
        {"issuer": None},
        {"issuer": "http://127.0.0.1.example"},
        {"audience": ""},
        {"audience": ()},
        {"audience": None},
        {"audience": ["a", ""]},
        {"key": "no spaces, please"},
        {"key": ""},
        {"key": b"cck_octets"},
        {"max_staleness": timedelta(0)},
        {"max_staleness": 5},
        {"cookies": "token"},
        {"cookies": "session"},
    ],
    ids=lambda options: str(options).replace("::", ":"),
)
def test_what_makes_no_sense_is_refused_when_it_is_said(options: dict[str, Any]) -> None:
    with pytest.raises(VerifierConfigurationError):
        Verifier(**{"issuer": ISSUER, "audience": API, **options})


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8000",
        "http://127.0.0.1",
        "http://[::1]:80",
        "http://id.localhost",
        "https://id.example/a",
    ],
)
def test_this_machine_may_be_reached_over_http(url: str) -> None:
    assert repr(Verifier(url, audience=[API, "b"])) == f"<Verifier {url} for {API}, b>"


def test_http_is_possible_elsewhere_if_it_is_allowed() -> None:
    Verifier("http://id.internal", audience=API, allow_http=True)


@pytest.mark.parametrize(
    "tunables", [{"leeway": 61.0}, {"introspection_memory": 4000.0}, {"cache_size": -1}, {"silence": True}]
)
def test_tunables_have_bounds(tunables: dict[str, Any]) -> None:
    with pytest.raises(VerifierConfigurationError):
        VerifierPolicy(**tunables)


@pytest.mark.parametrize("key", ["cck_secret", "cck_secret\n", " cck_secret\r\n"])
def test_the_key_comes_from_the_environment(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COATCHECK_VERIFIER_KEY", key)
    verifier = Verifier(ISSUER, audience=API)
    assert Verifier(ISSUER, audience=API, key=key)._state.authorization() == verifier._state.authorization()
    assert verifier._state.authorization() == {"authorization": "Bearer cck_secret"}
    assert "cck_secret" not in repr(verifier)


# --- without httpx, and after a fork ------------------------------------------------------------------------


def test_a_verifier_without_httpx_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    for module in ("threaded", "tasks"):
        monkeypatch.setitem(sys.modules, f"coatcheck.verifier.{module}", None)
    verifier = Verifier(ISSUER, audience=API)
    with pytest.raises(VerifierConfigurationError, match=r"coatcheck\[verifier\]"):
        verifier.start()

    async def follow() -> None:
        async with verifier:
            raise AssertionError

    with pytest.raises(VerifierConfigurationError, match=r"coatcheck\[verifier\]"):
        asyncio.run(follow())


def test_a_child_process_begins_with_its_own_locks_and_bells(issuer: Issuer) -> None:
    verifier = ready(cookies="session", key="cck_key")
    token = issuer.token()
    verifier.verify(token)
    bell, lock = verifier._state.wanted, verifier._lock
    verifier._after_fork()
    assert verifier._state.wanted is not bell
    assert verifier._lock is not lock
    assert verifier._state.ready.rung
    assert verifier.verify(token).subject == "ada"  # what is known stays known


def test_the_first_use_goes_on_as_soon_as_it_can(issuer: Issuer) -> None:
    verifier = Verifier("http://127.0.0.1:1", audience=API, policy=VerifierPolicy(startup_timeout=20.0))
    later = threading.Timer(0.1, lambda: _make_ready(verifier))
    with verifier:
        later.start()
        began = time.monotonic()
        with pytest.raises(InvalidTokenError):  # of another issuer, but it was verified
            verifier.verify(issuer.token())
        assert time.monotonic() - began < 60


def _make_ready(verifier: Verifier) -> None:
    verifier._view.install(KeySet([KEY.public()]))
    verifier._view.confirm(time.time(), moment())
    verifier._state.check_ready()
