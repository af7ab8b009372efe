"""Packing, compressing and reading status lists; the examples are those of draft-ietf-oauth-status-list-21."""

import hmac
import math
import random
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck._core import base64url
from coatcheck.revocation.status_list import (
    BITS,
    INVALID,
    LONGEST,
    MalformedStatusListError,
    StatusArray,
    StatusClaim,
    StatusIndexError,
    StatusReference,
    scatter,
)

# Section 4.1: sixteen statuses of one bit, and twelve of two.
ONE_BIT = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]
TWO_BITS = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]

# Appendix "Test vectors for Status List encoding": lists of 2**20.
LONG_PLACES = [0, 1993, 25460, 159495, 495669, 554353, 645645, 723232, 854545, 934534, 1000345]
LONG = (
    "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpLAAAAAAAAAAAAAAAAAAAAAJsLCQAAAAAAAAAAAD"
    "jelAAAAAAAAAAAKjDMAQAAAACAZC8L2AEb"
)


def array_of(values: list[int], bits: int) -> StatusArray:
    array = StatusArray(len(values), bits=bits)
    for index, value in enumerate(values):
        array.set(index, value)
    return array


@pytest.mark.parametrize(
    "values, bits, lst",
    [(ONE_BIT, 1, "eNrbuRgAAhcBXQ"), (TWO_BITS, 2, "eNo76fITAAPfAgc")],
    ids=["one", "two"],
)
def test_the_short_examples_are_written_and_read(values: list[int], bits: int, lst: str) -> None:
    assert array_of(values, bits).encode() == lst
    read = StatusArray.decode(lst, bits=bits)
    assert [read.get(index) for index in range(len(read))] == values


def test_the_long_example_is_read_and_written() -> None:
    read = StatusArray.decode(LONG, bits=1)
    assert len(read) == 2**20
    assert [index for index in range(2**20) if read.get(index)] == LONG_PLACES
    written = StatusArray(2**20)
    assert all(written.set(place) for place in LONG_PLACES)
    assert written.encode() == LONG


@given(st.sampled_from(BITS), st.data())
def test_what_was_set_is_what_is_read(bits: int, data: st.DataObject) -> None:
    size = 8 * data.draw(st.integers(1, 8))
    expected = data.draw(st.lists(st.integers(0, 2**bits - 1), min_size=size, max_size=size))
    array = StatusArray(size, bits=bits)
    order = list(enumerate(expected))
    random.Random(size).shuffle(order)  # noqa: S311 - the order of a test
    for index, value in order:
        assert array.set(index, value) == (value != 0)
        assert not array.set(index, value)
    read = StatusArray.decode(array.encode(), bits=bits)
    assert [read.get(index) for index in range(size)] == expected


@pytest.mark.parametrize("share", [0, 2000, 100, 10, 2, 1], ids="every-{}".format)
def test_a_sparse_list_is_written_as_small_and_read_alike(share: int) -> None:
    array = StatusArray(2**16)
    for number in range(2**16 // share if share else 0):
        array.set(scatter(number, 2**16, mac))
    best, sparse = array.encode(), array.encode(sparse=True)
    assert len(sparse) < 1.15 * len(best) + 16
    read = StatusArray.decode(sparse, bits=1)
    assert read.encode() == best


@pytest.mark.parametrize("index", [-1, -(2**63), 16, 17, 2**63])
def test_a_place_outside_of_the_list_is_refused(index: int) -> None:
    array = array_of(ONE_BIT, 1)
    with pytest.raises(StatusIndexError):
        array.get(index)
    with pytest.raises(StatusIndexError):
        array.set(index)


@pytest.mark.parametrize("value", [-1, 2, 256])
def test_a_status_of_more_bits_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="at most 1"):
        StatusArray(8).set(0, value)


@pytest.mark.parametrize("size, bits", [(0, 1), (-8, 1), (7, 1), (3, 2), (8, 3), (8, 0), (8, 16)])
def test_a_list_fills_whole_bytes(size: int, bits: int) -> None:
    with pytest.raises(ValueError, match="whole bytes"):
        StatusArray(size, bits=bits)


def packed(octets: bytes) -> str:
    return base64url.encode(zlib.compress(octets, 9))


@pytest.mark.parametrize(
    "lst, bits",
    [
        ("", 1),
        ("!", 1),
        ("é", 1),
        ("eNrbuRgAAhcBXQ==", 1),
        (packed(b""), 1),
        (base64url.encode(b"not compressed"), 1),
        (base64url.encode(zlib.compress(b"cut off")[:-5]), 1),
        (base64url.encode(zlib.compress(b"more") + b"behind"), 1),
        (packed(b"a"), 3),
    ],
    ids=["empty", "letter", "umlaut", "padded", "nothing", "plain", "short", "long", "bits"],
)
def test_what_is_no_list_is_refused(lst: str, bits: int) -> None:
    with pytest.raises(MalformedStatusListError):
        StatusArray.decode(lst, bits=bits)


def test_a_bomb_is_not_decompressed() -> None:
    bomb = packed(bytes(LONGEST + 1))
    assert len(bomb) < 10_000
    with pytest.raises(MalformedStatusListError):
        StatusArray.decode(bomb, bits=1)
    assert len(StatusArray.decode(packed(bytes(64)), bits=1, longest=64)) == 512


def test_a_claim_names_a_list_and_a_place_that_can_be() -> None:
    claim = StatusClaim(status_list=StatusReference(idx=7, uri="https://example.com/statuses/1"))
    encoded = msgspec.json.encode(claim)
    assert encoded == b'{"status_list":{"idx":7,"uri":"https://example.com/statuses/1"}}'
    assert msgspec.json.decode(encoded, type=StatusClaim) == claim
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(encoded.replace(b"7", b"-7"), type=StatusClaim)


# --- places -----------------------------------------------------------------------------------------------


def mac(message: bytes, *, key: bytes = b"k") -> bytes:
    return hmac.digest(key, message, "sha256")


@pytest.mark.parametrize("size", [1, 2, 8, 16, 24, 100, 1024, 4096])
def test_every_place_is_given_once(size: int) -> None:
    assert sorted(scatter(number, size, mac) for number in range(size)) == list(range(size))


def test_another_list_has_another_order() -> None:
    ours = [scatter(number, 4096, mac) for number in range(64)]
    others = [scatter(number, 4096, lambda message: mac(message, key=b"o")) for number in range(64)]
    assert sum(map(int.__eq__, ours, others)) < 5


def test_a_place_says_nothing_about_the_order() -> None:
    size = 2**16
    places = [scatter(number, size, mac) for number in range(4000)]
    ranks = sorted(range(4000), key=places.__getitem__)
    # Spearman's rank correlation of n independent values has the standard deviation 1 / sqrt(n - 1).
    squares = sum((rank - number) ** 2 for number, rank in enumerate(ranks))
    assert abs(1 - 6 * squares / (4000 * (4000**2 - 1))) < 4 / math.sqrt(4000)
    steps = sum(places[number + 1] > places[number] for number in range(3999))
    assert abs(steps - 2000) < 4 * math.sqrt(4000 / 12)
    halves = sum(place < size // 2 for place in places)
    assert abs(halves - 2000) < 4 * math.sqrt(4000 / 4)


def test_the_value_of_a_revoked_token_is_invalid() -> None:
    array = StatusArray(8)
    array.set(3)
    assert array.get(3) == INVALID == 1
