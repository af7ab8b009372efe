"""Whatever happens in whatever order: a process that remembers answers as one that has just begun."""

import asyncio
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from coatcheck.errors import CoatcheckError
from coatcheck.flows.authentication import Authentication
from coatcheck.flows.model import SignedIn
from coatcheck.sessions.policy import NIST_AAL3, SessionPolicy
from coatcheck.storage.memory import MemoryStorage
from tests.flows.world import (
    ADA,
    ELSEWHERE,
    EVE,
    HOME,
    PASSWORD,
    Tunables,
    World,
    access_token,
    asks,
    refresh_token,
)

PEOPLE = [ADA, EVE]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "sign in",
                "sign in with tokens",
                "sign out",
                "end others",
                "end everywhere",
                "re-authenticate",
                "refresh",
                "refresh again",
                "grant",
                "revoke",
                "disable",
                "enable",
                "wait",
                "wait long",
                "tidy",
            ]
        ),
        st.integers(0, 5),
    ),
    max_size=14,
)


class Story:
    """Two people, their sign-ins, and two processes that have served them all along."""

    def __init__(self) -> None:
        self.world = World(MemoryStorage(), tunables=Tunables(sessions=SessionPolicy(profile=NIST_AAL3)))
        self.world.allow()
        self.processes = [self.world.flows.authentication, Authentication(self.world.context)]
        self.sign_ins: list[SignedIn] = []
        self.steps = {
            "sign in": self.sign_in,
            "sign in with tokens": self.sign_in_with_tokens,
            "refresh": self.refresh,
            "refresh again": self.refresh_again,
            "re-authenticate": self.re_authenticate,
        }

    async def begin(self) -> None:
        for email in PEOPLE:
            self.sign_ins.append(await self.world.signed_up(email))

    async def sign_in(self, number: int) -> None:
        self.sign_ins.append(await self.world.signed_in(PEOPLE[number % 2]))

    async def sign_in_with_tokens(self, number: int) -> None:
        self.sign_ins.append(await self.world.signed_in(PEOPLE[number % 2], credential="tokens"))

    async def refresh(self, number: int) -> None:
        for each in [each for each in self.sign_ins if each.tokens is not None][number:]:
            await self.world.flows.tokens.refresh(refresh_token(each), client=HOME)

    async def refresh_again(self, number: int) -> None:
        for each in [each for each in self.sign_ins if each.tokens is not None][number:]:
            await self.world.flows.tokens.refresh(refresh_token(each), client=ELSEWHERE)

    async def re_authenticate(self, number: int) -> None:
        who = await self.world.identity(self.sign_ins[number % len(self.sign_ins)])
        flow = self.world.flows.re_authentication
        renewed = await flow.with_password(who, PASSWORD, client=HOME, device=None)
        if renewed.secret is not None:  # tokens stay as they are
            self.sign_ins.append(renewed)

    async def take(self, step: str, number: int) -> None:
        flows, clock = self.world.flows, self.world.clock
        email = PEOPLE[number % 2]
        if step in self.steps:
            await self.steps[step](number)
        elif step == "wait":
            clock.advance(7 * number)
        elif step == "wait long":
            clock.advance(200 * number)
        elif step == "tidy":
            await flows.housekeeping.tidy()
        elif step in {"grant", "revoke"}:
            await flows.administration.set_scopes(email, ["read"] if step == "grant" else [])
        elif step in {"disable", "enable"}:
            await getattr(flows.administration, step)(email)
        else:
            who = await self.world.identity(self.sign_ins[number % len(self.sign_ins)])
            await getattr(flows.ending, step.replace(" ", "_"))(who)

    async def answers(self, process: Authentication) -> list[Any]:
        return [await self.answer(process, each) for each in self.sign_ins]

    async def answer(self, process: Authentication, signed_in: SignedIn) -> object:
        try:
            if signed_in.secret is not None:
                return (await process.by_cookie(signed_in.secret)).identity
            token = access_token(signed_in)
            return (await process.by_token(token, presented_as=token.encode())).identity
        except CoatcheckError as error:
            return type(error)

    async def tell(self, steps: list[tuple[str, int]]) -> None:
        await self.begin()
        for step, number in steps:
            with suppress(CoatcheckError):  # it may be refused: what it did all the same is what is looked at
                await self.take(step, number)
            expected = await self.answers(Authentication(self.world.context))
            for process in self.processes:
                assert await self.answers(process) == expected, step
        await self.world.close()


@given(STEPS)
def test_a_process_that_remembers_answers_as_one_that_has_just_begun(steps: list[tuple[str, int]]) -> None:
    asyncio.run(Story().tell(steps))


def test_the_cookie_that_a_story_begins_with_is_one_that_works() -> None:
    async def check() -> None:
        story = Story()
        await story.begin()
        answers = await story.answers(story.processes[1])
        assert [each.email for each in answers] == PEOPLE
        assert asks().client == HOME
        await story.world.close()

    asyncio.run(check())
