"""Keys that are slow to make, once for the whole session."""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from coatcheck.jose import Key
from tests.jose import samples


@pytest.fixture(scope="session")
def rsa_private_key() -> rsa.RSAPrivateKey:
    """A key of 2048 bits."""
    return samples.rsa_private_key()


@pytest.fixture(scope="session")
def rsa_pem() -> bytes:
    """The same in PKCS#8."""
    return samples.rsa_pem()


@pytest.fixture(scope="session")
def rsa_key() -> Key:
    """The same, for RS256."""
    return samples.key_for("RS256")
