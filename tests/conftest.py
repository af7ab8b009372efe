"""What every test may rely on: the same environment everywhere, and hypothesis without a stopwatch."""

import os
from collections.abc import Iterator

import hypothesis
import pytest

hypothesis.settings.register_profile("local", deadline=None, max_examples=30)
hypothesis.settings.register_profile(
    "ci", hypothesis.settings.get_profile("local"), derandomize=True, database=None, print_blob=True
)
hypothesis.settings.register_profile("brief", hypothesis.settings.get_profile("ci"), max_examples=10)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2000)
USUAL = "ci" if "CI" in os.environ else "local"
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", USUAL))


@pytest.fixture(scope="session", autouse=True)
def _plain_environment() -> Iterator[None]:
    """Take away what on one machine or another would change what the tests see."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(("COATCHECK_", "FORCE_COLOR", "PYTHON")):
                patch.delenv(name)
        patch.setenv("COLUMNS", "100")
        patch.setenv("NO_COLOR", "1")
        patch.setenv("TERM", "dumb")
        patch.setenv("TZ", "UTC")
        yield
