"""What a report means for the case at hand: a few plain sentences, each with the figures that it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .designs import OPAQUE, OWN_TOKEN
from .figures import say_count, say_octets, say_seconds, say_share
from .model import Check, ClaimsUsed, Design, Limit, Load, Noise, Sample, Size, StoreLookup, Verdict, Window
from .noise import is_noisy

__all__ = ["summarise"]

_USUAL: Final = "jwt-es256"
_HARDLY: Final = 0.05
"""Of a core: below, the time of a check decides nothing."""

_ENOUGH: Final = 100


def summarise(
    *,
    sizes: Sequence[Size],
    checks: Sequence[Check],
    stores: Sequence[StoreLookup],
    windows: Sequence[Window],
    staleness: Sequence[Window],
    limits: Sequence[Limit],
    designs: Sequence[Design],
    claims: ClaimsUsed,
    load: Load,
    noise: Noise,
) -> tuple[str, ...]:
    """Return the sentences, the most important first."""
    names = {each.id: each.name for each in designs}
    sentences = [
        _first(checks, stores, load),
        *_ending(windows, names),
        *_stale(staleness, names),
        _size(sizes, load),
        _time(checks, stores),
        *_near(limits, names),
        *_readable(claims),
    ]
    if is_noisy(noise):
        sentences.append(noise.verdict)
    return tuple(sentences)


def _ending(windows: Sequence[Window], names: dict[str, str]) -> list[str]:
    by_design = {each.design: each for each in windows if each.sample is not None}
    expiry, refresh, ledger = (by_design.get(each) for each in ("expiry-only", "refresh", "ledger-services"))
    sentences = []
    if expiry is not None and refresh is not None:
        sentences.append(
            f"A token that lives for {say_seconds(expiry.longest or 0)} and that nobody can revoke works for "
            f"{_half(expiry)} after it should not, at the median; one of {say_seconds(refresh.longest or 0)} that is "
            f"refreshed, for {_half(refresh)}."
        )
    asked = [each for design, each in by_design.items() if design.startswith("session-")]
    if ledger is not None and ledger.sample is not None:
        sentence = (
            "Services that follow Coatcheck's ledger, and ask nobody, refuse it after "
            f"{_half(ledger)} at the median and {_most(ledger.sample)}"
        )
        if asked:
            said = ", ".join(
                f"{_half(each)} ({names[each.design].removeprefix('Session in ')})" for each in asked
            )
            sentence += f"; who asks a store with each request, after {said}"
        sentences.append(f"{sentence}.")
    return sentences


def _stale(staleness: Sequence[Window], names: dict[str, str]) -> list[str]:
    slow = [
        each for each in staleness if each.basis == "scaled" and each.design in {"refresh", "expiry-only"}
    ]
    ledger = next((each for each in staleness if each.design == "ledger-services"), None)
    if not slow or ledger is None:
        return []
    said = ", ".join(f"{_half(each)} with “{names[each.design]}”" for each in slow)
    return [
        f"A role that is taken away still counts for {said}, and for {_half(ledger)} with the ledger, at the median."
    ]


def _half(window: Window) -> str:
    assert window.sample is not None  # noqa: S101 - the callers have looked
    return say_seconds(window.sample.median)


def _most(sample: Sample) -> str:
    """Say how long nearly all took, as far as the sample can tell."""
    if sample.count < _ENOUGH:
        return f"{say_seconds(sample.maximum)} at most"
    return f"{say_seconds(sample.p99)} at the 99th percentile"


def _size(sizes: Sequence[Size], load: Load) -> str:
    by_design = {each.design: each for each in sizes}
    opaque, token = by_design[OPAQUE], by_design[_USUAL]
    return (
        f"With these claims an ES256 token adds {token.line_octets} B to each request and the opaque ID "
        f"{opaque.line_octets} B: {say_count(token.times_opaque)} times as much. "
        f"At {say_count(load.requests_per_second)} requests per second that is "
        f"{say_octets(token.month_octets)} a month and {say_octets(opaque.month_octets)}."
    )


def _first(checks: Sequence[Check], stores: Sequence[StoreLookup], load: Load) -> str:
    """Say whether the time of a check decides anything at this load, and what else does."""
    busiest = max(_cores(checks, stores))
    rate = f"At {say_count(load.requests_per_second)} requests per second"
    if busiest < _HARDLY:
        return (
            f"{rate} no way to check a credential keeps more than {say_share(busiest)} of one core busy. The time of a "
            "check does not decide here; how soon access ends, how large requests become and who has to check do. "
            "Where your own servers check, and reach the sessions, the opaque ID is the smallest, and ends at once."
        )
    return (
        f"{rate} the slowest way to check a credential keeps {say_count(busiest)} cores busy, and the quickest "
        f"{say_count(min(_cores(checks, stores)))}: the time of a check matters here."
    )


def _cores(checks: Sequence[Check], stores: Sequence[StoreLookup]) -> list[float]:
    """Return how many cores each check keeps busy, where nothing is remembered and nothing gone with the process."""
    asked = [each.cores for each in stores if each.cores is not None and each.store != "memory"]
    return [*(each.cores for each in checks if each.design != OPAQUE), *asked]


def _time(checks: Sequence[Check], stores: Sequence[StoreLookup]) -> str:
    by_design = {each.design: each for each in checks}
    token, own = by_design[_USUAL], by_design[OWN_TOKEN]
    looked_up = ", ".join(
        f"{say_seconds(each.warm.median)} in {each.name}"
        for each in stores
        if each.warm is not None and each.store != "memory"
    )
    return (
        f"Verifying an ES256 token takes {say_seconds(token.warm.median)}; looking a session up takes "
        f"{looked_up}; a token that Coatcheck remembers, {say_seconds(own.warm.median)}."
    )


def _near(limits: Sequence[Limit], names: dict[str, str]) -> list[str]:
    sentences = []
    verdicts: tuple[tuple[Verdict, str], ...] = (("exceeds", "exceed"), ("near", "come near"))
    for verdict, said in verdicts:
        found = []
        for limit in limits:
            touched = [names[use.design] for use in limit.uses if use.verdict == verdict]
            if touched:
                found.append(f"{limit.name} ({limit.octets} B): {', '.join(touched)}")
        if found:
            sentences.append(f"These {said} a usual limit: {'; '.join(found)}.")
    return sentences or ["None of the credentials comes near a usual limit of browsers, proxies or servers."]


def _readable(claims: ClaimsUsed) -> list[str]:
    personal = [each.name for each in claims.claims if each.personal is not None]
    if not personal:
        return []
    sentence = (
        f"Whoever gets hold of a signed token can read {', '.join(personal)}: a signature hides nothing."
    )
    return [f"{sentence} In a session they stay on the server."]
