"""The two doors to the outside: the time and the randomness of the operating system."""

import time

import pytest

from coatcheck._core.clock import system_clock
from coatcheck._core.entropy import random_bytes


def test_the_clock_tells_the_time_of_the_system_in_seconds() -> None:
    before = time.time()
    told = system_clock()
    assert before <= told <= time.time()


@pytest.mark.parametrize("count", [0, 1, 16, 64])
def test_as_many_random_bytes_come_as_were_asked_for(count: int) -> None:
    assert len(random_bytes(count)) == count


def test_random_bytes_do_not_repeat() -> None:
    assert len({random_bytes(16) for _ in range(1000)}) == 1000
