"""What has to be known to read the figures rightly."""

from __future__ import annotations

from typing import Final

__all__ = ["NOTES"]

_PROTOCOL: Final = (
    "Sizes are of HTTP/1.1. Over HTTP/2 and HTTP/3 a header line that was sent before is usually sent again as a "
    "short reference (RFC 7541, RFC 9204), on the same connection."
)
_PLACE: Final = (
    "Checks and look-ups are those of this library in Python; the store's own work comes on top of the processor time "
    "that is shown. All of it runs on this machine, but for stores that were named by an address."
)
_NOISE: Final = (
    "Rounds of all designs are run in turns, A B C, then B C A, so that a change of the machine's speed hits all. "
    "Noise is half the distance between the quartiles of the rounds' medians, as a share of the median."
)
_CHECKS: Final = (
    "A figure of a very short check is the mean of as many as take 40 µs. A figure of what is seen for the first time "
    "is one check of one new credential."
)
_WINDOWS: Final = (
    "Scaled windows were run with a short lifetime and multiplied. They take for granted that the moment of the theft "
    "or the order is as likely in one part of the lifetime as in another."
)

NOTES: Final = (_PROTOCOL, _PLACE, _NOISE, _CHECKS, _WINDOWS)
"""One sentence or two about each."""
