"""Reports that nobody has measured: with the figures that a test wants."""

from typing import Any

from msgspec.structs import replace

from coatcheck.comparison import facts
from coatcheck.comparison.claims import default_claims, describe
from coatcheck.comparison.credentials import make_issuance
from coatcheck.comparison.designs import CREDENTIALS, OPAQUE, WAYS, asked_each_time
from coatcheck.comparison.model import Check, Event, Report, Sample, StoreLookup, Window
from coatcheck.comparison.noise import noise_of
from coatcheck.comparison.notes import NOTES
from coatcheck.comparison.samples import make_sample
from coatcheck.comparison.sizes import limits_of, load_of, sizes_of
from coatcheck.comparison.summary import summarise


def sample(median: float, *, count: int = 8) -> Sample:
    return make_sample([[median] * count])


def window(
    design: str, median: float | None, *, event: Event = "revoked", longest: float | None = None
) -> Window:
    measured = median is not None
    return Window(
        design=design,
        event=event,
        how="It was run.",
        basis="not measured" if not measured else "measured" if longest is None else "scaled",
        reason=None if measured else "nobody was there",
        lifetime=longest,
        measured_lifetime=None if longest is None else 2.0,
        longest=longest,
        sample=None if median is None else sample(median),
    )


def report(
    *,
    rate: float = 100,
    check: float = 5e-5,
    noise: list[list[float]] | None = None,
    windows: tuple[Window, ...] = (),
    staleness: tuple[Window, ...] = (),
    claims: dict[str, Any] | None = None,
    length: int = 600,
) -> Report:
    subject = default_claims() if claims is None else replace(default_claims(), given=claims)
    load = load_of(rate)
    designs = (*CREDENTIALS, *WAYS, asked_each_time("sqlite", "SQLite"))
    sizes = sizes_of({each.id: "x" * (43 if each.id == OPAQUE else length) for each in CREDENTIALS}, load)
    checks = tuple(
        Check(
            design=each.id,
            how="It was called.",
            warm=sample(check),
            first_seen=sample(check),
            new_process=None,
            import_seconds=None,
            per_second_per_core=1 / check,
            cores=rate * check,
            first_seen_cores=rate * check,
        )
        for each in CREDENTIALS
    )
    sqlite = StoreLookup(
        store="sqlite",
        name="SQLite",
        place="a file",
        state="measured",
        rows=10,
        warm=sample(4e-6),
        cpu=sample(4e-6),
        cores=rate * 4e-6,
    )
    missing = StoreLookup(
        store="redis", name="Redis", place="", state="not measured", reason="it is not there"
    )
    used = describe(subject, make_issuance(subject).claims())
    told = noise_of(noise or [[1.0]] * 8)
    limits = limits_of(sizes)
    return Report(
        schema=1,
        machine=facts.machine_facts(
            command="coatcheck compare", quick=False, began=0.0, seconds=1.0, load=None
        ),
        claims=used,
        load=load,
        designs=designs,
        summary=summarise(
            sizes=sizes,
            checks=checks,
            stores=(sqlite, missing),
            windows=windows,
            staleness=staleness,
            limits=limits,
            designs=designs,
            claims=used,
            load=load,
            noise=told,
        ),
        sizes=sizes,
        checks=checks,
        stores=(sqlite, missing),
        windows=windows,
        staleness=staleness,
        limits=limits,
        noise=told,
        notes=NOTES,
    )
