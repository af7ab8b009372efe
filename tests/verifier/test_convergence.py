"""Whatever the network does to the stream: what was told stays told, and in the end all is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coatcheck.jose import KeySet
from coatcheck.revocation.model import Facts, Position
from coatcheck.verifier.actions import Answer, Close, Fetch, Open, Read, Wait
from coatcheck.verifier.clocks import Moment
from coatcheck.verifier.discovery import Metadata
from coatcheck.verifier.errors import ConnectionFailedError
from coatcheck.verifier.ledger import follow_ledger
from coatcheck.verifier.policy import VerifierPolicy
from coatcheck.verifier.state import State
from coatcheck.verifier.view import View
from tests.verifier.issuer import API, ISSUER, KEY, Issuer

DEEDS = [
    *("pass", "pass", "pass", "drop", "repeat", "swap", "cut", "end", "fail", "garbage", "replay", "flip"),
    *("mix", "mix"),  # an earlier part of a snapshot in the place of a new one
]


class TickingState(State):
    """Its clock goes on by a little with every look, and by more with every wait: no test has to."""

    time = 1_800_000_000.0

    def moment(self) -> Moment:
        self.time += 0.001
        return Moment(self.time, self.time)


class Network:
    """Between a verifier and an honest server: it does to the stream what it is told to, deed by deed."""

    def __init__(self, deeds: list[str]) -> None:
        self.issuer = Issuer()
        self.deeds = iter(deeds)
        self.queue: list[bytes] = []
        self.recorded: list[bytes] = []
        policy = VerifierPolicy()
        view = View(issuer=ISSUER, audience=API, policy=policy, clock=lambda: self.state.time)
        self.state = TickingState(
            ISSUER,
            view=view,
            policy=policy,
            clock=lambda: 0.0,
            service_key=None,
            allow_http=False,
            on_event=None,
        )
        self.issuer.now = lambda: self.state.time  # type: ignore[method-assign]
        self.state.metadata = Metadata(
            issuer=ISSUER, jwks_uri=f"{ISSUER}/keys", ledger=f"{ISSUER}/ledger", introspection=None
        )
        view.install(KeySet([KEY.public()]))
        self.known: set[str] = set()
        self.position: Position | None = None
        self.is_open = False
        self.revoked = 0

    def revoke(self) -> None:
        self.revoked += 1
        before = self.issuer.position
        self.issuer.revoke("session", f"session-{self.revoked}")
        if self.is_open:
            self.queue.append(self.issuer.entries_after(before))

    def perform(self, action: Any) -> Any:
        match action:
            case Open():
                query = parse_qs(urlsplit(action.url).query)
                position = Position.parse(action.headers.get("last-event-id", ""))
                self.queue = list(self.issuer.history(query["nonce"][0], position))
                self.is_open = True
                return Answer(status=200, headers={"content-type": "text/event-stream; charset=utf-8"})
            case Read():
                return self._read()
            case Close():
                self.is_open = False
                return None
            case Wait():
                self.state.time += 0.5
                return False
            case Fetch():
                raise ConnectionFailedError("nobody is there")
        raise AssertionError(action)

    def _read(self) -> bytes:  # noqa: C901, PLR0911 - a deed, a line
        if not self.is_open:
            raise ConnectionFailedError("closed")
        if not self.queue:
            self.state.time += 2.0
            self.queue.append(self.issuer.heartbeat())
        deed = next(self.deeds, "pass")
        if deed == "swap" and len(self.queue) > 1:
            self.queue[0], self.queue[1] = self.queue[1], self.queue[0]
        chunk = self.queue.pop(0)
        self.recorded.append(chunk)
        match deed:
            case "drop":
                return b": nothing\n\n"
            case "repeat":
                return chunk + chunk
            case "cut":
                self.is_open = False
                return chunk[: len(chunk) // 2]
            case "end":
                return b""
            case "fail":
                raise ConnectionFailedError("broken")
            case "garbage":
                return b"data: \xff\xfe\n\n" + chunk[::-1]
            case "mix" if chunk.startswith(b"event: snapshot"):
                return next(each for each in self.recorded if each.startswith(b"event: snapshot"))
            case "replay":
                return self.recorded[len(self.recorded) // 2]
            case "flip":
                return chunk[:-20] + bytes([chunk[-20] ^ 1]) + chunk[-19:]
        return chunk


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    deeds=st.lists(st.sampled_from(DEEDS), max_size=40),
    revocations=st.lists(st.integers(0, 3), min_size=1, max_size=40),
)
def test_the_view_only_grows_and_in_the_end_is_that_of_the_server(
    deeds: list[str], revocations: list[int]
) -> None:
    network = Network(deeds)
    registry = network.state.view.registry
    steps = follow_ledger(network.state)
    action = next(steps)
    for round_number in range(6 * len(deeds) + 100):
        for _ in range(revocations[round_number] if round_number < len(revocations) else 0):
            network.revoke()
        try:
            outcome = network.perform(action)
        except ConnectionFailedError as error:
            action = steps.throw(error)
        else:
            action = steps.send(outcome)
        now_void = set(_void(network))
        assert now_void >= network.known, "something came to life again"
        network.known = now_void
        if network.state.view.complete and registry.position == network.issuer.position:
            # It says that it knows all: then it does, whatever was lost on the way.
            assert len(now_void) == network.revoked
    assert network.state.connected
    assert registry.position == network.issuer.position
    assert len(network.known) == network.revoked


def _void(network: Network) -> Iterator[str]:
    for number in range(1, network.revoked + 1):
        if network.state.view.registry.void(Facts(sid=f"session-{number}")):
            yield f"session-{number}"
