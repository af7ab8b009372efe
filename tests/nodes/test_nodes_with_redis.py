"""Two nodes that count attempts in Redis, and what is left of a site when that is killed."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.engines import RedisServer, redis_server
from tests.nodes.cluster import BASE_URL, Node, until
from tests.nodes.people import PASSWORD, PEOPLE, add_people

if TYPE_CHECKING:
    from tests.engines import PostgresServer

GUESSES = 12
BROWSER = {"Origin": BASE_URL, "Sec-Fetch-Site": "same-origin", "Accept": "text/html"}


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def nodes(postgres: "PostgresServer", redis: RedisServer, tmp_path: Path) -> Iterator[list[Node]]:
    with postgres.database("empty") as url:
        asyncio.run(add_people(url))
        found = [Node(tmp_path, url) for _ in range(2)]
        try:
            for node in found:
                node.environment["COATCHECK_REDIS"] = redis.url()
                node.start()
            yield found
        finally:
            for node in found:
                if node.process is not None:
                    node.end()


def sign_in(node: Node, email: str, password: str = PASSWORD) -> httpx.Response:
    return node.post("/auth/sign-in", {"email": email, "password": password}, **BROWSER)


def guess(nodes: list[Node], email: str) -> int:
    """Guess a password at all nodes at once until it is enough; return how many guesses were let through."""

    def one(number: int) -> int:
        return sign_in(nodes[number % 2], email, f"guess {number}").status_code

    with ThreadPoolExecutor(GUESSES) as threads:
        answers = list(threads.map(one, range(GUESSES)))
    assert one(0) == 429
    return len([status for status in answers if status != 429])


def cookie_of(response: httpx.Response) -> str:
    return "; ".join(f"{name}={value}" for name, value in response.cookies.items())


def test_attack_guesses_are_counted_over_all_nodes_and_go_on_being_counted_without_redis(
    nodes: list[Node], redis: RedisServer
) -> None:
    assert 0 < guess(nodes, PEOPLE[0]) < GUESSES
    assert redis.execute("ZCARD", "coatcheck:limits") != b":0\r\n"
    redis.kill()
    assert 0 < guess(nodes, PEOPLE[0]) < GUESSES


def test_what_is_signed_out_at_one_node_is_refused_by_the_other_while_redis_is_dead_and_when_it_is_back(
    nodes: list[Node], redis: RedisServer
) -> None:
    here, there = nodes
    first = cookie_of(sign_in(here, PEOPLE[1]))
    redis.kill()
    second = cookie_of(sign_in(there, PEOPLE[1]))
    assert all(node.knows(cookie) for node in nodes for cookie in (first, second))
    assert here.post("/auth/sign-out", {}, Cookie=first, **BROWSER).status_code == 303
    until(lambda: not there.knows(first))
    redis.start()
    third = cookie_of(sign_in(here, PEOPLE[1]))
    assert [[node.knows(cookie) for cookie in (first, second, third)] for node in nodes] == [
        [False, True, True]
    ] * 2
    assert there.post("/auth/sign-out", {}, Cookie=third, **BROWSER).status_code == 303
    until(lambda: not here.knows(third))
    assert all(node.is_ready() for node in nodes)
