"""The numbers: what a password must be, what hashing one costs, and how often something may be tried."""

from __future__ import annotations

import math

import msgspec

__all__ = ["NIST_THROTTLE_POLICY", "Argon2Parameters", "PasswordPolicy", "Rate", "ThrottlePolicy"]

_MINUTE = 60.0
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


class PasswordPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What a new password must be (NIST SP 800-63B-4 section 3.1.1, ASVS 5.0 6.2). There are no rules of composition.

    Attributes:
        minimum: The fewest characters (Unicode code points). NIST wants 15 where the password is the only factor.
        maximum: The most characters.
        context_words: Words that a guesser would try on this site first: its name, the product's, the company's.
    """

    minimum: int = 8
    maximum: int = 256
    context_words: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for bounds below what the standards allow."""
        if self.minimum < 8:
            raise ValueError("A password has at least 8 characters (ASVS 6.2.1).")
        if self.maximum < max(64, self.minimum):
            raise ValueError("Passwords of 64 characters must be possible (ASVS 6.2.9).")


class Argon2Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """What one argon2id hash costs (RFC 9106). The default is the floor of OWASP and of ASVS 5.0, appendix C.

    Attributes:
        time_cost: Passes over the memory.
        memory_kib: Memory in KiB. A process uses this much for every worker of its ``HashingPool``.
        parallelism: Lanes.
    """

    time_cost: int = 2
    memory_kib: int = 19_456
    parallelism: int = 1

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for parameters that argon2 cannot do."""
        if self.time_cost < 1 or self.parallelism < 1:
            raise ValueError("argon2 makes at least one pass in one lane.")
        if self.memory_kib < 8 * self.parallelism:
            raise ValueError("argon2 needs 8 KiB for each lane (RFC 9106 section 3.1).")


class Rate(msgspec.Struct, frozen=True):
    """A limit of the generic cell rate algorithm: ``burst`` at once, and one more for every ``interval`` seconds.

    Attributes:
        burst: How many may come at once.
        interval: Seconds until there is room for one more.
    """

    burst: int
    interval: float

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a rate that admits nothing, or everything."""
        if self.burst < 1 or not 0.01 <= self.interval < math.inf:
            raise ValueError("A rate has a burst of at least 1 and an interval of at least 0.01 seconds.")


class ThrottlePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often something may be tried (ASVS 5.0 6.1.1 and 6.3.1).

    Guessing is limited three times: from one network over all accounts, from one network at one account, and at one
    account from everywhere. The last is what a stranger could use to lock somebody out, so it holds only for devices
    that never signed in to the account. One that did is counted by itself, and nothing that a stranger does touches
    its count. On a new device, while an attack goes on, the way in is the reset link: using it clears the account's
    limits and makes that browser a known device. Addresses are IPv4 addresses and IPv6 networks of 64 bits. Of those a
    single subscriber may have up to 65,536 (RFC 6177), so the block of 48 bits that they lie in is counted too, more
    widely, as a mobile carrier may serve many subscribers from one.

    Attributes:
        address: Sign-ins from one network, over all accounts. Never cleared, or an attacker would clear it with an
            account of their own. Wide, because a school or a mobile carrier may stand behind one address.
        block: Sign-ins from one IPv6 block, over all accounts. Never cleared.
        account_at_address: Sign-ins to one account from one network. Cleared by success.
        account: Sign-ins to one account from all devices that are not known to it: at most 98 on any day. Cleared by
            success.
        account_in_all: Sign-ins to one account from all devices, the known ones too; ``None`` for no such limit. It
            must leave room above ``account``, or strangers could use up what known devices need. Cleared by success.
        device: Sign-ins to one account from one device that is known to it. Not cleared: nobody types that fast.
        reset_address: Requests for a reset link from one network.
        reset_block: Requests for a reset link from one IPv6 block.
        reset_mailbox_at_address: Requests from one network for one mailbox.
        reset_mailbox: Requests for one mailbox from everywhere, as each of them is a mail. The interval must not be
            longer than a link lasts: whoever uses up the limit thereby keeps a link that works in the owner's mailbox.
        sign_up_address: Sign-ups from one network.
        sign_up_block: Sign-ups from one IPv6 block.
        sign_up_mailbox_at_address: Sign-ups from one network for one mailbox.
        sign_up_mailbox: Sign-ups for one mailbox from everywhere.
        registration_address: Clients that register themselves from one network, without being allowed to by a token.
        registration_block: The same from one IPv6 block.
        document_address: Documents of clients that are fetched because one network asked for it.
        document_host: Documents that are fetched from one host, whoever asked for it.
        request_address: Authorization requests that are put down for strangers from one network.
        request_block: The same from one IPv6 block.
    """

    address: Rate = Rate(100, 10.0)
    block: Rate = Rate(500, 2.0)
    account_at_address: Rate = Rate(10, _MINUTE)
    account: Rate = Rate(50, 30 * _MINUTE)
    account_in_all: Rate | None = None
    device: Rate = Rate(20, _MINUTE)
    reset_address: Rate = Rate(30, _MINUTE)
    reset_block: Rate = Rate(150, 12.0)
    reset_mailbox_at_address: Rate = Rate(3, 15 * _MINUTE)
    reset_mailbox: Rate = Rate(5, 5 * _MINUTE)
    sign_up_address: Rate = Rate(30, _MINUTE)
    sign_up_block: Rate = Rate(150, 12.0)
    sign_up_mailbox_at_address: Rate = Rate(3, 15 * _MINUTE)
    sign_up_mailbox: Rate = Rate(5, 15 * _MINUTE)
    registration_address: Rate = Rate(200, 10.0)
    registration_block: Rate = Rate(1000, 2.0)
    document_address: Rate = Rate(60, 10.0)
    document_host: Rate = Rate(60, 1.0)
    request_address: Rate = Rate(1000, 1.0)
    request_block: Rate = Rate(5000, 1.0)


NIST_THROTTLE_POLICY = ThrottlePolicy(
    account_at_address=Rate(10, _HOUR),
    account=Rate(40, 30 * _DAY),
    account_in_all=Rate(90, 40 * _DAY),
    device=Rate(10, _MINUTE),
)
"""At most 99 consecutive failures at an account in a year (NIST SP 800-63B-4 section 3.2.2 allows 100).

At most 52 of them come from unknown devices, which leaves the others to the owner's. The price: after some forty
wrong passwords by anybody, an account opens on a new device by the reset link only.
"""
