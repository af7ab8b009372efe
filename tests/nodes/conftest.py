"""Three nodes on PostgreSQL behind nginx, once per worker of pytest; whoever ends one of them starts it again."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.nodes.cluster import Cluster, Node
from tests.nodes.people import add_people

if TYPE_CHECKING:
    from tests.engines import PostgresServer


@pytest.fixture(scope="session")
def whole_cluster(postgres: "PostgresServer", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    directory = tmp_path_factory.mktemp("nodes")
    with postgres.database("empty") as url:
        asyncio.run(add_people(url))
        found = Cluster(directory, url, [Node(directory, url) for _ in range(3)])
        try:
            found.start()
            yield found
        finally:
            found.end()


@pytest.fixture
def cluster(whole_cluster: Cluster) -> Cluster:
    """The cluster, all of whose nodes run."""
    for node in whole_cluster.nodes:
        if node.process is None:
            node.start()
    return whole_cluster


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path
