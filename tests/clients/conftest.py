"""A provider behind nginx, and clients that others have written. Each worker has its own, once."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.clients.node import Node
from tests.clients.person import Person
from tests.clients.provider import ADA, PASSWORD, Provider, serving


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with serving(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Node:
    return Node(tmp_path_factory.mktemp("programs"), trusted=provider.trusted)


@pytest.fixture
def ada(provider: Provider) -> Iterator[Person]:
    person = Person(provider.issuer, email=ADA, password=PASSWORD, trusted=provider.trusted)
    with closing(person):
        yield person
