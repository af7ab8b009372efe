"""What a comparison found, as values: the report that the text, the page and the file are made of.

Every time is in seconds, every size in octets, every share a fraction of one. What was measured comes as a ``Sample``
with its distribution, so that whoever draws it can draw the error bars too; ``figures`` says such numbers in words.
Values of claims never get in here: only their names and sizes do.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

__all__ = [
    "SCHEMA",
    "Basis",
    "Carrier",
    "Check",
    "ClaimSize",
    "ClaimsUsed",
    "Design",
    "Event",
    "Family",
    "Limit",
    "LimitUse",
    "Load",
    "Machine",
    "Noise",
    "Report",
    "Sample",
    "Size",
    "StoreLookup",
    "StoreState",
    "Verdict",
    "Window",
]

SCHEMA: Final = 1
"""The number of the form that ``Report`` has; it changes when a member goes or changes its meaning."""

Family = Literal["session", "signed", "encrypted", "coatcheck", "revocation"]
"""What kind of design it is: one colour for each. ``revocation`` is a way to end access, whatever the credential."""

Carrier = Literal["cookie", "authorization"]
"""The header in which a credential travels."""

StoreState = Literal["measured", "not measured"]

Basis = Literal["measured", "scaled", "not measured"]
"""Where a window's figures come from: a clock; a clock on a short lifetime, times a stated factor; or nowhere."""

Event = Literal["revoked", "role removed"]
"""What happens to the credential that is still shown afterwards."""

Verdict = Literal["fits", "near", "exceeds"]


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured, and how it is spread. All in seconds.

    Attributes:
        count: How many figures it is made of.
        calls: How many calls were timed in all; more than ``count`` where one call is too short for the clock, and each
            figure is the mean of many.
        minimum: The least.
        first_quartile: A quarter of them are at most this.
        median: Half of them are.
        third_quartile: Three quarters are.
        p99: 99 of 100 are. With fewer than 100 figures this is the greatest.
        maximum: The greatest.
        noise: How far apart the rounds are, which ought to be alike: half the distance between the quartiles of the
            rounds' medians, as a fraction of the median. With fewer than four rounds, of the figures themselves.
        rounds: The median of each round, in the order in which they were run.
        figures: The figures themselves, in ascending order; evenly thinned to at most 400.
    """

    count: int
    calls: int
    minimum: float
    first_quartile: float
    median: float
    third_quartile: float
    p99: float
    maximum: float
    noise: float
    rounds: tuple[float, ...]
    figures: tuple[float, ...]


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """On what, when and how it was measured.

    Attributes:
        cpu: The processor's model.
        cores: How many logical ones there are.
        usable_cores: How many of them this process may use.
        system: The operating system.
        python: The implementation and its version.
        versions: What else took part, by name: this library, cryptography, OpenSSL, SQLite and so on.
        load: The mean number of processes that wanted to run in the minute before; ``None`` where nobody says.
        measured_at: When it began, in UTC: ``2026-01-31T12:00:00Z``.
        seconds: How long it took.
        command: The command, without anything secret.
        quick: Whether it was cut short, at the price of more noise.
    """

    cpu: str
    cores: int
    usable_cores: int
    system: str
    python: str
    versions: dict[str, str]
    load: float | None
    measured_at: str
    seconds: float
    command: str
    quick: bool


class ClaimSize(msgspec.Struct, frozen=True, kw_only=True):
    """One claim, without its value.

    Attributes:
        name: Its name; a text that says so where the name itself looks personal.
        octets: Of its name and value in JSON, with quotes, colon and comma.
        kind: The value's: ``text``, ``number``, ``true or false``, ``list``, ``object`` or ``null``.
        given: Whether it is the user's; otherwise it was added because a token needs it.
        personal: Why it looks personal, in a few words; ``None`` if it does not. Whoever holds a signed token can read
            it.
    """

    name: str
    octets: int
    kind: str
    given: bool
    personal: str | None


class ClaimsUsed(msgspec.Struct, frozen=True, kw_only=True):
    """What the tokens said.

    Attributes:
        source: ``a file``, or ``the default`` set.
        octets: Of all of them as compact JSON, as it is signed.
        claims: One by one.
    """

    source: Literal["a file", "the default"]
    octets: int
    claims: tuple[ClaimSize, ...]


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """How much is asked: what monthly sums and needs are reckoned for.

    Attributes:
        requests_per_second: How many requests carry a credential each second, on average.
        requests_per_month: In 30 days.
    """

    requests_per_second: float
    requests_per_month: int


class Design(msgspec.Struct, frozen=True, kw_only=True):
    """One way to do it. The sections name it by ``id``.

    Attributes:
        id: Short, and the same in every report.
        name: A few words, for tables and axes.
        meaning: One sentence.
        family: Its kind.
    """

    id: str
    name: str
    meaning: str
    family: Family


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How large a credential is. These are counted, not measured: there is no noise.

    Attributes:
        design: Which.
        carrier: The header in which it usually travels.
        credential_octets: The credential alone.
        line_octets: The whole header line of every request, with its name and the line's end (HTTP/1.1).
        month_octets: The sum of those lines over a month of ``Load``.
        cookie_octets: Name and value if it were a cookie, which is what browsers bound (RFC 6265bis, section 5.6).
        cookie_share: Of 4096 octets.
        headers_share: What the line takes of 8192 octets of headers.
        times_opaque: How many times the line of the opaque identifier.
    """

    design: str
    carrier: Carrier
    credential_octets: int
    line_octets: int
    month_octets: int
    cookie_octets: int
    cookie_share: float
    headers_share: float
    times_opaque: float


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """How long it takes to find out whom a credential stands for.

    Attributes:
        design: Which.
        how: What was called, in a few words.
        warm: A credential that this process has checked before.
        first_seen: One that it has not, while all else is warm.
        new_process: The very first in a new process: keys are read, code runs for the first time. Modules are loaded
            already; ``import_seconds`` is theirs. ``None`` if it was not measured.
        import_seconds: Loading the modules that it needs, in a new process. ``None`` if it was not measured.
        per_second_per_core: How many warm checks a core does in a second, if it does nothing else.
        cores: How many cores the load keeps busy with warm checks.
        first_seen_cores: The same if every credential were new.
    """

    design: str
    how: str
    warm: Sample
    first_seen: Sample
    new_process: Sample | None
    import_seconds: Sample | None
    per_second_per_core: float
    cores: float
    first_seen_cores: float


