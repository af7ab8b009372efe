"""Limits on guessing, by the generic cell rate algorithm (ITU-T I.371), which keeps one number for each key.

The number is the time at which, if nothing more came, the key would be as good as new. An attempt is counted before
the password is looked at, so that many at once count as many. What is refused is not counted: whoever waits, gets in.

This plans; whoever calls reads and writes the numbers in one transaction, or a parallel attempt slips through.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import msgspec

from .._core import base64url
from .._core.secrets import digest
from .policy import Rate, ThrottlePolicy

__all__ = [
    "Allowed",
    "Refused",
    "block_of",
    "cleared_on_reset",
    "cleared_on_success",
    "document_limits",
    "network_of",
    "plan_attempt",
    "re_authentication_limits",
    "registration_limits",
    "request_limits",
    "reset_limits",
    "sign_in_limits",
    "sign_up_limits",
]

_ACCOUNT_AT_ADDRESS = "sign-in/account-at-address"
_ACCOUNT = "sign-in/account"
_ACCOUNT_IN_ALL = "sign-in/account-in-all"
_SESSION = "sign-in/session"
_NETWORK_BITS, _BLOCK_BITS = 64, 48  # of an IPv6 address
_GRAIN = 0.001  # seconds; sums of times since 1970 are no more exact than some microseconds
_CLEARED_ON_SUCCESS = (_ACCOUNT_AT_ADDRESS, _ACCOUNT, _ACCOUNT_IN_ALL)


class Allowed(msgspec.Struct, frozen=True):
    """The attempt may be made.

    Attributes:
        times: What to write before it is made.
    """

    times: dict[str, float]


class Refused(msgspec.Struct, frozen=True):
    """The attempt may not be made, and nothing is to be written.

    Attributes:
        retry_after: After how many seconds all the limits have room for it.
    """

    retry_after: float


def plan_attempt(times: Mapping[str, float], limits: Mapping[str, Rate], *, now: float) -> Allowed | Refused:
    """Decide on an attempt that counts under several keys: under all of them, or not at all.

    Args:
        times: The numbers that the storage has for these keys.
        limits: The keys and their rates, of ``sign_in_limits`` and its like.
        now: The time.
    """
    planned: dict[str, float] = {}
    wait = 0.0
    for key, rate in limits.items():
        full = now + rate.burst * rate.interval
        # A number beyond what the rate can lead to comes from another policy or another clock, and is cut to it.
        planned[key] = min(max(times.get(key, now), now), full) + rate.interval
        wait = max(wait, planned[key] - full)
    return Refused(wait) if wait > _GRAIN else Allowed(planned)


def sign_in_limits(
    policy: ThrottlePolicy, *, email_key: str, address: str, trusted_device: str | None
) -> dict[str, Rate]:
    """Return the keys that a sign-in counts under.

    They are the same whether or not there is such an account.

    Args:
        policy: The rates.
        email_key: The account, by ``EmailAddress.key``.
        address: The client's IP address. Without one, only the account is counted: else all who have none would share
            a limit.
        trusted_device: The identifier of a device that has signed in to this account before, as a signature of ours
            proves; else ``None``.
    """
    limits = {}
    if policy.account_in_all is not None:
        limits[_key(_ACCOUNT_IN_ALL, email_key)] = policy.account_in_all
    if trusted_device is not None:
        limits[_key("sign-in/device", email_key, trusted_device)] = policy.device
        return limits
    limits[_key(_ACCOUNT, email_key)] = policy.account
    if network := network_of(address):
        limits[_key("sign-in/address", network)] = policy.address
        limits[_key(_ACCOUNT_AT_ADDRESS, email_key, network)] = policy.account_at_address
    if block := block_of(address):
        limits[_key("sign-in/block", block)] = policy.block
    return limits


def re_authentication_limits(policy: ThrottlePolicy, *, email_key: str, session_id: str) -> dict[str, Rate]:
    """Return the keys that a password counts under that is asked for again, of somebody who is signed in.

    It is the session that is counted: what strangers do without one cannot get in its owner's way.
    """
    limits = {_key(_SESSION, session_id): policy.account_at_address}
    if policy.account_in_all is not None:
        limits[_key(_ACCOUNT_IN_ALL, email_key)] = policy.account_in_all
    return limits


def reset_limits(policy: ThrottlePolicy, *, email_key: str, address: str) -> dict[str, Rate]:
    """Return the keys that a request for a reset link counts under. Beyond the limit no mail is sent.

    Whoever is refused is told the same as everybody: a link that was mailed before still works.
    """
    rates = (policy.reset_block, policy.reset_address, policy.reset_mailbox_at_address, policy.reset_mailbox)
    return _mail_limits("reset", rates, email_key=email_key, address=address)


def sign_up_limits(policy: ThrottlePolicy, *, email_key: str, address: str) -> dict[str, Rate]:
    """Return the keys that a sign-up counts under, and any other mail to an address that nobody has confirmed."""
    rates = (
        policy.sign_up_block,
        policy.sign_up_address,
        policy.sign_up_mailbox_at_address,
        policy.sign_up_mailbox,
    )
    return _mail_limits("sign-up", rates, email_key=email_key, address=address)


def registration_limits(policy: ThrottlePolicy, *, address: str) -> dict[str, Rate]:
    """Return the keys that a client's registration counts under, if nobody allowed it: none without an address."""
    limits = {}
    if network := network_of(address):
        limits[_key("registration/address", network)] = policy.registration_address
    if block := block_of(address):
        limits[_key("registration/block", block)] = policy.registration_block
    return limits


