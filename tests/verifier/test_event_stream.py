"""``text/event-stream`` from somebody who may mean no good."""

import gzip
import random
import tracemalloc
import zlib
from collections.abc import Iterable

import pytest

from coatcheck.verifier.errors import MalformedStreamError
from coatcheck.verifier.event_stream import EventStream, Inflater, StreamEvent

STREAM = (
    b"\xef\xbb\xbf: a comment\r\n\r\nevent: hello\r\nid: 7.a\r\ndata: one\r\n\r\n"
    b"event: heartbeat\ndata:two\ndata: three\n\nretry: 5\runknown: x\rdata\r\rdata: four\n\n"
)
EVENTS = [
    StreamEvent("hello", b"one"),
    StreamEvent("heartbeat", b"two\nthree"),
    StreamEvent("message", b""),
    StreamEvent("message", b"four"),
]


def take(stream: EventStream, chunks: Iterable[bytes]) -> list[StreamEvent]:
    return [event for chunk in chunks for event in stream.feed(chunk)]


def read(chunks: list[bytes], limit: int = 1000) -> list[StreamEvent]:
    return take(EventStream(limit), chunks)


def test_events_are_the_same_wherever_the_network_cuts_them() -> None:
    assert read([STREAM]) == EVENTS
    assert read([bytes([octet]) for octet in STREAM]) == EVENTS
    for at in range(len(STREAM)):
        assert read([STREAM[:at], STREAM[at:]]) == EVENTS


def test_an_event_that_is_cut_off_is_no_event() -> None:
    for at in range(len(STREAM)):
        found = read([STREAM[:at]])
        assert found == EVENTS[: len(found)]


def test_a_line_that_never_ends_is_refused_before_it_fills_the_memory() -> None:
    stream = EventStream(10_000)
    tracemalloc.start()
    with pytest.raises(MalformedStreamError):
        take(stream, [b"x" * 100] * 10_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200_000


@pytest.mark.parametrize(
    "chunks",
    [
        [b"data: " + b"x" * 1001 + b"\n\n"],
        [b"data: " + b"x" * 600 + b"\n"] * 2,
        [b"data:\n"] * 1002,
    ],
    ids=["one line", "many lines", "many empty lines"],
)
def test_an_event_that_never_ends_is_refused(chunks: list[bytes]) -> None:
    with pytest.raises(MalformedStreamError):
        read(chunks)


def test_nonsense_is_read_without_a_traceback() -> None:
    source = random.Random(7)  # noqa: S311 - nonsense
    for _ in range(300):
        chunks = [source.randbytes(source.randrange(60)) for _ in range(10)]
        assert isinstance(read(chunks), list)


def test_a_compressed_stream_is_read_as_it_comes() -> None:
    packer = zlib.compressobj(wbits=31)
    packed = [packer.compress(b"data: 1\n\n") + packer.flush(zlib.Z_SYNC_FLUSH) for _ in range(3)]
    inflater = Inflater("gzip")
    for chunk in packed:
        assert b"".join(inflater.feed(chunk)) == b"data: 1\n\n"


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 300_000])
def test_no_octet_is_kept_back(size: int) -> None:
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(b"x" * size) + packer.flush(zlib.Z_SYNC_FLUSH)
    assert sum(map(len, Inflater("gzip").feed(packed))) == size


def test_a_compressed_bomb_is_never_all_in_memory() -> None:
    bomb = gzip.compress(b"\n" * 50_000_000)
    tracemalloc.start()
    longest = max(map(len, Inflater("gzip").feed(bomb)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert longest <= 65_536
    assert peak < 1_000_000


def test_a_bomb_of_one_line_is_refused() -> None:
    stream = EventStream(100_000)
    with pytest.raises(MalformedStreamError):
        take(stream, Inflater("gzip").feed(gzip.compress(b"x" * 50_000_000)))


def test_what_is_not_gzip_is_refused() -> None:
    with pytest.raises(MalformedStreamError):
        list(Inflater("gzip").feed(b"data: 1\n\n"))
    with pytest.raises(MalformedStreamError):
        Inflater("br")
    packed = gzip.compress(b"data: 1\n\n")
    with pytest.raises(MalformedStreamError):
        list(Inflater("gzip").feed(packed + packed))


def test_a_stream_without_compression_passes_as_it_is() -> None:
    assert list(Inflater("").feed(b"data")) == [b"data"]
