"""Whose address a request comes from: limits on guessing are counted by it."""

import ipaddress

import pytest

from coatcheck.web.clients import client_of

PROXIES = [ipaddress.ip_network(each) for each in ("10.0.0.0/8", "fd00::/8")]


def address(*forwarded: str, peer: str = "10.0.0.1") -> str:
    headers = [(b"x-forwarded-for", each.encode("latin-1")) for each in forwarded]
    return client_of({"headers": headers, "client": (peer, 50_000)}, PROXIES).address


def test_nobody_is_believed_but_a_trusted_proxy() -> None:
    assert address("192.0.2.7", peer="198.51.100.1") == "198.51.100.1"
    assert address() == "10.0.0.1"


def test_the_first_address_from_the_right_that_is_no_proxy_counts() -> None:
    assert address("192.0.2.7") == "192.0.2.7"
    assert address("203.0.113.9, 192.0.2.7, 10.0.0.2") == "192.0.2.7"
    assert address("203.0.113.9", "192.0.2.7") == "192.0.2.7"
    assert address("2001:db8::7, fd00::2", peer="fd00::1") == "2001:db8::7"
    assert address("::ffff:192.0.2.7") == "192.0.2.7"


@pytest.mark.parametrize(
    "claimed, read",
    [
        ("192.0.2.7:50000", "192.0.2.7"),
        ("[2001:db8::7]:50000", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[::ffff:192.0.2.7]:1", "192.0.2.7"),
    ],
)
def test_throttle_bypass_where_a_proxy_writes_ports(claimed: str, read: str) -> None:
    assert address(f"203.0.113.9, {claimed}") == read


@pytest.mark.parametrize(
    "claimed", ["unknown", "_hidden", "", "192.0.2.7:port", "192.0.2.300", "[::1", "x" * 5000]
)
def test_throttle_bypass_where_a_proxy_does_not_know_its_client(claimed: str) -> None:
    """What stands left of it came with the request: to believe it would let a guesser be somebody else each time."""
    assert address(f"203.0.113.9, {claimed}") == "10.0.0.1"
    assert address(f"203.0.113.9, {claimed}, 10.0.0.2") == "10.0.0.2"


def test_a_long_row_of_proxies_is_not_followed_for_ever() -> None:
    assert address("203.0.113.9" + ", 10.0.0.3" * 10_000) == "10.0.0.3"
