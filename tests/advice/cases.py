"""All the answers that there are, and cases made of them."""

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from math import prod
from typing import Any

from coatcheck.advice.model import (
    ASSURANCES,
    CLIENTS,
    FRAMEWORKS,
    HOSTS,
    OFFLINE,
    SIGN_INS,
    SIGN_OUTS,
    VERIFIERS,
    Case,
)

SETS_OF_CLIENTS = [some for count in range(1, len(CLIENTS) + 1) for some in combinations(CLIENTS, count)]
SETS_OF_VERIFIERS = [some for count in range(len(VERIFIERS) + 1) for some in combinations(VERIFIERS, count)]
# What there is to answer beside the clients, one line for each question.
OTHER_ANSWERS: dict[str, tuple[Any, ...]] = {
    "sign_in": SIGN_INS,
    "hosts": HOSTS,
    "backend": (True, False),
    "sign_out": SIGN_OUTS,
    "verifiers": tuple(SETS_OF_VERIFIERS),
    "offline": OFFLINE,
    "hidden": (False, True),
    "assurance": ASSURANCES,
}


def each_client_alone() -> Iterator[Case]:
    """Every combination of answers, for each client by itself."""
    for client in CLIENTS:
        for values in product(*OTHER_ANSWERS.values()):
            yield Case(clients=(client,), **dict(zip(OTHER_ANSWERS, values, strict=True)))


def some_of_all(step: int) -> Iterator[Case]:
    """Every so-many-th combination of all; a step that is prime meets all answers."""
    answers: dict[str, Sequence[Any]] = {"clients": SETS_OF_CLIENTS, **OTHER_ANSWERS}
    for number in range(0, prod(map(len, answers.values())), step):
        rest, chosen = number, dict[str, Any]()
        for name, values in answers.items():
            rest, place = divmod(rest, len(values))
            chosen[name] = values[place]
        yield Case(**chosen)


def with_each_framework(case: Case) -> Iterator[Case]:
    for framework in FRAMEWORKS:
        yield Case(
            **{name: getattr(case, name) for name in case.__struct_fields__} | {"framework": framework}
        )
