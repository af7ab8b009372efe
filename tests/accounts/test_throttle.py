"""The limits: nobody gets in more often than they say, and nobody is kept out by what strangers do."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coatcheck.accounts.policy import NIST_THROTTLE_POLICY, Rate, ThrottlePolicy
from coatcheck.accounts.throttle import (
    Allowed,
    Refused,
    block_of,
    cleared_on_reset,
    cleared_on_success,
    network_of,
    plan_attempt,
    reset_limits,
    sign_in_limits,
    sign_up_limits,
)

NOW = 1_800_000_000.0
DAY = 86_400.0
VICTIM = "victim@example.com"
POLICY = ThrottlePolicy()

rates = st.builds(Rate, st.integers(1, 20), st.floats(0.01, 10_000))
waits = st.lists(st.floats(0, 1000), max_size=60)


class Site:
    """Limits with their numbers: what a storage and a flow make of the plans."""

    def __init__(self, policy: ThrottlePolicy = POLICY) -> None:
        self.policy = policy
        self.times: dict[str, float] = {}

    def attempt(self, limits: dict[str, Rate], now: float) -> bool:
        plan = plan_attempt(self.times, limits, now=now)
        if isinstance(plan, Allowed):
            self.times |= plan.times
        return isinstance(plan, Allowed)

    def sign_in(self, now: float, *, address: str, device: str | None = None, email: str = VICTIM) -> bool:
        limits = sign_in_limits(self.policy, email_key=email, address=address, trusted_device=device)
        return self.attempt(limits, now)

    def clear(self, keys: list[str]) -> None:
        for key in keys:
            self.times.pop(key, None)

    def hammer(self, now: float, *, count: int = 200) -> int:
        """Try once from each of many addresses; return how often that was allowed."""
        addresses = (f"10.{place >> 8}.{place & 255}.1" for place in range(count))
        return sum(self.sign_in(now, address=address) for address in addresses)


# The algorithm


@given(rates, waits)
def test_never_more_is_admitted_than_the_burst_and_one_for_each_interval(
    rate: Rate, waits: list[float]
) -> None:
    site, now, admitted = Site(), NOW, []
    for wait in waits:
        now += wait
        if site.attempt({"key": rate}, now):
            admitted.append(now)
    for index, first in enumerate(admitted):
        for count, last in enumerate(admitted[index:], 1):
            assert count <= rate.burst + (last - first + 0.002) / rate.interval


@given(rates)
def test_the_whole_burst_is_admitted_at_once_and_no_more(rate: Rate) -> None:
    site = Site()
    assert [site.attempt({"key": rate}, NOW) for _ in range(rate.burst + 2)] == [True] * rate.burst + [
        False
    ] * 2


@given(rates, waits)
def test_whoever_waits_as_long_as_told_is_admitted(rate: Rate, waits: list[float]) -> None:
    site, now = Site(), NOW
    for wait in waits:
        now += wait
        plan = plan_attempt(site.times, {"key": rate}, now=now)
        if isinstance(plan, Refused):
            assert 0 < plan.retry_after <= rate.interval + 0.001
            assert isinstance(plan_attempt(site.times, {"key": rate}, now=now + plan.retry_after), Allowed)
        else:
            site.times |= plan.times


@given(rates, st.integers(1, 200))
def test_refused_attempts_do_not_prolong_the_wait(rate: Rate, count: int) -> None:
    site = Site()
    while site.attempt({"key": rate}, NOW):
        pass
    before = dict(site.times)
    for step in range(count):
        site.attempt({"key": rate}, NOW + step * rate.interval / 1000)
        if step * rate.interval / 1000 > rate.interval / 2:
            break
    assert site.times == before
    assert site.attempt({"key": rate}, NOW + rate.interval)


@given(st.dictionaries(st.sampled_from("abc"), rates, min_size=2), waits)
def test_an_attempt_counts_under_all_keys_or_none(limits: dict[str, Rate], waits: list[float]) -> None:
    site, now = Site(), NOW
    for wait in waits:
        now += wait
        alone = [
            isinstance(plan_attempt(site.times, {key: rate}, now=now), Allowed)
            for key, rate in limits.items()
        ]
        before = dict(site.times)
        assert site.attempt(limits, now) is all(alone)
        changed = {key for key in limits if site.times.get(key) != before.get(key)}
        assert changed == (set(limits) if all(alone) else set())


def test_the_wait_is_that_of_the_slowest_key() -> None:
    times = {"slow": NOW + 1000, "fast": NOW + 10}
    plan = plan_attempt(times, {"slow": Rate(1, 1000), "fast": Rate(1, 10)}, now=NOW)
    assert plan == Refused(1000.0)


def test_no_limits_refuse_nothing() -> None:
    assert plan_attempt({}, {}, now=NOW) == Allowed({})


@given(rates, st.floats(0, 1e12))
def test_a_number_from_another_clock_or_policy_keeps_nobody_out_for_longer_than_the_rate(
    rate: Rate, ahead: float
) -> None:
    plan = plan_attempt({"key": NOW + ahead}, {"key": rate}, now=NOW)
    assert isinstance(plan, Allowed) or plan.retry_after <= rate.interval + 0.001


def test_a_clock_that_is_set_back_gives_no_more_attempts() -> None:
    site, rate = Site(), Rate(3, 60)
    assert [site.attempt({"key": rate}, NOW) for _ in range(3)] == [True] * 3
    assert not site.attempt({"key": rate}, NOW - 3600)


@pytest.mark.parametrize(
    "burst, interval", [(0, 1), (-1, 1), (1, 0), (1, -1), (1, float("inf")), (1, float("nan"))]
)
def test_a_rate_that_means_nothing_is_refused(burst: int, interval: float) -> None:
    with pytest.raises(ValueError, match="A rate has"):
        Rate(burst, interval)


# Guessing


def test_asvs_6_3_1_an_attacker_at_many_addresses_has_98_guesses_at_an_account_on_any_day() -> None:
    site = Site()
    guesses = sum(site.hammer(NOW + minute * 60) for minute in range(0, 24 * 60, 29))
    assert guesses <= 98


def test_an_attacker_at_one_address_has_few_guesses_at_an_account() -> None:
    site = Site()
    assert sum(site.sign_in(NOW, address="192.0.2.1") for _ in range(1000)) == POLICY.account_at_address.burst


def test_one_address_is_limited_over_all_accounts_and_its_own_success_does_not_change_that() -> None:
    site, address = Site(), "192.0.2.1"
    admitted = 0
    for number in range(1000):
        admitted += site.sign_in(NOW, address=address, email=f"user{number}@example.com")
        if site.sign_in(NOW, address=address, email="attacker@example.com"):
            admitted += 1
            site.clear(cleared_on_success(email_key="attacker@example.com", address=address))
    assert admitted == POLICY.address.burst


def test_a_parallel_burst_is_counted_before_any_password_is_looked_at() -> None:
    site = Site()
    limits = sign_in_limits(POLICY, email_key=VICTIM, address="192.0.2.1", trusted_device=None)
    plans = [site.attempt(limits, NOW) for _ in range(200)]
    assert sum(plans) == 10


# Locking out


def test_asvs_6_1_1_a_stranger_cannot_lock_the_owner_out_of_a_device_that_signed_in_before() -> None:
    site = Site()
    for hour in range(48):
        now = NOW + hour * 3600
        site.hammer(now)
        while site.sign_in(now, address="192.0.2.1"):  # also from where the owner is
            pass
        assert site.sign_in(now, address="192.0.2.1", device="owner's telephone")


def test_a_neighbour_behind_the_same_address_cannot_lock_out_a_known_device() -> None:
    site, address = Site(), "192.0.2.1"
    for number in range(1000):
        site.sign_in(NOW, address=address, email=f"user{number}@example.com")
    assert not site.sign_in(NOW, address=address)
    assert site.sign_in(NOW, address=address, device="owner's telephone")


def test_a_known_device_is_known_to_its_own_account_only() -> None:
    site = Site()
    mine = sign_in_limits(POLICY, email_key="me@example.com", address="", trusted_device="device")
    theirs = sign_in_limits(POLICY, email_key=VICTIM, address="", trusted_device="device")
    assert not set(mine) & set(theirs)
    while site.attempt(mine, NOW):
        pass
    assert site.attempt(theirs, NOW)


def test_a_stolen_device_has_its_own_limit() -> None:
    site = Site()
    assert (
        sum(site.sign_in(NOW, address="192.0.2.1", device="stolen") for _ in range(100))
        == POLICY.device.burst
    )


def test_during_an_attack_the_owner_gets_in_on_a_new_device_through_the_reset_link() -> None:
    site, address = Site(), "198.51.100.7"
    site.hammer(NOW)
    assert not site.sign_in(NOW, address=address)
    assert site.attempt(reset_limits(POLICY, email_key=VICTIM, address=address), NOW)
    site.clear(cleared_on_reset(email_key=VICTIM, address=address))
    assert site.sign_in(NOW, address=address)
    site.hammer(NOW)
    assert site.sign_in(NOW, address=address, device="the new device")


def test_half_an_hour_after_an_attack_a_new_device_signs_in_by_password() -> None:
    site = Site()
    site.hammer(NOW)
    assert not site.sign_in(NOW, address="198.51.100.7")
    assert site.sign_in(NOW + POLICY.account.interval, address="198.51.100.7")


def test_success_clears_what_the_owner_s_own_mistakes_used_up() -> None:
    site, address = Site(), "198.51.100.7"
    for _ in range(9):
        assert site.sign_in(NOW, address=address)
    assert site.sign_in(NOW, address=address)
    site.clear(cleared_on_success(email_key=VICTIM, address=address))
    assert sum(site.sign_in(NOW, address=address) for _ in range(20)) == 10


def test_whoever_uses_up_the_resets_of_a_mailbox_leaves_a_link_there_that_works() -> None:
    site, link_lifetime = Site(), 600
    mailed_at = []
    for now in range(0, 7200, 20):
        for part in range(20):
            limits = reset_limits(POLICY, email_key=VICTIM, address=f"10.0.{now % 250}.{part}")
            if site.attempt(limits, NOW + now):
                mailed_at.append(now)
    gaps = [later - earlier for earlier, later in pairwise(mailed_at)]
    assert max(gaps) < link_lifetime


def test_one_address_cannot_flood_a_mailbox() -> None:
    site = Site()
    limits = reset_limits(POLICY, email_key=VICTIM, address="192.0.2.1")
    assert sum(site.attempt(limits, NOW + minute * 60) for minute in range(24 * 60)) <= 3 + 96


def test_sign_ups_for_a_mailbox_do_not_use_up_its_resets() -> None:
    site = Site()
    while site.attempt(sign_up_limits(POLICY, email_key=VICTIM, address="192.0.2.1"), NOW):
        pass
    assert site.attempt(reset_limits(POLICY, email_key=VICTIM, address="192.0.2.1"), NOW)


# NIST


def test_under_the_nist_policy_an_account_sees_no_100_consecutive_failures_in_a_year() -> None:
    site, failures, known = Site(NIST_THROTTLE_POLICY), 0, 0
    for day in range(365):
        failures += site.hammer(NOW + day * DAY, count=60)
        for device in ("telephone", "laptop", "tablet"):
            known += sum(site.sign_in(NOW + day * DAY, address="", device=device) for _ in range(3))
    assert failures + known < 100
    assert failures <= 52
    assert known >= 40  # what strangers cannot take away from known devices


def test_under_the_nist_policy_success_on_a_known_device_starts_the_count_again() -> None:
    site = Site(NIST_THROTTLE_POLICY)
    site.hammer(NOW)
    assert not site.sign_in(NOW, address="198.51.100.7")
    assert site.sign_in(NOW, address="192.0.2.1", device="telephone")
    site.clear(cleared_on_success(email_key=VICTIM, address="192.0.2.1"))
    assert site.sign_in(NOW, address="198.51.100.7")


# Keys


@pytest.mark.parametrize(
    "address, network",
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix", ""),
        ("192.0.2.1/24", ""),
    ],
)
def test_an_address_stands_for_its_network(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    "address, block",
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("2001:db8:1:ffff::", "2001:db8:1::/48"),
        ("192.0.2.1", ""),
        ("::ffff:192.0.2.1", ""),
        ("unix", ""),
    ],
)
def test_only_an_ipv6_address_lies_in_a_block(address: str, block: str) -> None:
    assert block_of(address) == block


@given(st.text(max_size=60))
def test_any_text_is_a_network_or_none(text: str) -> None:
    assert isinstance(network_of(text), str)
    assert block_of(text) == "" or ":" in text


def test_throttle_bypass_by_the_many_networks_of_one_ipv6_subscriber() -> None:
    """Each guess from another network, at another account: else the queue of those who sign in is full for hours."""
    site = Site()
    guesses = [(f"2001:db8:1:{place:x}::1", f"person{place}@example.com") for place in range(2000)]
    allowed = sum(site.sign_in(NOW, address=address, email=email) for address, email in guesses)
    assert allowed == POLICY.block.burst
    assert site.sign_in(NOW, address="2001:db8:2::1", email="other@example.com")
    for limits_of, rate in ((reset_limits, POLICY.reset_block), (sign_up_limits, POLICY.sign_up_block)):
        mails = sum(
            site.attempt(limits_of(POLICY, email_key=email, address=address), NOW)
            for address, email in guesses
        )
        assert mails == rate.burst


def test_without_an_address_only_the_account_is_counted() -> None:
    limits = sign_in_limits(POLICY, email_key=VICTIM, address="", trusted_device=None)
    assert list(limits.values()) == [POLICY.account]
    assert list(reset_limits(POLICY, email_key=VICTIM, address="").values()) == [POLICY.reset_mailbox]


def test_keys_name_neither_person_nor_address() -> None:
    address, device = "192.0.2.1", "device-1"
    keys = [
        *sign_in_limits(NIST_THROTTLE_POLICY, email_key=VICTIM, address=address, trusted_device=None),
        *sign_in_limits(NIST_THROTTLE_POLICY, email_key=VICTIM, address=address, trusted_device=device),
        *reset_limits(POLICY, email_key=VICTIM, address=address),
        *sign_up_limits(POLICY, email_key=VICTIM, address=address),
    ]
    assert len(set(keys)) == len(keys) - 1  # the limit over all devices is in both
    assert not any(text in key for key in keys for text in (VICTIM, "victim", address, device))


def test_every_cleared_key_is_one_that_is_counted() -> None:
    counted = {
        *sign_in_limits(NIST_THROTTLE_POLICY, email_key=VICTIM, address="192.0.2.1", trusted_device=None),
        *reset_limits(POLICY, email_key=VICTIM, address="192.0.2.1"),
    }
    assert set(cleared_on_reset(email_key=VICTIM, address="192.0.2.1")) <= counted
