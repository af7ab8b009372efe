"""What a verifier downloads, counted at its socket, and what a status list of a million tokens is."""

from __future__ import annotations

import gzip
import random
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgspec

from bench.ledger.site import Site
from coatcheck._core.secrets import new_identifier
from coatcheck.jose import Key, jws
from coatcheck.revocation.status_list import StatusArray

_TIMEOUT = 20.0
_CHUNK = 65_536
_PLAIN, _GZIP = "plain", "gzip"


@dataclass(frozen=True)
class Download:
    """Octets that came in, with all headers and frames, until a verifier had what it needs."""

    what: str
    octets: dict[str, int]
    """By encoding."""
    milliseconds: dict[str, float]


@dataclass(frozen=True)
class List:
    """A status list."""

    what: str
    places: int
    revoked: int
    octets: int
    """The signed token, as it is served."""
    gzip_octets: int
    sign_ms: float
    """To compress and sign it."""
    read_ms: float
    """To verify and decompress it."""


def downloads(directory: Path, *, entries: int, revocations: int) -> list[Download]:
    """Count what comes from a real server."""
    site = Site(directory)
    tickets = site.prepare(2 * revocations + 2)
    site.start()
    try:
        found = [_start(site, "start, empty ledger")]
        found.append(_each(site, [ticket.token for ticket in tickets[: 2 * revocations]], revocations))
        site.kill()  # else it would send the snapshot that it has, and what came since
        site.flood(entries // 500, 500)
        site.start()
        found.append(_start(site, f"start, {entries} live entries"))
        found.append(_beats(site))
        return found
    finally:
        site.kill()


def _start(site: Site, what: str) -> Download:
    octets, took = {}, {}
    for encoding in (_PLAIN, _GZIP):
        began = time.perf_counter()
        with _Reader.connected(site, encoding) as reader:
            reader.until("heartbeat", also_after="snapshot")
        took[encoding] = (reader.complete_at - began) * 1_000
        octets[encoding] = reader.complete_octets
    return Download(what, octets, took)


def _each(site: Site, tokens: list[str], count: int) -> Download:
    octets = {}
    for number, encoding in enumerate((_PLAIN, _GZIP)):
        with _Reader.connected(site, encoding) as reader:
            reader.until("heartbeat")
            sizes = []
            for token in tokens[number * count : (number + 1) * count]:
                before = reader.octets
                site.sign_out(token)
                events = reader.until("entries")
                if events == ["entries"]:  # a heartbeat may have come along
                    sizes.append(reader.octets - before)
            octets[encoding] = round(median(sizes))
    return Download("each revocation", octets, {})


def _beats(site: Site) -> Download:
    octets = {}
    for encoding in (_PLAIN, _GZIP):
        with _Reader.connected(site, encoding) as reader:
            reader.until("heartbeat")
            reader.until("heartbeat")
            before = reader.octets
            reader.until("heartbeat")
            octets[encoding] = reader.octets - before
    return Download("each heartbeat", octets, {})


class _Reader:
    """A socket that asks for the ledger."""

    def __init__(self, connection: socket.socket, encoding: str) -> None:
        self.octets = 0
        self.complete_at = 0.0
        self.complete_octets = 0
        self._connection = connection
        self._inflate = zlib.decompressobj(31) if encoding == _GZIP else None
        self._raw = b""
        self._text = b""
        self._head = True

    @classmethod
    @contextmanager
    def connected(cls, site: Site, encoding: str) -> Iterator[_Reader]:
        """Connect and ask."""
        with socket.create_connection(("127.0.0.1", site.port), _TIMEOUT) as connection:
            lines = [f"GET /auth/ledger?nonce={new_identifier()} HTTP/1.1", f"Host: 127.0.0.1:{site.port}"]
            lines += [f"Authorization: Bearer {site.key}", f"Accept-Encoding: {encoding}", "", ""]
            connection.sendall("\r\n".join(lines).encode())
            yield cls(connection, encoding)

    def until(self, name: str, *, also_after: str = "") -> list[str]:
        """Read until such an event; return the names of all that came. Notes when the last of another kind came."""
        names: list[str] = []
        while name not in names:
            came = self._read()
            names += came
            if came and (not self.complete_at or also_after in came):
                self.complete_at, self.complete_octets = time.perf_counter(), self.octets
        return names

    def _read(self) -> list[str]:
        received = self._connection.recv(_CHUNK)
        if not received:
            raise EOFError("the stream has ended")
        self.octets += len(received)
        self._raw += received
        if self._head:
            head, blank, rest = self._raw.partition(b"\r\n\r\n")
            if not blank:
                return []
            if b" 200 " not in head.split(b"\r\n")[0]:
                raise EOFError(head.decode("latin-1"))
            self._head, self._raw = False, rest
        for chunk in self._chunks():
            self._text += self._inflate.decompress(chunk) if self._inflate else chunk
        *blocks, self._text = self._text.split(b"\n\n")
        return [block.split(b"\n")[0].removeprefix(b"event: ").decode("ascii") for block in blocks]

    def _chunks(self) -> Iterator[bytes]:
        while True:
            size, line_end, rest = self._raw.partition(b"\r\n")
            if not line_end or len(rest) < int(size, 16) + 2:
                return
            yield rest[: int(size, 16)]
            self._raw = rest[int(size, 16) + 2 :]


def status_lists(*, rounds: int) -> list[List]:
    """Make lists of a million tokens, one in a hundred of them revoked."""
    return [
        _list("1 000 000 places, all given", 1_000_000, 10_000, rounds),
        _list("as served: half given, of two lists one", 2**20, 5_243, rounds),
    ]


def _list(what: str, places: int, revoked: int, rounds: int) -> List:
    array, key = StatusArray(places), Key.generate("ES256")
    for place in random.sample(range(places), revoked):
        array.set(place)
    signing, reading = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        payload = {"sub": "https://id.example/auth/statuses/1", "iat": 0, "exp": 300, "ttl": 60}
        status_list = {"bits": 1, "lst": array.encode(sparse=True)}
        token = jws.sign(
            msgspec.json.encode(payload | {"status_list": status_list}), key, typ="statuslist+jwt"
        )
        signing.append(time.perf_counter() - began)
        began = time.perf_counter()
        verified = jws.verify(token, key.public())
        claims = msgspec.json.decode(verified.payload)
        StatusArray.decode(claims["status_list"]["lst"], bits=1)
        reading.append(time.perf_counter() - began)
    octets = token.encode("ascii")
    return List(
        what,
        places,
        revoked,
        len(octets),
        len(gzip.compress(octets, 9, mtime=0)),
        median(signing) * 1_000,
        median(reading) * 1_000,
    )
