"""Policies refuse what the standards do not allow, or what cannot be done."""

from __future__ import annotations

from typing import Any

import pytest

from coatcheck.accounts.policy import Argon2Parameters, PasswordPolicy


@pytest.mark.parametrize("bounds", [{"minimum": 7}, {"maximum": 63}, {"minimum": 100, "maximum": 99}])
def test_asvs_6_2_1_and_6_2_9_a_policy_keeps_the_bounds_of_the_standard(bounds: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="ASVS"):
        PasswordPolicy(**bounds)


@pytest.mark.parametrize(
    "parameters", [{"time_cost": 0}, {"parallelism": 0}, {"memory_kib": 15, "parallelism": 2}]
)
def test_impossible_argon2_parameters_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="argon2"):
        Argon2Parameters(**parameters)


def test_the_usual_parameters_are_those_of_asvs_appendix_c() -> None:
    usual = Argon2Parameters()
    assert (usual.time_cost, usual.memory_kib, usual.parallelism) == (2, 19 * 1024, 1)
