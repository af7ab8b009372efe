"""An issuer under the test's control: its keys, its tokens, its ledger, and the events in which it sends that."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from coatcheck._core import base64url
from coatcheck.jose import Key, KeySet, jws, jwt
from coatcheck.jose.hazmat import NO_EXPIRY
from coatcheck.revocation.model import START, Draft, Kind, Position
from coatcheck.revocation.wire import AUDIENCE, TYPE, FeedEvent, to_wire
from coatcheck.verifier.clocks import Moment, ticks

ISSUER = "https://id.example"
API = "https://api.example"
SNAPSHOT = "a-snapshot"

KEY = Key.generate("ES256")
OTHER_KEY = Key.generate("ES256")

_serial = itertools.count(1)


class Issuer:
    """Signs tokens and events, and has a ledger."""

    def __init__(self, url: str = ISSUER, *, key: Key = KEY) -> None:
        self.url = url
        self.key = key
        self.published = [key]
        self.clock_error = 0.0
        self.entries: list[Draft] = []
        self.position: Position = START
        self.dropped: Position = START  # entries up to here are known to nobody any more

    def now(self) -> float:
        return time.time() + self.clock_error

    def jwks(self) -> bytes:
        return msgspec.json.encode(KeySet([key.public() for key in self.published]).to_jwks())

    # --- tokens --------------------------------------------------------------------------------------------

    def token(self, *, key: Key | None = None, typ: str = "at+jwt", **claims: Any) -> str:
        now = int(self.now())
        members: dict[str, Any] = {
            "iss": self.url,
            "aud": API,
            "sub": "ada",
            "iat": now,
            "exp": now + 300,
            "jti": f"token-{next(_serial)}",
            "client_id": "first-party",
            "sid": "session-1",
            "scope": "read write",
            "auth_time": now - 60,
            "amr": ["pwd"],
            "acr": "aal1",
            **claims,
        }
        stated = {name: value for name, value in members.items() if value is not None}
        return jws.sign(
            json.dumps(stated).encode(), key or self.key, typ=typ
        )  # the signer would not sign nonsense

    # --- the ledger ----------------------------------------------------------------------------------------

    def revoke(self, kind: Kind, value: str = "", *, cutoff: float | None = None) -> Draft:
        entry = Draft(
            kind=kind,
            value=value,
            cutoff=cutoff,
            until=self.now() + 3720,
            reason="test",
            actor="test",
            at=self.now(),
            mark="",
        )
        self.entries.append(entry)
        self.position = Position(len(self.entries), f"mark{next(_serial)}")
        self.positions().append(self.position)
        return entry

    def positions(self) -> list[Position]:
        if not hasattr(self, "_positions"):
            self._positions: list[Position] = [START]
        return self._positions

    # --- events --------------------------------------------------------------------------------------------

    def event(self, name: str, *, key: Key | None = None, typ: str = TYPE, **members: Any) -> bytes:
        """Return an event of the stream."""
        override: dict[str, Any] = {each: members.pop(each) for each in ("iss", "aud") if each in members}
        claims: dict[str, Any] = {
            "event": name,
            "seq": self.position.seq,
            "mark": self.position.mark,
            "now": self.now(),
            **members,
        }
        stated = msgspec.to_builtins(FeedEvent(**claims))
        signer = jwt.Signer(key or self.key, issuer=None, typ=typ, lifetime=NO_EXPIRY)
        signed = signer.sign({**stated, "iss": self.url, "aud": AUDIENCE, "iat": int(self.now()), **override})
        return frame(name, signed)

    def hello(self, nonce: str, **members: Any) -> bytes:
        return self.event("hello", **{"nonce": nonce, "heartbeat": 2.0, **members})

    def heartbeat(self, **members: Any) -> bytes:
        return self.event("heartbeat", **members)

    def snapshot(self, *, part_size: int = 1000, **members: Any) -> list[bytes]:
        """Return the parts of a snapshot, by default of the one with the identifier ``SNAPSHOT``."""
        last = len(self.entries)
        starts = range(0, last, part_size) or range(1)
        return [
            self.event(
                "snapshot",
                **{
                    "snapshot": SNAPSHOT,
                    "after": str(self.positions()[at]),
                    "upto": str(self.positions()[min(at + part_size, last)]),
                    "entries": to_wire(self.entries[at : at + part_size]),
                    "part": number,
                    "done": at + part_size >= last,
                    **members,
                },
            )
            for number, at in enumerate(starts)
        ]

    def entries_after(self, position: Position, **members: Any) -> bytes:
        """Return what follows a position, up to the newest."""
        start = self.positions().index(position)
        return self.event(
            "entries", **{"after": str(position), "entries": to_wire(self.entries[start:]), **members}
        )

    def knows(self, position: Position | None) -> bool:
        return position is not None and position in self.positions()

    def history(self, nonce: str, resumes: Position | None) -> Iterator[bytes]:
        """Return what a reader gets first."""
        if resumes is None or not self.knows(resumes):
            snapshot = f"snapshot-{next(_serial)}"
            yield self.hello(nonce, snapshot=snapshot)
            yield from self.snapshot(part_size=3, snapshot=snapshot)
        else:
            yield self.hello(nonce, seq=resumes.seq, mark=resumes.mark)
            if resumes != self.position:
                yield self.entries_after(resumes)


def frame(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()


def moment(offset: float = 0.0) -> Moment:
    """Return now, or some seconds later."""
    return Moment(time.time() + offset, ticks() + offset)


def mutated(token: str) -> str:
    """Return a token with another signature."""
    head, _, signature = token.rpartition(".")
    octets = bytearray(base64url.decode(signature.encode()))
    octets[7] ^= 1
    return f"{head}.{base64url.encode(bytes(octets))}"
