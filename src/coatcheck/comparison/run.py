"""The whole comparison, from what the user asks for to the report."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from time import perf_counter
from typing import Final

import msgspec

from ..verifier import Verifier
from .checks import Cookies, checks_of, contenders
from .claims import Subject, describe
from .credentials import Issuance, make_issuance
from .designs import CREDENTIALS, OPAQUE, OWN_COOKIE, OWN_TOKEN
from .errors import LeftoverError, StoreError
from .facts import load_average, machine_facts, now
from .ground import Ground, grounded
from .lookups import Filled, filled, lookup_contenders, measure_connecting, rows_of
from .model import SCHEMA, Check, Load, Report, Size, StoreLookup, Window
from .new_process import measure_beginnings
from .noise import noise_of
from .notes import NOTES
from .sizes import limits_of, load_of, sizes_of
from .stores.base import Line, Store
from .stores.opening import kind_of, open_store
from .stores.sqlite import SQLiteStore
from .summary import summarise
from .timing import Effort, Race, yardstick
from .windows.lifetimes import Lifetime
from .windows.rows import Extent, Windows, designs_of, steps_of

__all__ = ["FULL", "QUICK", "Order", "Pace", "compare"]

_YARDSTICK: Final = "yardstick"
_READY: Final = 20.0


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How much time is spent.

    Attributes:
        checks: On checks.
        stores: On look-ups.
        connections: New connections to each store.
        processes: New processes for each design.
        rows: Sessions in each store.
        cookies: Sessions at the server.
        windows: On windows.
    """

    checks: Effort
    stores: Effort
    connections: int
    processes: int
    rows: int
    cookies: int
    windows: Extent


