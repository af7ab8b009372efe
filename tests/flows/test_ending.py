"""The end of access: every way goes through one function, and none leaves a credential that works."""

import ast
import importlib
import logging
import pkgutil
import re
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType

import pytest

import coatcheck
from coatcheck import flows
from coatcheck.flows import ending
from coatcheck.flows.ending import ADMINISTRATOR, Reason
from coatcheck.flows.errors import RecentSignInNeededError
from coatcheck.flows.ports import Records, Storage
from coatcheck.flows.service import Flows
from coatcheck.oauth.errors import InvalidClientError, InvalidGrantError
from coatcheck.revocation.model import Entry
from coatcheck.storage.errors import StorageBusyError
from coatcheck.storage.memory import MemoryStorage
from tests.flows.registered import PUBLIC
from tests.flows.ways import EVERYBODY, WAYS, Scene, concerns
from tests.flows.world import ADA, ELSEWHERE, EVE, World, asynchronous, refresh_token


async def entries_of(world: World) -> list[Entry]:
    return await world.storage.records.list_entries(after=0, limit=1000)


@pytest.mark.parametrize("way", WAYS)
@asynchronous
async def test_asvs_7_4_1_every_way_ends_just_what_it_should_and_writes_one_entry_for_each_credential(
    world: World, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "coatcheck.sessions")
    taken = WAYS[way]
    taken.prepare(world)
    scene = await Scene.laid(world)
    facts = await scene.facts()
    assert await entries_of(world) == []
    await taken.take(scene)
    # What has ended has, and nothing else.
    find = world.storage.records.find_session
    assert {
        name for name, each in scene.sign_ins.items() if await find(each.session.id) is None
    } == taken.ends
    if "app" in taken.ends:
        assert not await world.can_refresh(scene.app)
    if "granted" in taken.ends:
        with pytest.raises((InvalidGrantError, InvalidClientError)):
            await scene.registered.refresh(refresh_token(scene.granted), credentials=PUBLIC)
    for name in taken.ends:
        assert not await world.is_in(scene.sign_ins[name])
    # The ledger says so, once for each credential that died.
    entries = await entries_of(world)
    dead = taken.ends | taken.voids
    counted = {name: sum(concerns(entry, each) for entry in entries) for name, each in facts.items()}
    assert counted == {name: (2 if name in taken.twice else int(name in dead)) for name in EVERYBODY}
    assert {name for name in EVERYBODY if await scene.is_good(name)} == EVERYBODY - dead - expired(scene)
    # And why, and who did it.
    assert {entry.reason for entry in entries} == set(taken.reasons)
    actor = f"user:{scene.here.user.id}" if taken.actor == "user" else taken.actor
    assert {entry.actor for entry in entries} == {actor}
    assert all(f"{entry.kind} {entry.value} ended: {entry.reason}, by " in caplog.text for entry in entries)
    assert len({entry.mark for entry in entries}) == len(entries)


def expired(scene: Scene) -> set[str]:
    """Return whose tokens are too old by now, whatever the way did."""
    end = scene.here.session.created_at + scene.world.context.access_tokens.lifetime
    return set(EVERYBODY) if scene.world.clock.now >= int(end) else set()


