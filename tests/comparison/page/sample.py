"""A report that was made up, and that looks as one from a small machine would. None of its figures was measured."""

from __future__ import annotations

import random
from collections.abc import Callable
from statistics import median, quantiles

from coatcheck.comparison.designs import CREDENTIALS, WAYS, asked_each_time, denylist_in
from coatcheck.comparison.model import (
    SCHEMA,
    Check,
    ClaimSize,
    ClaimsUsed,
    Limit,
    LimitUse,
    Load,
    Machine,
    Noise,
    Report,
    Sample,
    Size,
    StoreLookup,
    Verdict,
    Window,
)

__all__ = ["made_up_report", "sample_of"]

_SECOND_MONTH = 250 * 2_592_000


def sample_of(figures: list[float]) -> Sample:
    ordered = sorted(figures)
    first, middle, third = quantiles(ordered, n=4, method="inclusive") if len(ordered) > 1 else ordered * 3
    return Sample(
        count=len(ordered),
        calls=len(ordered) * 100,
        minimum=ordered[0],
        first_quartile=first,
        median=middle,
        third_quartile=third,
        p99=ordered[int(len(ordered) * 0.99)],
        maximum=ordered[-1],
        noise=(third - first) / 2 / middle if middle else 0.0,
        rounds=tuple(median(ordered[n::5]) for n in range(min(5, len(ordered)))),
        figures=tuple(ordered),
    )


def spread_around(middle: float, *, width: float = 0.06, count: int = 120, seed: int = 7) -> Sample:
    drawn = random.Random(seed)  # noqa: S311 - not a key
    return sample_of([middle * (1 + drawn.lognormvariate(0, 0.9) * width - width) for _ in range(count)])


def evenly(high: float, *, count: int = 60) -> Sample:
    return sample_of([high * (n + 0.5) / count for n in range(count)])


_LINES = {
    "opaque-id": (43, 72, "cookie"),
    "jwt-hs256": (521, 545, "authorization"),
    "jwt-rs256": (820, 844, "authorization"),
    "jwt-es256": (564, 588, "authorization"),
    "jwt-ed25519": (566, 590, "authorization"),
    "jwt-ml-dsa-44": (3_710, 3_734, "authorization"),
    "jwt-ml-dsa-65": (4_895, 4_919, "authorization"),
    "jwe-dir": (812, 836, "authorization"),
    "jwe-ecdh-es": (1_021, 1_045, "authorization"),
    "coatcheck-cookie": (43, 72, "cookie"),
    "coatcheck-token": (561, 585, "authorization"),
}
_COSTS = {
    "opaque-id": (1.1e-6, 1.4e-6),
    "jwt-hs256": (4.2e-6, 5.1e-6),
    "jwt-rs256": (21e-6, 23e-6),
    "jwt-es256": (47e-6, 49e-6),
    "jwt-ed25519": (78e-6, 80e-6),
    "jwt-ml-dsa-44": (92e-6, 97e-6),
    "jwt-ml-dsa-65": (140e-6, 146e-6),
    "jwe-dir": (9.8e-6, 11e-6),
    "jwe-ecdh-es": (171e-6, 176e-6),
    "coatcheck-cookie": (0.34e-6, 11e-6),
    "coatcheck-token": (0.41e-6, 52e-6),
}


def _verdict(share: float) -> Verdict:
    return "exceeds" if share > 1 else "near" if share >= 0.75 else "fits"


def _sizes() -> tuple[Size, ...]:
    return tuple(
        Size(
            design=design,
            carrier="cookie" if carrier == "cookie" else "authorization",
            credential_octets=credential,
            line_octets=line,
            month_octets=line * _SECOND_MONTH,
            cookie_octets=credential + 16,
            cookie_share=(credential + 16) / 4096,
            headers_share=line / 8192,
            times_opaque=line / 72,
        )
        for design, (credential, line, carrier) in _LINES.items()
    )


def _limits(sizes: tuple[Size, ...]) -> tuple[Limit, ...]:
    known: list[tuple[str, str, int, str, str, Callable[[Size], int]]] = [
        (
            "cookie",
            "Browsers, one cookie",
            4096,
            "name and value",
            "RFC 6265bis, 5.6",
            lambda size: size.cookie_octets,
        ),
        (
            "httpd",
            "Apache httpd, one header line",
            8190,
            "the line",
            "LimitRequestFieldSize",
            lambda s: s.line_octets,
        ),
        (
            "nginx",
            "nginx, one header line",
            8192,
            "the line",
            "large_client_header_buffers",
            lambda s: s.line_octets,
        ),
        (
            "node",
            "Node.js, all headers",
            16_384,
            "the line",
            "http.maxHeaderSize",
            lambda size: size.line_octets,
        ),
    ]
    return tuple(
        Limit(
            id=identifier,
            name=name,
            octets=octets,
            counts=counts,
            source=source,
            uses=tuple(
                LimitUse(
                    design=s.design, octets=of(s), share=of(s) / octets, verdict=_verdict(of(s) / octets)
                )
                for s in sizes
            ),
        )
        for identifier, name, octets, counts, source, of in known
    )


def _checks() -> tuple[Check, ...]:
    return tuple(
        Check(
            design=design,
            how="jwt.Verifier.verify: form, header, signature and claims"
            if "jw" in design
            else "from memory",
            warm=spread_around(warm, seed=n),
            first_seen=spread_around(new, width=0.12, seed=n + 50),
            new_process=spread_around(new * 30 + 2e-3, count=9, seed=n + 90),
            import_seconds=spread_around(0.12, count=9, seed=n + 120),
            per_second_per_core=1 / warm,
            cores=250 * warm,
            first_seen_cores=250 * new,
        )
        for n, (design, (warm, new)) in enumerate(_COSTS.items())
    )


