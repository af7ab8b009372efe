"""Whatever ends access, in whatever order: the storage, another process and a view fed by the ledger alone agree."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from coatcheck.errors import CoatcheckError
from coatcheck.flows.access_tokens import AccessClaims, facts_of
from coatcheck.flows.errors import InvalidTokenError
from coatcheck.flows.model import SignedIn
from coatcheck.flows.ports import Records, Storage
from coatcheck.identity import Identity
from coatcheck.revocation.registry import Registry
from coatcheck.storage.sqlite import SQLiteStorage
from tests.flows.world import (
    ADA,
    ELSEWHERE,
    EVE,
    HOME,
    NOW,
    PASSWORD,
    World,
    access_token,
    asks,
    asynchronous,
    refresh_token,
)

PEOPLE = (ADA, EVE)
numbers = st.integers(0, 30)


@dataclass
class Ticket:
    """An access token that was handed out, and whether it is to be good, by what was done."""

    token: str
    claims: AccessClaims
    kid: str
    is_meant_to_work: bool = True


class Agreement(RuleBasedStateMachine):
    """Two processes on one file, and a service that sees the ledger and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "coatcheck.db"
        self.world = World(self.opened())
        self.other = self.world.sibling(self.opened())
        self.registry = Registry()
        self.tickets: list[Ticket] = []
        self.holders: list[SignedIn] = []  # of each session with tokens, the newest
        self.used: list[SignedIn] = []  # with refresh tokens that were exchanged

    def opened(self) -> SQLiteStorage:
        return SQLiteStorage(self.path, notice=timedelta(0))

    def teardown(self) -> None:
        self.runner.run(self.world.close())
        self.runner.run(self.other.close())
        self.runner.close()
        self.directory.cleanup()

    def run(self, doing: Awaitable[Any]) -> Any:
        """Do something and return what it gives; ``None`` if it is refused."""

        async def attempt() -> object:
            try:
                return await doing
            except CoatcheckError:
                return None

        return self.runner.run(attempt())

    def worlds(self, number: int) -> World:
        return (self.world, self.other)[number % 2]

    def pick(self, number: int) -> SignedIn:
        return self.holders[number % len(self.holders)]

    def later(self) -> None:
        """Let the least time pass: no clock gives the same instant to two commits that follow each other."""
        self.world.clock.advance(1e-6)

    def hand_out(self, signed_in: SignedIn | None) -> None:
        if signed_in is None or signed_in.tokens is None:
            return
        claims, kid = self.runner.run(self.world.context.access_tokens.verify(access_token(signed_in)))
        self.tickets.append(Ticket(access_token(signed_in), claims, kid))
        self.used += [each for each in self.holders if each.session.id == signed_in.session.id]
        self.holders = [each for each in self.holders if each.session.id != signed_in.session.id]
        self.holders.append(signed_in)

    def void(self, is_meant: Callable[[Ticket], bool]) -> None:
        for ticket in self.tickets:
            ticket.is_meant_to_work = ticket.is_meant_to_work and not is_meant(ticket)

    def void_session(self, session_id: str) -> None:
        self.void(lambda ticket: ticket.claims.sid == session_id)

    def void_user(self, email: str) -> None:
        user = self.run(self.world.flows.administration.find_user(email))
        self.void(lambda ticket: ticket.claims.sub == user.id)

    def identity(self, number: int) -> tuple[SignedIn, Identity | None]:
        signed_in = self.pick(number)
        return signed_in, self.run(self.worlds(number).identity(signed_in))

    # --- what is done -----------------------------------------------------------------------------------

    @initialize()
    def two_people_sign_up(self) -> None:
        for email in PEOPLE:
            self.hand_out(self.run(self.world.signed_up(email, credential="tokens")))

    @rule(number=numbers)
    def sign_in(self, number: int) -> None:
        self.hand_out(self.run(self.worlds(number).signed_in(PEOPLE[number % 3 % 2], credential="tokens")))

    @rule(number=numbers)
    def refresh(self, number: int) -> None:
        self.hand_out(self.run(self.worlds(number).refreshed(self.pick(number))))

    @precondition(lambda self: self.used)
    @rule(number=numbers)
    def reuse(self, number: int) -> None:
        self.world.clock.advance(11)
        stolen = self.used[number % len(self.used)]
        flow = self.worlds(number).flows.tokens
        assert self.run(flow.refresh(refresh_token(stolen), client=ELSEWHERE)) is None
        self.void_session_if_gone(stolen)

    def void_session_if_gone(self, signed_in: SignedIn) -> None:
        """It ended, unless it was renewed since: then the token was forgotten, and nobody can tell whose it was."""
        if self.run(self.world.storage.records.find_session(signed_in.session.id)) is None:
            self.void_session(signed_in.session.id)

    @rule(number=numbers)
    def re_authenticate(self, number: int) -> None:
        self.later()
        signed_in, identity = self.identity(number)
        if identity is None:
            return
        flow = self.worlds(number // 2).flows.re_authentication
        renewed = self.run(flow.with_password(identity, PASSWORD, client=HOME, device=None))
        if renewed is not None:
            self.void_session(signed_in.session.id)
            self.hand_out(renewed)

    @rule(number=numbers, scopes=st.sampled_from([(), ("read",), ("read", "write")]))
    def set_scopes(self, number: int, scopes: tuple[str, ...]) -> None:
        self.later()
        administration, email = self.worlds(number).flows.administration, PEOPLE[number % 3 % 2]
        before = self.run(administration.find_user(email)).scopes
        self.run(administration.set_scopes(email, scopes))
        if before != frozenset(scopes):
            self.void_user(email)

    @rule(number=numbers)
    def sign_out(self, number: int) -> None:
        signed_in, identity = self.identity(number)
        if identity is not None:
            self.run(self.worlds(number // 2).flows.ending.sign_out(identity))
            self.void_session(signed_in.session.id)

    @rule(number=numbers)
    def end_others(self, number: int) -> None:
        _, identity = self.identity(number)
        if identity is None:
            return
        ended = self.run(self.worlds(number // 2).flows.ending.end_others(identity))
        if ended is not None:
            self.void(
                lambda ticket: ticket.claims.sub == identity.id and ticket.claims.sid != identity.session_id
            )

    @rule(number=numbers)
    def end_everywhere(self, number: int) -> None:
        _, identity = self.identity(number)
        if identity is not None:
            self.run(self.worlds(number // 2).flows.ending.end_everywhere(identity))
            self.void(lambda ticket: ticket.claims.sub == identity.id)

    @rule(number=numbers)
    def disable_and_enable(self, number: int) -> None:
        administration, email = self.worlds(number).flows.administration, PEOPLE[number % 3 % 2]
        self.run(administration.disable(email))
        self.run(administration.enable(email))
        self.void_user(email)

    @rule(number=numbers)
    def revoke_user(self, number: int) -> None:
        self.later()
        email = PEOPLE[number % 3 % 2]
        self.run(self.worlds(number).flows.revoking.user(email, actor="server"))
        self.void_user(email)

    @rule(number=numbers)
    def revoke_token(self, number: int) -> None:
        ticket = self.tickets[number % len(self.tickets)]
        if self.run(self.worlds(number).flows.revoking.token(ticket.token, actor="server")) is not None:
            ticket.is_meant_to_work = False

    @rule(number=numbers)
    def revoke_client(self, number: int) -> None:
        self.later()
        self.run(self.worlds(number).flows.revoking.client("first-party", actor="server"))
        self.void(lambda _: True)

    @rule(number=numbers)
    def revoke_everything(self, number: int) -> None:
        self.later()
        self.run(self.worlds(number).flows.revoking.everything(actor="server"))
        self.void(lambda _: True)

    @rule(number=numbers)
    def sign_in_instead(self, number: int) -> None:
        """A cookie is replaced: that concerns no token."""
        world = self.worlds(number)
        browser = self.run(world.signed_in(ADA))
        if browser is not None:
            request = asks("cookie", replaces=browser.secret)
            self.run(world.flows.sign_in.with_password(ADA, PASSWORD, request=request))

    @rule(seconds=st.sampled_from([0.25, 0.75, 1.0, 40.0, 250.0]))
    def wait(self, seconds: float) -> None:
        self.world.clock.advance(seconds)

    @rule(number=numbers)
    def tidy(self, number: int) -> None:
        self.run(self.worlds(number).flows.housekeeping.tidy())
        self.registry.forget(self.world.clock.now)

    @rule()
    def restart(self) -> None:
        """One process begins anew, with nothing in memory but what it reads."""
        self.runner.run(self.other.close())
        self.other = self.world.sibling(self.opened())

    # --- what holds -------------------------------------------------------------------------------------

    @invariant()
    def all_agree_about_every_token(self) -> None:
        self.runner.run(self.follow())
        now = self.world.clock.now
        for ticket in self.tickets:
            if now >= ticket.claims.exp:
                continue
            answers = {
                "this process": self.runner.run(accepts(self.world, ticket.token)),
                "the other": self.runner.run(accepts(self.other, ticket.token)),
                "the ledger": self.registry.void(facts_of(ticket.claims, ticket.kid)) is None,
            }
            assert answers == dict.fromkeys(answers, ticket.is_meant_to_work)

    async def follow(self) -> None:
        records = self.world.storage.records
        self.registry.apply(await records.list_entries(after=self.registry.position.seq, limit=1000))


async def accepts(world: World, token: str) -> bool:
    try:
        await world.flows.authentication.by_token(token, presented_as=token.encode())
    except InvalidTokenError:
        return False
    return True


TestAgreement = Agreement.TestCase
TestAgreement.settings = settings(
    max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@asynchronous
async def test_a_token_that_is_issued_after_a_change_it_knows_nothing_of_is_void(
    sqlite_world: World, database: Path
) -> None:
    """The attack: keep a permission by refreshing at the very moment at which it is taken away."""
    signed_in = await sqlite_world.signed_up(credential="tokens")
    await sqlite_world.flows.administration.set_scopes(ADA, ["admin"])
    other = sqlite_world.sibling(SQLiteStorage(database, notice=timedelta(0)))
    storage = Overtaken(sqlite_world.storage)
    sqlite_world.storage = storage
    sqlite_world.tune(sqlite_world.tunables)

    async def overtake() -> None:
        sqlite_world.clock.advance(0.5)  # into the next second, so that whole seconds look younger, too
        await other.flows.administration.set_scopes(ADA, [])
        sqlite_world.clock.advance(0.5)
        overtaken.append(sqlite_world.clock.now - int(NOW))

    overtaken: list[float] = []
    storage.after_commit = overtake
    refreshed = await sqlite_world.refreshed(signed_in)
    assert overtaken == [1.25]
    claims, kid = await sqlite_world.context.access_tokens.verify(access_token(refreshed))
    assert claims.scope == "admin"  # what the transaction read
    registry = Registry()
    registry.apply(await other.storage.records.list_entries(after=0, limit=9))
    assert registry.void(facts_of(claims, kid)) == "user"
    assert not await sqlite_world.is_in(refreshed)
    assert not await other.is_in(refreshed)
    again = await sqlite_world.refreshed(refreshed)
    assert (await sqlite_world.identity(again)).scopes == frozenset()
    await other.close()


class Overtaken:
    """A storage on which another process commits right behind the next commit."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.version = storage.version
        self.close = storage.close
        self.watch = storage.watch
        self.change_throttles = storage.change_throttles
        self.after_commit: Callable[[], Awaitable[None]] | None = None

    @property
    def records(self) -> Records:
        return self._storage.records

    @asynccontextmanager
    async def transaction(self, *of: str) -> AsyncIterator[Records]:
        async with self._storage.transaction(*of) as records:
            yield records
        overtake, self.after_commit = self.after_commit, None
        if overtake is not None:
            await overtake()