class Failing:
    """A storage on which no transaction commits that says something in the ledger."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.version = storage.version
        self.close = storage.close
        self.watch = storage.watch
        self.change_throttles = storage.change_throttles
        self.fails = False

    @property
    def records(self) -> Records:
        return self._storage.records

    def transaction(self, *of: str) -> "FailingTransaction":
        return FailingTransaction(self._storage.transaction(*of), self)


class FailingTransaction:
    def __init__(self, block: AbstractAsyncContextManager[Records], storage: Failing) -> None:
        self._block = block
        self._storage = storage

    async def __aenter__(self) -> Records:
        self._records = await self._block.__aenter__()
        self._head = await self._records.ledger_head()
        return self._records

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None and self._storage.fails and await self._records.ledger_head() != self._head:
            failure = StorageBusyError(retry_after=1.0)
            await self._block.__aexit__(StorageBusyError, failure, None)
            raise failure
        await self._block.__aexit__(kind, error, traceback)


@pytest.mark.parametrize("way", WAYS)
@asynchronous
async def test_a_way_whose_commit_fails_has_ended_nothing_and_written_nothing(world: World, way: str) -> None:
    taken = WAYS[way]
    failing = Failing(world.storage)
    world.storage = failing
    taken.prepare(world)
    world.tune(world.tunables)
    scene = await Scene.laid(world)
    failing.fails = True
    with pytest.raises(StorageBusyError):
        await taken.take(scene)
    failing.fails = False
    assert await entries_of(world) == []
    for each in scene.sign_ins.values():
        assert await world.storage.records.find_session(each.session.id) is not None
    assert {name for name in EVERYBODY if await scene.is_good(name)} == EVERYBODY - expired(scene)
    assert (await world.storage.records.find_user(scene.here.user.id)) == scene.here.user


# --- that the table is whole --------------------------------------------------------------------------------

SOURCES = {
    path.relative_to(Path(coatcheck.__file__).parent).as_posix(): path.read_text(encoding="utf-8")
    for path in Path(coatcheck.__file__).parent.rglob("*.py")
}


class Calls(ast.NodeVisitor):
    """Who calls whom, among the functions and methods of one module."""

    def __init__(self, tree: ast.Module) -> None:
        self.calls: dict[str, set[str]] = {}
        self._owner = ""
        self._function = ""
        self.visit(tree)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._owner = f"{node.name}."
        self.generic_visit(node)
        self._owner = ""

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        outer, self._function = self._function, self._function or f"{self._owner}{node.name}"
        self.calls.setdefault(self._function, set())
        self.generic_visit(node)
        self._function = outer

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - as ast calls it

    def visit_Name(self, node: ast.Name) -> None:
        # Named at all: what is handed on may be called elsewhere.
        if self._function:
            self.calls[self._function].add(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if self._function and ast.unparse(node.value) == "self":
            self.calls[self._function].add(f"{self._owner}{node.attr}")
        elif self._function and ast.unparse(node.value) in FLOW_ATTRIBUTES:
            self.calls[self._function].add(f"{FLOW_ATTRIBUTES[ast.unparse(node.value)]}.{node.attr}")
        self.generic_visit(node)


# Flows that others hold.
FLOW_ATTRIBUTES = {"self._keys": "KeyRotation", "self._authentication": "Authentication"}

# They show a credential as a service does, without the client that it is bound to: nothing can be bound elsewhere.
SHOW_WITHOUT_A_CLIENT = {
    "Authentication.by_claims",
    "Authentication.by_client_token",
    "Introspection.introspect",
    "Userinfo.of",
}

# They void what says more than is allowed by now, which their own tests show.
NARROWING = {"Registration.update"}


def modules_of_flows() -> Iterator[tuple[str, str]]:
    for module in pkgutil.walk_packages(flows.__path__, f"{flows.__name__}."):
        path = importlib.import_module(module.name).__file__
        assert path is not None
        yield module.name, Path(path).read_text(encoding="utf-8")


def those_that_may_end_access(extra: str = "") -> set[str]:
    """Return the public methods of flows through which ``revoke`` can be reached."""
    calls: dict[str, set[str]] = {}
    for source in (*(source for _, source in modules_of_flows()), extra):
        for name, called in Calls(ast.parse(source)).calls.items():
            calls.setdefault(name, set()).update(called)
    reaching = {"revoke"}
    while more := {name for name, called in calls.items() if called & reaching} - reaching:
        reaching |= more
    return {name for name in reaching if "." in name and not re.search(r"\._(?!_call__)", name)}


def test_every_flow_that_may_end_access_is_in_the_table_of_ways() -> None:
    found = those_that_may_end_access() - SHOW_WITHOUT_A_CLIENT - NARROWING
    assert found == {way.partition(",")[0] for way in WAYS}
    of_all = Flows(World(MemoryStorage()).context)
    held = [*vars(of_all).values(), *vars(of_all.provider).values()]
    held += vars(of_all.provider.token_endpoint)["_grants"].values()
    names = {type(flow).__name__ for flow in held}
    assert {each.partition(".")[0] for each in found} <= names


def test_a_new_flow_that_ends_access_would_be_found() -> None:
    new = """
class New:
    async def method(self): await self._inner()
    async def _inner(self): await helper()
    async def harmless(self): await self.nothing()