def request_limits(policy: ThrottlePolicy, *, address: str) -> dict[str, Rate]:
    """Return the keys that an authorization request counts under that is put down for somebody unknown.

    It waits for an hour, in the storage: without a limit one connection could fill the disk.
    """
    limits = {}
    if network := network_of(address):
        limits[_key("request/address", network)] = policy.request_address
    if block := block_of(address):
        limits[_key("request/block", block)] = policy.request_block
    return limits


def user_request_limits(policy: ThrottlePolicy, *, user_id: str) -> dict[str, Rate]:
    """Return the keys that an authorization request counts under that is put down for somebody who is signed in."""
    return {_key("request/user", user_id): policy.request_address}


def document_limits(policy: ThrottlePolicy, *, host: str, address: str) -> dict[str, Rate]:
    """Return the keys that the fetch of a document counts under that a stranger named.

    The host's own limit keeps this server from being one of many that are turned against it.
    """
    limits = {_key("document/host", host): policy.document_host}
    if network := network_of(address):
        limits[_key("document/address", network)] = policy.document_address
    return limits


def _mail_limits(
    kind: str, rates: tuple[Rate, Rate, Rate, Rate], *, email_key: str, address: str
) -> dict[str, Rate]:
    by_block, by_address, by_mailbox_at_address, by_mailbox = rates
    limits = {_key(f"{kind}/mailbox", email_key): by_mailbox}
    if network := network_of(address):
        limits[_key(f"{kind}/address", network)] = by_address
        limits[_key(f"{kind}/mailbox-at-address", email_key, network)] = by_mailbox_at_address
    if block := block_of(address):
        limits[_key(f"{kind}/block", block)] = by_block
    return limits


def cleared_on_success(*, email_key: str, address: str) -> list[str]:
    """Return the keys to delete when somebody has signed in: those of the account, and never that of the address."""
    parts = ((email_key, network_of(address)), (email_key,), (email_key,))
    return [_key(kind, *part) for kind, part in zip(_CLEARED_ON_SUCCESS, parts, strict=True)]


def cleared_on_reset(*, email_key: str, address: str) -> list[str]:
    """Return the keys to delete when a password was reset through a link: the account's, and those of further links."""
    return [*cleared_on_success(email_key=email_key, address=address), _key("reset/mailbox", email_key)]


def network_of(address: str) -> str:
    """Return what counts as one place: the IPv4 address, or the first 64 bits of the IPv6 address.

    A text that is no address is no place, and gives ``""``.
    """
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((int(parsed), _NETWORK_BITS), strict=False))
    return "" if parsed is None else str(parsed)


def block_of(address: str) -> str:
    """Return the block that an IPv6 address lies in, its first 48 bits; ``""`` for an IPv4 address, or for none.

    It is what one subscriber has at most: whoever can choose among 65,536 networks is still one.
    """
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((int(parsed), _BLOCK_BITS), strict=False))
    return ""


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed


def _key(kind: str, *parts: str) -> str:
    """Return a key that names nobody: an address book cannot be read off the table of limits."""
    return f"{kind}:{base64url.encode(digest(chr(0).join(parts))[:16])}"
