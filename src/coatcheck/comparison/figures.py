"""Numbers in words: the same ones in the text and on the page."""

from __future__ import annotations

from typing import Final

__all__ = ["say_count", "say_octets", "say_seconds", "say_share"]

_SECONDS: Final = (
    (1e-6, 1e-9, "ns"),
    (1e-3, 1e-6, "µs"),
    (1.0, 1e-3, "ms"),
    (120.0, 1.0, "s"),
    (7_200.0, 60.0, "min"),
    (172_800.0, 3_600.0, "h"),
)
_OCTETS: Final = ((1e3, 1.0, "B"), (1e6, 1e3, "kB"), (1e9, 1e6, "MB"), (1e12, 1e9, "GB"), (1e15, 1e12, "TB"))


def say_seconds(seconds: float) -> str:
    """Return a duration with its unit: ``850 ns``, ``2.1 µs``, ``3.4 ms``, ``15 min``."""
    for below, unit, name in _SECONDS:
        if seconds < below:
            return f"{_three(seconds / unit)} {name}"
    return f"{_three(seconds / 86_400)} d"


def say_octets(octets: float) -> str:
    """Return a size with its unit, by thousands: ``52 B``, ``1.6 kB``, ``1.1 TB``."""
    for below, unit, name in _OCTETS:
        if octets < below:
            return f"{_three(octets / unit)} {name}"
    return f"{_three(octets / 1e15)} PB"


def say_count(number: float) -> str:
    """Return a number with at most three digits that mean something: ``0.012``, ``4.2``, ``71,000``."""
    return _three(number)


def say_share(share: float) -> str:
    """Return a fraction as a percentage: ``0.5 %``, ``38 %``."""
    return f"{_three(100 * share, digits=2)} %"


def _three(number: float, *, digits: int = 3) -> str:
    """Return a number rounded to so many digits, without an exponent."""
    if number == 0:
        return "0"
    rounded = float(f"{number:.{digits}g}")
    if abs(rounded) >= 1:
        decimals = max(0, digits - len(str(int(abs(rounded)))))
        text = f"{rounded:,.{decimals}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{rounded:.8f}".rstrip("0").rstrip(".")