async def helper(): await void_earlier(1)
"""
    assert those_that_may_end_access(new) - those_that_may_end_access() == {"New.method"}


ONLY_HERE = {
    r"\bledger\.append\b": {"flows/ending.py"},
    r"\.append_entries\b": {"flows/ledger.py"},
    r"\.delete_sessions\b": {"flows/ending.py"},
    r"\.delete_all_sessions\b": {"flows/revoking.py"},
    r"\.shorten_sessions\b": {"flows/session_policy.py"},
    r"\.delete_expired_sessions\b": {"flows/housekeeping.py"},
    r"\.delete_expired_entries\b": {"flows/housekeeping.py"},
}


@pytest.mark.parametrize("call", ONLY_HERE)
def test_nothing_but_the_one_function_ends_access(call: str) -> None:
    found = {
        path
        for path, source in SOURCES.items()
        if re.search(call, source) and not path.startswith("storage/")
    }
    assert found == ONLY_HERE[call]


def test_the_sessions_of_a_user_are_ended_before_the_user_is_deleted() -> None:
    for path, source in SOURCES.items():
        if not path.startswith("storage/"):
            assert source.count(".delete_user(") == source.count("Reason.DELETED)") + source.count(
                "Reason.DELETED,"
            )


@asynchronous
async def test_an_end_that_is_rolled_back_is_none(world: World) -> None:
    signed_in = await world.signed_up()

    async def end_and_fail() -> None:
        async with world.storage.transaction() as records:
            named = [signed_in.session.id]
            await ending.end_sessions(
                world.context, records, named, reason=Reason.SIGNED_OUT, actor=ADMINISTRATOR
            )
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await end_and_fail()
    assert await world.is_in(signed_in)
    assert await entries_of(world) == []


@asynchronous
async def test_signing_out_twice_is_harmless(world: World) -> None:
    identity = await world.identity(await world.signed_up())
    await world.flows.ending.sign_out(identity)
    await world.flows.ending.sign_out(identity)


@asynchronous
async def test_devices_are_listed_with_the_current_one_first_and_without_expired_ones(world: World) -> None:
    first = await world.signed_up()
    world.clock.advance(10 * 24 * 3600)
    second = await world.signed_in(client=ELSEWHERE)
    third = await world.signed_in(credential="tokens")
    world.clock.advance(1)
    devices = await world.flows.ending.list_devices(await world.identity(second))
    assert devices[0].session_id == second.session.id
    assert [device.is_current for device in devices] == [True, False, False]
    assert {device.session_id: device.kind for device in devices} == {
        first.session.id: "browser",
        second.session.id: "browser",
        third.session.id: "tokens",
    }
    assert devices[0].client == ELSEWHERE
    assert devices[0].methods == ("pwd",)
    world.clock.advance(4 * 24 * 3600 + 1)
    devices = await world.flows.ending.list_devices(await world.identity(second))
    assert first.session.id not in {device.session_id for device in devices}


@asynchronous
async def test_of_the_sessions_of_others_nobody_knows_or_ends_any(world: World) -> None:
    ada, eve = await world.signed_up(ADA), await world.signed_up(EVE)
    identity = await world.identity(eve)
    assert not await world.flows.ending.end(identity, ada.session.id)
    assert not await world.flows.ending.end(identity, "unknown")
    assert [each.session_id for each in await world.flows.ending.list_devices(identity)] == [eve.session.id]
    await world.flows.ending.end_everywhere(identity)
    assert await world.is_in(ada)


@asynchronous
async def test_asvs_7_5_2_ending_other_sessions_needs_a_recent_sign_in_and_ending_ones_own_does_not(
    world: World,
) -> None:
    here, there = await world.signed_up(), await world.signed_in()
    identity = await world.identity(here)
    world.clock.advance(301)
    with pytest.raises(RecentSignInNeededError):
        await world.flows.ending.end(identity, there.session.id)
    with pytest.raises(RecentSignInNeededError):
        await world.flows.ending.end_others(identity)
    assert await world.is_in(there)
    assert await world.flows.ending.end(identity, here.session.id)
    other = await world.identity(there)
    assert await world.flows.ending.end_everywhere(other) == 1
