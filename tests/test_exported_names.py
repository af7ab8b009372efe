"""The door of each public package lists exactly what is behind it."""

import importlib.metadata
import pkgutil
from importlib import import_module
from types import ModuleType

import pytest

import coatcheck

PACKAGES = [
    "coatcheck.inspection",
    *("coatcheck", "coatcheck.jose", "coatcheck.jose.jwe", "coatcheck.jose.jws", "coatcheck.jose.jwt"),
    *(
        "coatcheck.server",
        "coatcheck.storage.conformance",
        "coatcheck.storage.memory",
        "coatcheck.storage.redis",
        "coatcheck.storage.sqlite",
        "coatcheck.verifier",
    ),
]
MODULES = [
    *("coatcheck.errors", "coatcheck.identity", "coatcheck.jose.errors", "coatcheck.jose.hazmat"),
    *(
        "coatcheck.accounts.errors",
        "coatcheck.advice.errors",
        "coatcheck.audit.errors",
        "coatcheck.flows.errors",
        "coatcheck.inspection.errors",
        "coatcheck.mail.errors",
        "coatcheck.oauth.errors",
        "coatcheck.server.errors",
    ),
    *(
        "coatcheck.sessions.errors",
        "coatcheck.storage.errors",
        "coatcheck.verifier.errors",
        "coatcheck.web.errors",
    ),
]
PROGRAMS = ["coatcheck.cli"]
# Their doors are their modules: nothing is imported from the package itself.
WITHOUT_A_DOOR = [
    *(
        "coatcheck.accounts",
        "coatcheck.advice",
        "coatcheck.audit",
        "coatcheck.comparison",
        "coatcheck.flows",
        "coatcheck.guards",
        "coatcheck.integrations",
        "coatcheck.mail",
        "coatcheck.oauth",
        "coatcheck.revocation",
        "coatcheck.sessions",
    ),
    *("coatcheck.storage", "coatcheck.web"),
]


def public_names(module: ModuleType) -> dict[str, object]:
    """What a reader sees without an underscore, except the module's own submodules."""
    hidden = {"annotations"} | {name for _, name, _ in pkgutil.iter_modules(getattr(module, "__path__", []))}
    return {
        name: value for name, value in vars(module).items() if not name.startswith("_") and name not in hidden
    }


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_shows_what_it_lists_and_nothing_else(name: str) -> None:
    package = import_module(name)
    submodules = {each for each in package.__all__ if isinstance(getattr(package, each), ModuleType)}
    assert {*public_names(package), *submodules, "__version__"} == {*package.__all__, "__version__"}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_lists_all_that_it_defines(name: str) -> None:
    module = import_module(name)
    defined = {
        each for each, value in public_names(module).items() if getattr(value, "__module__", "") == name
    }
    assert defined <= set(module.__all__)
    assert all(hasattr(module, each) for each in module.__all__)


def test_every_part_is_covered_here() -> None:
    parts = [module.name for module in pkgutil.iter_modules(coatcheck.__path__, "coatcheck.")]
    known = {*PACKAGES, *MODULES, *PROGRAMS, *WITHOUT_A_DOOR}
    assert {part for part in parts if "._" not in part} <= known


@pytest.mark.parametrize("name", WITHOUT_A_DOOR)
def test_a_part_without_a_door_shows_nothing(name: str) -> None:
    assert public_names(import_module(name)) == {}


def test_the_version_is_that_of_the_installed_distribution() -> None:
    assert coatcheck.__version__ == importlib.metadata.version("coatcheck")