FULL: Final = Pace(
    checks=Effort(rounds=60, figures=60, sample_ms=12.0),
    stores=Effort(rounds=60, figures=100, sample_ms=20.0),
    connections=60,
    processes=15,
    rows=10_000,
    cookies=80,
    windows=Extent(lifetime=Lifetime(seconds=4.0, holders=60), rounds=100),
)
QUICK: Final = Pace(
    checks=Effort(rounds=8, figures=20, sample_ms=3.0),
    stores=Effort(rounds=8, figures=40, sample_ms=8.0),
    connections=8,
    processes=2,
    rows=1_000,
    cookies=24,
    windows=Extent(lifetime=Lifetime(seconds=0.8, holders=12), rounds=8),
)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for.

    Attributes:
        subject: The claims.
        requests_per_second: For how many requests it is reckoned.
        stores: Addresses of others beside memory and SQLite, which are always measured.
        pace: How much time is spent.
        command: The command, without anything secret.
        quick: Whether that is little.
    """

    subject: Subject
    requests_per_second: float
    stores: tuple[str, ...]
    pace: Pace
    command: str
    quick: bool

    def __repr__(self) -> str:
        return f"<Order {self.command!r}>"


OnStep = Callable[[int, int, str], None]


class _Progress:
    def __init__(self, total: int, tell: OnStep) -> None:
        self._total = total
        self._tell = tell
        self._done = 0
        self.what = ""

    def step(self) -> None:
        self._done = min(self._total, self._done + 1)
        self._tell(self._done, self._total, self.what)

    def begin(self, what: str) -> None:
        self.what = what
        self._tell(self._done, self._total, what)


class _Found(msgspec.Struct, kw_only=True):
    """What was measured so far."""

    sizes: tuple[Size, ...] = ()
    checks: tuple[Check, ...] = ()
    stores: tuple[StoreLookup, ...] = ()
    windows: tuple[Window, ...] = ()
    staleness: tuple[Window, ...] = ()
    yardstick: list[tuple[float, ...]] = []


async def compare(order: Order, *, on_step: OnStep) -> Report:
    """Measure everything, and report.

    Args:
        order: What is asked for.
        on_step: Told how many steps are done, of how many, and what is measured.

    Raises:
        ClaimsError: If no token can be made of the claims.
        StoreError: If a store cannot be used. That is found out before anything is measured.
        LeftoverError: If something could not be removed from a store again.
        CoatcheckError: If the server or a service does not start or answer.
    """
    began, started, load_before = now(), perf_counter(), load_average()
    issuance = make_issuance(order.subject)
    load = load_of(order.requests_per_second)
    with _open_stores(order.stores) as stores:
        progress = _Progress(_steps(order.pace, stores), on_step)
        progress.begin("Preparing")
        with filled(stores, rows=order.pace.rows) as prepared:
            async with grounded() as ground:
                found = await _measure(
                    order.pace, load, issuance, ground=ground, prepared=prepared, progress=progress
                )
        ways = designs_of(stores)
    machine = machine_facts(
        command=order.command,
        quick=order.quick,
        began=began,
        seconds=perf_counter() - started,
        load=load_before,
    )
    claims = describe(order.subject, issuance.claims())
    noise = noise_of(found.yardstick)
    limits = limits_of(found.sizes)
    designs = (*CREDENTIALS, *ways)
    return Report(
        schema=SCHEMA,
        machine=machine,
        claims=claims,
        load=load,
        designs=designs,
        summary=summarise(
            sizes=found.sizes,
            checks=found.checks,
            stores=found.stores,
            windows=found.windows,
            staleness=found.staleness,
            limits=limits,
            designs=designs,
            claims=claims,
            load=load,
            noise=noise,
        ),
        sizes=found.sizes,
        checks=found.checks,
        stores=found.stores,
        windows=found.windows,
        staleness=found.staleness,
        limits=limits,
        noise=noise,
        notes=NOTES,
    )


async def _measure(
    pace: Pace,
    load: Load,
    issuance: Issuance,
    *,
    ground: Ground,
    prepared: Sequence[Filled],
    progress: _Progress,
) -> _Found:
    found = _Found()
    with _frozen():
        progress.begin("Checks of credentials")
        await _measure_checks(
            pace, load, issuance, ground=ground, prepared=prepared, progress=progress, found=found
        )
        progress.begin("Look-ups in stores")
        race = Race([*lookup_contenders(prepared), yardstick()], pace.stores)
        raced = dict(await race.run(progress.step))
        found.yardstick += raced.pop(_YARDSTICK).rounds
        cold = measure_connecting(prepared, rounds=pace.connections)
        found.stores = rows_of(prepared, raced, cold, load=load)
    progress.begin("Windows after the end")
    with _sqlite_line() as line:
        windows = Windows(
            ground,
            [each.store for each in prepared],
            line=line,
            load=load,
            extent=pace.windows,
            on_step=progress.step,
        )
        measured = await windows.measure()
    found.windows, found.staleness = measured["revoked"], measured["role removed"]
    return found


async def _measure_checks(
    pace: Pace,
    load: Load,
    issuance: Issuance,
    *,
    ground: Ground,
    prepared: Sequence[Filled],
    progress: _Progress,
    found: _Found,
) -> None:
    emails = await ground.add_users(pace.cookies, name="cookie")
    cookies = [(await ground.sign_in(email, "cookie")).secret or "" for email in emails]
    phone = await ground.sign_in(emails[0], "tokens")

    async def own_tokens(count: int) -> list[str]:
        return await ground.tokens_of(phone, count)

    memory = next(each.line for each in prepared if each.store.kind == "memory")
    async with Verifier(ground.issuer, audience=ground.issuer, key=ground.key) as verifier:
        await verifier.ready(timeout=_READY)
        entered = contenders(
            issuance,
            memory=memory,
            cookies=Cookies(ground, cookies),
            verifier=verifier,
            own_tokens=own_tokens,
        )
        raced = dict(await Race([*entered, yardstick()], pace.checks).run(progress.step))
    found.yardstick += raced.pop(_YARDSTICK).rounds
    beginnings = await measure_beginnings(issuance, rounds=pace.processes, on_round=progress.step)
    found.checks = checks_of(raced, beginnings, load)
    credentials = {design: issuance.token(design) for design in issuance.tokens}
    own = {OWN_COOKIE: cookies[0], OWN_TOKEN: (await own_tokens(1))[0]}
    found.sizes = sizes_of({OPAQUE: cookies[0], **credentials, **own}, load)


def _steps(pace: Pace, stores: Sequence[Store]) -> int:
    return pace.checks.rounds + pace.processes + pace.stores.rounds + steps_of(stores, pace.windows)


@contextmanager
def _frozen() -> Iterator[None]:
    """Spare the garbage collector what is there already: it would look at it again between any two rounds."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def _sqlite_line() -> Iterator[Line]:
    store = SQLiteStore()
    try:
        store.fill([])
        line = store.connect()
        try:
            yield line
        finally:
            line.close()
    finally:
        store.clear()


@contextmanager
def _open_stores(named: Sequence[str]) -> Iterator[list[Store]]:
    """Open the stores, and leave nothing in them, however the block ends.

    Raises:
        StoreError: If one cannot be used, or two of a kind are named.
        LeftoverError: If something cannot be removed.
    """
    wanted = dict.fromkeys(("memory", "sqlite", *named))
    kinds = [kind_of(each) for each in wanted]
    if len(set(kinds)) < len(kinds):
        raise StoreError("Two stores of the same kind are named: measure one at a time.")
    opened: list[Store] = []
    try:
        with ExitStack() as guards:
            for each in wanted:
                opened.append(store := open_store(each))
                guards.enter_context(store.failures())  # whatever it is doing when it fails
            yield opened
    finally:
        _clear(opened)


def _clear(stores: Sequence[Store]) -> None:
    """Clear all of them, even if one cannot be."""
    failed: list[LeftoverError] = []
    for store in stores:
        try:
            store.clear()
        except LeftoverError as error:
            failed.append(error)
    if failed:
        raise failed[0]