class StoreLookup(msgspec.Struct, frozen=True, kw_only=True):
    """What one look-up of a session by the digest of its identifier costs, with each request.

    Attributes:
        store: ``memory``, ``sqlite``, ``postgresql`` or ``redis``.
        name: For people.
        place: Where it is, without anything secret.
        state: Whether it was measured.
        reason: Why not; ``None`` if it was.
        version: The store's.
        rows: Among how many sessions it was looked for.
        warm: Over a connection that is open, one question after the other.
        cold: The first question over a new connection, the connecting included.
        cpu: Of the processor, in this process alone, for one warm look-up. The store's own comes on top.
        per_second_per_core: How many look-ups a core of this process's machine can make in a second.
        cores: How many cores of the application's machines the load keeps busy with nothing but asking.
        waiting: How many requests are waiting for an answer at any moment, on average, at the load: as many
            connections have to be open.
    """

    store: Literal["memory", "sqlite", "postgresql", "redis"]
    name: str
    place: str
    state: StoreState
    reason: str | None = None
    version: str | None = None
    rows: int | None = None
    warm: Sample | None = None
    cold: Sample | None = None
    cpu: Sample | None = None
    per_second_per_core: float | None = None
    cores: float | None = None
    waiting: float | None = None


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """How long a credential still works, or still carries a role, after it should not.

    Attributes:
        design: Which way of ending access.
        event: What happened to it.
        how: What was run, and between what, in one sentence.
        basis: Where the figures come from.
        reason: Why it was not measured; ``None`` if it was.
        lifetime: What decides the window, in seconds: the time to expiry, or for how long an answer is kept. ``None``
            where nothing does.
        measured_lifetime: The shorter one that was really run, where figures are scaled.
        factor: What the figures of the clock were multiplied by; 1 where they are as they were.
        longest: The longest that the design allows if all goes well; ``None`` where nothing bounds it by design.
        sample: From the order to the first refusal (or the first answer without the role).
        raw: The figures of the clock, before they were scaled; ``None`` where they were not.
        accepted_after: At the load, how many requests are still accepted after the order, at the median, if all of
            them carried this credential.
        look_up: Whether every request asks a store or another process.
    """

    design: str
    event: Event
    how: str
    basis: Basis
    reason: str | None = None
    lifetime: float | None = None
    measured_lifetime: float | None = None
    factor: float = 1.0
    longest: float | None = None
    sample: Sample | None = None
    raw: Sample | None = None
    accepted_after: int | None = None
    look_up: bool = False


class LimitUse(msgspec.Struct, frozen=True, kw_only=True):
    """How near one design comes to a limit.

    Attributes:
        design: Which.
        octets: What counts against the limit.
        share: Of the limit.
        verdict: ``near`` from three quarters on.
    """

    design: str
    octets: int
    share: float
    verdict: Verdict


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """A bound on the length of what clients send.

    Attributes:
        id: Short, and the same in every report.
        name: Whose limit it is.
        octets: The limit.
        counts: What is counted against it.
        source: Where it is written.
        uses: How near the designs come.
    """

    id: str
    name: str
    octets: int
    counts: str
    source: str
    uses: tuple[LimitUse, ...]


class Noise(msgspec.Struct, frozen=True, kw_only=True):
    """How quiet the machine was.

    Attributes:
        resolution: The least difference that the clock showed, in seconds.
        yardstick: One HMAC-SHA-256 of 400 octets, timed in every round between all else: work that is always the same.
        drift: How much slower (above 0) or faster (below 0) the yardstick became from the first third of the rounds to
            the last one, as a fraction.
        verdict: What it means for the figures, in one sentence.
    """

    resolution: float
    yardstick: Sample
    drift: float
    verdict: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All of it.

    Attributes:
        schema: The form of this report: ``SCHEMA``.
        machine: On what.
        claims: With which claims.
        load: For how many requests.
        designs: What the names mean, in the order in which they are shown.
        summary: What it means for this case: plain sentences, the most important first.
        sizes: How large.
        checks: How long a check takes.
        stores: What a look-up costs.
        windows: How long a stolen or revoked credential still works.
        staleness: How long a role that was taken away still counts.
        limits: Which limits are near.
        noise: How quiet the machine was.
        notes: What has to be known to read the figures rightly.
    """

    schema: int
    machine: Machine
    claims: ClaimsUsed
    load: Load
    designs: tuple[Design, ...]
    summary: tuple[str, ...]
    sizes: tuple[Size, ...]
    checks: tuple[Check, ...]
    stores: tuple[StoreLookup, ...]
    windows: tuple[Window, ...]
    staleness: tuple[Window, ...]
    limits: tuple[Limit, ...]
    noise: Noise
    notes: tuple[str, ...]

    def design(self, name: str) -> Design:
        """Return the design of that ``id``.

        Raises:
            KeyError: If the report has none.
        """
        for each in self.designs:
            if each.id == name:
                return each
        raise KeyError(name)
