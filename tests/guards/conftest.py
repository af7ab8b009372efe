"""A server where people sign in, and the services that believe it. Each worker has its own, once."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.guards.issuer import SCOPES, Issuer, serving
from tests.guards.programs import Programs


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    with serving(tmp_path_factory.mktemp("issuer")) as made:
        yield made


@pytest.fixture(scope="session")
def tokens(issuer: Issuer) -> dict[str, str]:
    """One for each of those who have signed in; ``late`` is a writer who did long ago."""
    return {name: issuer.sign_in(name) for name in SCOPES} | {"late": issuer.sign_in_long_ago("writer")}


@pytest.fixture(scope="session")
def programs(issuer: Issuer) -> Iterator[Programs]:
    with closing(Programs(issuer=issuer.url)) as made:
        yield made
