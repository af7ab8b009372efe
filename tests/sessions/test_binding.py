"""What a session may be bound to, and what breaks the bond."""

from typing import Literal

import pytest

from coatcheck.identity import Client
from coatcheck.sessions.binding import binding_of, is_bound_elsewhere
from coatcheck.sessions.policy import SessionPolicy
from tests.sessions.samples import session

Binding = Literal["off", "user-agent", "address"]


def leaves(binding: Binding, bound_by: Client, presented_by: Client) -> bool:
    """Tell whether a session that was made by one client is taken as foreign when another presents it."""
    policy = SessionPolicy(binding=binding)
    return is_bound_elsewhere(session(binding=binding_of(bound_by, policy)), presented_by, policy)


@pytest.mark.parametrize(
    "made_by, presented_by, foreign",
    [
        ("192.0.2.1", "192.0.2.1", False),
        ("192.0.2.1", "192.0.2.254", False),
        ("192.0.2.1", "192.0.3.1", True),
        ("2001:db8:0:100::1", "2001:db8:0:1ff::9", False),
        ("2001:db8:0:100::1", "2001:db8:0:200::1", True),
        ("192.0.2.1", "::ffff:192.0.2.7", False),  # the same place through another socket
        ("::ffff:192.0.2.1", "::ffff:203.0.113.1", True),
        ("192.0.2.1", "::192.0.2.1", True),
        ("fe80::1%eth0", "fe80::1%eth1", False),
        ("", "", False),
        ("unix", "", False),
        ("192.0.2.1", "", True),
        ("", "192.0.2.1", True),
    ],
)
def test_an_address_is_bound_to_its_network(made_by: str, presented_by: str, *, foreign: bool) -> None:
    assert leaves("address", Client(address=made_by), Client(address=presented_by)) is foreign


@pytest.mark.parametrize(
    "made_by, presented_by, foreign",
    [
        ("Firefox/150.0", "Firefox/151.0.2", True),  # another number of dots is another text
        ("Firefox/150.0", "Firefox/151.1", False),
        ("Firefox/150.0", "Chrome/150.0", True),
        ("", "", False),
        ("Firefox/150.0", "", True),
    ],
)
def test_a_browser_is_bound_to_its_name_without_its_version(
    made_by: str, presented_by: str, *, foreign: bool
) -> None:
    assert leaves("user-agent", Client(user_agent=made_by), Client(user_agent=presented_by)) is foreign


def test_where_binding_is_off_or_was_off_nothing_is_foreign() -> None:
    assert binding_of(Client(), SessionPolicy()) is None
    assert not leaves("off", Client(user_agent="a"), Client(user_agent="b"))
    unbound = session()
    assert not is_bound_elsewhere(unbound, Client(), SessionPolicy(binding="address"))
    bound = session(binding=binding_of(Client(address="192.0.2.1"), SessionPolicy(binding="address")))
    assert not is_bound_elsewhere(bound, Client(address="203.0.113.1"), SessionPolicy())


def test_what_is_stored_shows_neither_address_nor_browser() -> None:
    client = Client(address="192.0.2.1", user_agent="Firefox/150.0")
    for policy in (SessionPolicy(binding="address"), SessionPolicy(binding="user-agent")):
        stored = binding_of(client, policy)
        assert stored is not None
        assert len(stored) == 32
