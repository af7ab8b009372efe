"""The keys as fixtures, one of each for the whole session: making an RSA key is slow."""

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from coatcheck.jose import Key, jwt
from tests.jose.attacks import forging


@pytest.fixture(scope="session")
def khs() -> Key:
    """A secret for HS256."""
    return forging.key("KHS")


@pytest.fixture(scope="session")
def krs() -> Key:
    """A private key for RS256; the same RSA key as ``kps`` and ``koaep``."""
    return forging.key("KRS")


@pytest.fixture(scope="session")
def kps() -> Key:
    """A private key for PS256."""
    return forging.key("KPS")


@pytest.fixture(scope="session")
def kes() -> Key:
    """A private key for ES256; the same EC key as ``kecdh``."""
    return forging.key("KES")


@pytest.fixture(scope="session")
def ked() -> Key:
    """A private key for Ed25519."""
    return forging.key("KED")


@pytest.fixture(scope="session")
def koaep() -> Key:
    """A private key for RSA-OAEP-256."""
    return forging.key("KOAEP")


@pytest.fixture(scope="session")
def kkw() -> Key:
    """A secret for A256KW."""
    return forging.key("KKW")


@pytest.fixture(scope="session")
def kdir() -> Key:
    """A secret for direct encryption with A256GCM."""
    return forging.key("KDIR")


@pytest.fixture(scope="session")
def kecdh() -> Key:
    """A private key for ECDH-ES on P-256."""
    return forging.key("KECDH")


@pytest.fixture(scope="session")
def kpb() -> Key:
    """A password for PBES2-HS512+A256KW."""
    return forging.key("KPB")


@pytest.fixture
def v() -> jwt.Verifier[Any]:
    """A new verifier of ES256, issuer ``https://i``, audience ``a``, at the time ``forging.NOW``."""
    return forging.verifier(forging.key("KES"))


_OUTSIDE = ("open", "socket.", "subprocess.", "os.exec", "os.system", "urllib.")


class Watch:
    """What the interpreter tells of files and sockets while it is on, in the thread that switched it on.

    Other tests have left services running in others, which follow their servers.
    """

    def __init__(self) -> None:
        self.on: int | None = None
        self.events: list[str] = []

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        # A module that is imported when it is first needed is no input.
        is_code = event == "open" and str(arguments[0]).endswith((".py", ".pyc", ".so"))
        if self.on == threading.get_ident() and event.startswith(_OUTSIDE) and not is_code:
            self.events.append(f"{event}{arguments!r}")


@pytest.fixture(scope="session")
def _watch() -> Watch:
    watch = Watch()
    sys.addaudithook(watch)
    return watch


@pytest.fixture
def no_io(_watch: Watch) -> Iterator[list[str]]:
    """Fail the test if anything opens a file or a socket, or starts a process."""
    _watch.events.clear()
    _watch.on = threading.get_ident()
    yield _watch.events
    _watch.on = None
    assert not _watch.events
