"""The tunables of the feed."""

from __future__ import annotations

from datetime import timedelta

import msgspec

__all__ = ["FeedPolicy"]


class FeedPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How the feed serves its readers.

    Attributes:
        readers: How many a process serves at once. Each is a connection, and costs about 25 KiB.
        readers_of_one: How many of them one service may have. A service with hundreds of processes has room, and a key
            in the wrong hands takes a quarter of all places at most: it needs four of them to keep others out.
        heartbeat: How often it says that it is there, whatever else it says.
        poll: How often it looks, while there are readers, for what other processes have committed. At 2 ms that takes
            about 2 % of a core. What its own process commits it is told of.
        queue: How many events may wait for a reader before it is cut off. It comes back and goes on where it was.
        stall: How long a reader may take none of what was sent before it is cut off.
        recent: How many events are kept, signed, for readers that come back.
        part: The most entries in one event, so that nobody waits long for one to be signed.
        snapshot_age: For how long readers that need one get the same snapshot: after a restart all come at once.
        snapshot_octets: How much of that snapshot is kept; what is beyond is signed for each reader anew.
    """

    readers: int = 1000
    readers_of_one: int = 250
    heartbeat: timedelta = timedelta(seconds=2)
    poll: timedelta = timedelta(milliseconds=2)
    queue: int = 256
    stall: timedelta = timedelta(seconds=30)
    recent: int = 256
    part: int = 500
    snapshot_age: timedelta = timedelta(seconds=10)
    snapshot_octets: int = 16 * 1024 * 1024