def _stores() -> tuple[StoreLookup, ...]:
    def measured(store: str, name: str, place: str, warm: float, cold: float | None) -> StoreLookup:
        return StoreLookup(
            store=store,  # type: ignore[arg-type] # one of the four
            name=name,
            place=place,
            state="measured",
            version="1.2",
            rows=10_000,
            warm=spread_around(warm, width=0.1, seed=len(name)),
            cold=None if cold is None else spread_around(cold, width=0.2, count=40, seed=len(name) + 1),
            cpu=spread_around(warm * 0.6, seed=len(name) + 2),
            per_second_per_core=1 / (warm * 0.6),
            cores=250 * warm * 0.6,
            waiting=250 * warm,
        )

    return (
        measured("memory", "Memory", "this process", 0.9e-6, None),
        measured("sqlite", "SQLite", "a file", 6.4e-6, 210e-6),
        measured("postgresql", "PostgreSQL", "localhost, over TCP", 88e-6, 3.9e-3),
        StoreLookup(
            store="redis", name="Redis", place="", state="not measured", reason="no address was given"
        ),
    )


def _windows(scale: float) -> tuple[Window, ...]:
    def clocked(design: str, middle: float, *, longest: float | None = None, look_up: bool = False) -> Window:
        return Window(
            design=design,
            event="revoked",
            how="two processes on this machine; the order in one, requests in the other",
            basis="measured",
            longest=longest,
            sample=spread_around(middle * scale, width=0.3, count=60, seed=len(design)),
            accepted_after=round(middle * 250),
            look_up=look_up,
        )

    def scaled(design: str, lifetime: float) -> Window:
        return Window(
            design=design,
            event="revoked",
            how="a token with a short life, shown again and again",
            basis="scaled",
            lifetime=lifetime,
            measured_lifetime=0.5,
            factor=lifetime / 0.5,
            longest=lifetime,
            sample=evenly(lifetime),
            raw=evenly(0.5),
            accepted_after=round(lifetime / 2 * 250),
        )

    return (
        scaled("expiry-only", 86_400),
        scaled("refresh", 300),
        scaled("introspection-cached", 60),
        clocked("introspection", 3.1e-3, look_up=True),
        clocked("denylist-sqlite", 0.12e-3, look_up=True),
        clocked("denylist-postgresql", 1.3e-3, look_up=True),
        Window(
            design="denylist-redis",
            event="revoked",
            how="as the others, in Redis",
            basis="not measured",
            reason="no address was given",
            look_up=True,
        ),
        clocked("session-sqlite", 0.11e-3, look_up=True),
        clocked("session-postgresql", 1.1e-3, look_up=True),
        clocked("ledger-process", 45e-6),
        clocked("ledger-services", 2.4e-3, longest=5.0),
    )


def made_up_report() -> Report:
    sizes = _sizes()
    stores = {"sqlite": "SQLite", "postgresql": "PostgreSQL", "redis": "Redis"}
    return Report(
        schema=SCHEMA,
        machine=Machine(
            cpu="Sample CPU at 2.4 GHz",
            cores=4,
            usable_cores=2,
            system="Linux 6.1 x86_64",
            python="CPython 3.13.1",
            versions={"coatcheck": "0.0", "cryptography": "49.0.0", "OpenSSL": "3.5.0", "SQLite": "3.46"},
            load=0.4,
            measured_at="2026-01-31T12:00:00Z",
            seconds=94.0,
            command="coatcheck compare --claims claims.json --requests-per-second 250 --html sample.html",
            quick=False,
        ),
        claims=ClaimsUsed(
            source="a file",
            octets=392,
            claims=(
                ClaimSize(name="sub", octets=34, kind="text", given=False, personal=None),
                ClaimSize(
                    name="email", octets=33, kind="text", given=True, personal="an address of a person"
                ),
                ClaimSize(name="roles", octets=120, kind="list", given=True, personal=None),
                ClaimSize(name="tenant", octets=41, kind="object", given=True, personal=None),
            ),
        ),
        load=Load(requests_per_second=250, requests_per_month=_SECOND_MONTH),
        designs=(
            *CREDENTIALS,
            *WAYS,
            *(denylist_in(kind, name) for kind, name in stores.items()),
            *(asked_each_time(kind, name) for kind, name in stores.items()),
        ),
        summary=(
            "This is a sample: nothing in it was measured.",
            "A Coatcheck cookie is checked in 340 ns and refused 45 µs after the sign-out.",
            "With these claims an ES256 token is 8.2 times as large as an opaque ID.",
        ),
        sizes=sizes,
        checks=_checks(),
        stores=_stores(),
        windows=_windows(1),
        staleness=_windows(1.7)[:7] + _windows(1.7)[9:],
        limits=_limits(sizes),
        noise=Noise(
            resolution=41e-9,
            yardstick=spread_around(1.9e-6),
            drift=0.012,
            verdict="The machine was quiet: rounds differ by 2 %.",
        ),
        notes=(
            "This is a sample: its figures are made up.",
            "Everything is measured in turns, so that a slow second of the machine meets all designs alike.",
            "Store and server run on this machine: a network comes on top.",
        ),
    )
