"""Sign-ins per second, beside what bare argon2 does on the same core at the same time.

A sign-in takes long and ``wrk`` drops what is under way when its time is up, so a number of them is timed to the end.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from time import perf_counter

from bench.harness import Timing
from bench.web import bootstrap, client, cores
from bench.web.contenders import Program
from bench.web.environment import CHILD, Environment
from bench.web.programs.person import EMAIL, PASSWORD
from bench.web.server import running

AT_ONCE = 16
_ACCOUNTS = 200
_BARE = "bare argon2id"


@dataclass(frozen=True)
class SignIns:
    """Microseconds of the server's core for one, round by round."""

    bare: Timing
    """A bare argon2id verification with the same parameters, by ``argon2-cffi``."""
    sign_ins: tuple[Timing, ...]


def measure(
    program: Program, environment: Environment, *, directory: Path, rounds: int, number: int
) -> SignIns:
    """Sign in ``number`` times, by cookie and by tokens, and verify as many bare hashes, in turn."""
    bootstrap.create_accounts(directory, [_email(turn) for turn in range(_ACCOUNTS)])
    bootstrap.trust_proxy(directory)
    with running(program, directory, environment) as server:
        server.wait()
        turns = count()
        ways: dict[str, Callable[[], float]] = {_BARE: partial(_bare, number)}
        for credential in ("cookie", "tokens"):
            ways[credential] = partial(_sign_ins, server.port, credential, turns=turns, number=number)
            ways[credential]()  # the first of them start the threads
        samples: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                samples[name].append(way() / number * 1e6)
    bare, *timings = (Timing(name, tuple(taken)) for name, taken in samples.items())
    return SignIns(bare, tuple(timings))


def _email(turn: int) -> str:
    return f"{turn % _ACCOUNTS}.{EMAIL}"


def _sign_ins(port: int, credential: str, *, turns: count[int], number: int) -> float:
    """Seconds for all."""

    def sign_in(turn: int) -> None:
        # From one address alone, or to one account, one would soon be told to wait. Development answers to 127.0.0.0/8.
        address = f"127.{turn >> 16 & 255}.{turn >> 8 & 255}.{turn & 255}"
        person = {"email": _email(turn), "password": PASSWORD, "credential": credential}
        client.post_json(port, "/auth/sign-in", person, headers={"X-Forwarded-For": address})

    mine = [next(turns) for _ in range(number)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        began = perf_counter()
        list(pool.map(sign_in, mine))
        return perf_counter() - began


def _bare(number: int) -> float:
    command = [sys.executable, "-m", "bench.web.signing_in", str(number)]
    done = subprocess.run(command, env=CHILD, capture_output=True, text=True, check=True)  # noqa: S603 -- this module
    return float(done.stdout)


def _verify(number: int) -> float:
    """Seconds for all, one after the other."""
    hasher = bootstrap.bare_argon2()
    encoded = hasher.hash(PASSWORD)
    began = perf_counter()
    for _ in range(number):
        hasher.verify(encoded, PASSWORD)
    return perf_counter() - began


if __name__ == "__main__":
    cores.give_to_server(0)
    print(_verify(int(sys.argv[1])))
