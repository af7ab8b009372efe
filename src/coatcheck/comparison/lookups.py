"""What a look-up with each request costs, on every store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from time import perf_counter_ns
from typing import Final

from .._core.secrets import new_token
from .model import Load, Sample, StoreLookup
from .samples import make_sample
from .stores.base import Kind, Line, Store, look_up, sessions_for
from .timing import Contender, Raced

__all__ = ["Filled", "filled", "lookup_contenders", "measure_connecting", "rows_of"]

_NS: Final = 1e-9
_RING: Final = 256
_NAMES: Final[dict[Kind, str]] = {
    "memory": "Memory",
    "sqlite": "SQLite",
    "postgresql": "PostgreSQL",
    "redis": "Redis",
}
_HOW_TO: Final = "no address was given (--store {kind}://…)"


class Filled:
    """A store with sessions in it, and an open connection to it.

    Attributes:
        store: The store.
        line: The connection.
        secrets: What the cookies of some of those sessions carry.
        rows: How many there are.
    """

    def __init__(self, store: Store, *, rows: int) -> None:
        """Put that many sessions there. Whoever made the store removes them."""
        secrets = [new_token() for _ in range(rows)]
        store.fill(sessions_for(secrets))
        self.store: Store = store
        self.line: Line = store.connect()
        # Spread over all of them: what is looked for is not what was looked for just before.
        self.secrets: list[str] = secrets[:: max(1, rows // _RING)]
        self.rows: int = rows

    def __repr__(self) -> str:
        return f"<Filled {self.store!r}>"

    def check(self, secret: str) -> object:
        """Look one session up, as it is done with each request."""
        found = look_up(self.line, secret)
        assert found is not None  # noqa: S101 - it was put there
        return found

    def connect_and_check(self) -> float:
        """Do the same over a new connection; return the seconds that it took."""
        start = perf_counter_ns()
        line = self.store.connect()
        try:
            look_up(line, self.secrets[0])
            return (perf_counter_ns() - start) * _NS
        finally:
            line.close()


@contextmanager
def filled(stores: Sequence[Store], *, rows: int) -> Iterator[list[Filled]]:
    """Fill stores, and keep a connection to each while the block runs.

    Raises:
        StoreError: If one does not let us.
    """
    with ExitStack() as stack:
        prepared = []
        for store in stores:
            each = Filled(store, rows=rows)
            stack.callback(each.line.close)
            prepared.append(each)
        yield prepared


def lookup_contenders(prepared: Sequence[Filled]) -> list[Contender]:
    """Return the stores as contenders, by their kind."""
    return [
        Contender(name=each.store.kind, call=each.check, inputs=lambda each=each: each.secrets)  # type: ignore[misc]
        for each in prepared
    ]


def measure_connecting(prepared: Sequence[Filled], *, rounds: int) -> dict[Kind, Sample]:
    """Measure the first look-up over new connections, in turns, of all stores that have connections."""
    connected = [each for each in prepared if each.store.kind != "memory"]
    found: dict[Kind, list[float]] = {each.store.kind: [] for each in connected}
    for _ in range(rounds):
        for each in connected:
            found[each.store.kind].append(each.connect_and_check())
    return {kind: make_sample([figures]) for kind, figures in found.items()}


def rows_of(
    prepared: Sequence[Filled], raced: Mapping[str, Raced], cold: Mapping[Kind, Sample], *, load: Load
) -> tuple[StoreLookup, ...]:
    """Put together what was measured, and say of the other stores why they were not."""
    by_kind = {each.store.kind: each for each in prepared}
    return tuple(
        _measured(by_kind[kind], raced[kind], cold.get(kind), load=load)
        if kind in by_kind
        else StoreLookup(
            store=kind, name=name, place="", state="not measured", reason=_HOW_TO.format(kind=kind)
        )
        for kind, name in _NAMES.items()
    )


def _measured(each: Filled, raced: Raced, cold: Sample | None, *, load: Load) -> StoreLookup:
    store, cpu = each.store, raced.cpu
    return StoreLookup(
        store=store.kind,
        name=store.name,
        place=store.place,
        state="measured",
        version=store.version or None,
        rows=each.rows,
        warm=raced.wall,
        cold=cold,
        cpu=cpu,
        per_second_per_core=1 / cpu.median,
        cores=load.requests_per_second * cpu.median,
        waiting=load.requests_per_second * raced.wall.median,
    )
