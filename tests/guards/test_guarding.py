"""What all guards share: what they wait for, what they know, and how small they are."""

import ast
import asyncio
import io
import subprocess
import sys
import tokenize
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import coatcheck.guards
from coatcheck.guards.guarding import BaseGuard, Demand
from coatcheck.identity import MalformedScopeError
from coatcheck.verifier import NotReadyError, VerifierConfigurationError
from tests.flows.world import asynchronous
from tests.guards.programs import AUDIENCE, ISSUER
from tests.guards.stand_in import StandIn

NOBODY = Demand(optional=True)
FRAMEWORKS = {
    path.stem: path
    for path in Path(coatcheck.guards.__path__[0]).glob("*.py")
    if path.stem not in {"__init__", "guarding"}
}
MOST = 50


class Guard(BaseGuard[list[str], Demand]):
    """A framework whose applications are lists, and which takes a demand as it is."""

    def protect(self, app: list[str]) -> list[str]:
        app.append("protected")
        return super().protect(app)

    def _guarded(self, demand: Demand) -> Demand:
        return demand


@pytest.fixture
def verifier() -> Any:
    return StandIn(ISSUER, audience=AUDIENCE)


def test_a_demand_says_what_was_asked_for(verifier: Any) -> None:
    guard = Guard(None, verifier)
    assert guard.require() == Demand()
    assert guard.require("a", "b", acr="aal2").acr == ("aal2",)
    assert guard.require(acr=["aal2", "aal3"], max_age=timedelta(minutes=5)) == Demand(
        acr=("aal2", "aal3"), max_age=timedelta(minutes=5)
    )
    assert guard.optional() == Demand(optional=True)


def test_a_route_that_could_never_be_reached_or_never_be_guarded_is_noticed_at_the_start(
    verifier: Any,
) -> None:
    guard = Guard(None, verifier)
    assert guard.require("a b") == guard.require("a", "b")
    with pytest.raises(MalformedScopeError):
        guard.require('say "please"')
    for no_text in (print, ["a"], None):
        with pytest.raises(VerifierConfigurationError, match=r"require\('a', 'b'\)"):
            guard.require(no_text)  # type: ignore[arg-type]


def test_an_application_is_protected_at_once_or_later(verifier: Any) -> None:
    first: list[str] = []
    guard = Guard(first, verifier)
    second = guard.protect([])
    assert first == second == ["protected"]


def test_the_metadata_tells_of_scopes_that_were_demanded_later(verifier: Any) -> None:
    guard = Guard([], verifier)
    assert b"scopes_supported" not in guard.metadata().body
    guard.require("b", "a")
    guard.require("c")
    assert b'"scopes_supported":["a","b","c"]' in guard.metadata().body


@asynchronous
async def test_the_first_request_waits_and_no_other() -> None:
    verifier: Any = StandIn(ISSUER, audience=AUDIENCE)
    guard = Guard(None, verifier)
    for _ in range(3):
        assert await guard.admit_async(NOBODY, [], "GET") is None
    assert verifier.waited == 1


@asynchronous
async def test_nobody_waits_twice_in_an_event_loop() -> None:
    verifier: Any = StandIn(ISSUER, audience=AUDIENCE)
    verifier.error = NotReadyError()
    guard = Guard(None, verifier)
    for _ in range(3):
        with pytest.raises(NotReadyError):
            await guard.admit_async(NOBODY, [], "GET")
    assert verifier.waited == 1


@asynchronous
async def test_an_event_loop_goes_on_while_the_first_request_waits() -> None:
    verifier: Any = StandIn(ISSUER, audience=AUDIENCE)
    arrived = asyncio.Event()
    verifier.ready = lambda timeout: asyncio.wait_for(arrived.wait(), timeout)
    request = asyncio.create_task(Guard(None, verifier).admit_async(NOBODY, [], "GET"))
    await asyncio.sleep(0)
    assert not request.done()
    arrived.set()
    assert await request is None


@asynchronous
async def test_a_verifier_follows_once_however_many_applications_share_it() -> None:
    verifier: Any = StandIn(ISSUER, audience=AUDIENCE)
    outer, inner = Guard(None, verifier), Guard(None, verifier)
    async with outer.running(), inner.running():
        assert verifier.followed == 1
    assert (verifier.followed, verifier.started) == (0, 0)


@asynchronous
async def test_a_verifier_goes_on_in_a_thread_for_an_application_that_outlives_another() -> None:
    # Nobody would notice that nothing is revoked any more.
    verifier: Any = StandIn(ISSUER, audience=AUDIENCE)
    first, second = Guard(None, verifier).running(), Guard(None, verifier).running()
    await first.__aenter__()
    await second.__aenter__()
    await first.__aexit__(None, None, None)
    assert (verifier.followed, verifier.started) == (0, 1)
    await second.__aexit__(None, None, None)


@asynchronous
async def test_whoever_asks_after_a_lifespan_makes_the_verifier_follow_again() -> None:
    verifier: Any = StandIn(ISSUER, audience=AUDIENCE)
    guard = Guard(None, verifier)
    async with guard.running():
        await guard.admit_async(NOBODY, [], "GET")
    await guard.admit_async(NOBODY, [], "GET")
    assert verifier.waited == 2


def test_a_process_that_was_forked_waits_for_itself() -> None:
    # Nobody follows in it: tasks and threads stay behind.
    program = """
import asyncio, os
from tests.guards.test_guarding import *

async def ask(guard):
    await guard.admit_async(NOBODY, [], "GET")
    await guard.admit_async(NOBODY, [], "GET")
    return guard.verifier.waited

guard = Guard(None, StandIn(ISSUER, audience=AUDIENCE))
assert asyncio.run(ask(guard)) == 1
child = os.fork()
if not child:
    os._exit(asyncio.run(ask(guard)))
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
assert asyncio.run(ask(guard)) == 1
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])


def test_a_guard_has_to_say_what_a_demand_becomes(verifier: Any) -> None:
    with pytest.raises(NotImplementedError):
        BaseGuard[None, None](None, verifier).require()


def code_lines(source: str) -> int:
    """Count the lines that are neither empty nor comment nor docstring."""
    prose: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            prose.update(range(node.lineno, (node.end_lineno or 0) + 1))
    idle = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in idle:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - prose)


@pytest.mark.parametrize("name", sorted(FRAMEWORKS))
def test_a_framework_takes_no_more_than_fifty_lines(name: str) -> None:
    assert code_lines(FRAMEWORKS[name].read_text(encoding="utf-8")) <= MOST


def test_lines_are_counted_as_they_are_read() -> None:
    assert code_lines('"""Prose.\n\nMore.\n"""\n\n# A comment.\nx = 1\nf(\n    x,  # what\n)\n') == 4


def test_all_frameworks_have_the_same_words() -> None:
    names = set(FRAMEWORKS) - {"interception"}
    assert names == {"asgi", "django", "fastapi", "flask", "grpc", "litestar", "starlette", "wsgi"}
    for path in (FRAMEWORKS[name] for name in names):
        classes = {
            node.name: {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.ClassDef)
        }
        assert "Guard" in classes
        assert not classes["Guard"] & {"__init__", "require", "optional"}
