"""The tunables of security events."""

from __future__ import annotations

from datetime import timedelta

import msgspec

__all__ = ["SignalPolicy"]


class SignalPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How many events wait for a receiver, and for how long.

    Attributes:
        most_events: How many events wait in one stream at most. One more, and the stream is disabled, and says so:
            none is ever dropped from among others.
        longest: How long an event waits at most. Then the same happens.
        verification_interval: How often a receiver may ask for a verification.
        long_poll: How long a poll waits for an event.
        most_per_poll: How many events the answer to a poll has at most, whatever was asked for.
        most_left_out: How many subjects a stream can leave out.
        first_pause: How long to wait after the first vain attempt to push; then twice as long each time ...
        longest_pause: ... up to this.
        lease: How long one process has a stream to itself to push from, without saying that it still does.
        watch: How often to look, while somebody waits, for what other processes have committed.
    """

    most_events: int = 10_000
    longest: timedelta = timedelta(days=7)
    verification_interval: timedelta = timedelta(seconds=5)
    long_poll: timedelta = timedelta(seconds=30)
    most_per_poll: int = 100
    most_left_out: int = 10_000
    first_pause: timedelta = timedelta(seconds=1)
    longest_pause: timedelta = timedelta(minutes=5)
    lease: timedelta = timedelta(seconds=12)
    watch: timedelta = timedelta(milliseconds=10)
