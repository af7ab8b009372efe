"""What a route may ask of a credential beyond being good: scopes, how strong the sign-in was, and how long ago."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from math import inf

from ..sessions.authentication_context import ACR_VALUES
from .errors import InsufficientScopeError, StepUpNeededError, VerifierConfigurationError
from .model import Principal

__all__ = ["check_requirements", "is_strong_enough"]


def check_requirements(
    principal: Principal,
    *,
    scopes: Collection[str],
    acr: Collection[str],
    max_age: float | timedelta | None,
    now: float,
) -> None:
    """Check what a route asks for.

    Args:
        principal: Whose credential it is.
        scopes: All that it has to be good for.
        acr: How strong the sign-in has to be: any of these will do, and of the levels ``aal1`` to ``aal3`` a higher one
            too. Empty if it does not matter.
        max_age: How long ago the user may have proved who they are, at most, in seconds.
        now: The time.

    Raises:
        InsufficientScopeError: If a scope is missing.
        StepUpNeededError: If the sign-in is too weak or too long ago (RFC 9470).
        VerifierConfigurationError: If a text is given where a collection of texts belongs, or the age is no number.
    """
    if isinstance(scopes, str) or isinstance(acr, str):
        raise VerifierConfigurationError("'scopes' and 'acr' take several texts: ('one',), not 'one'.")
    if not principal.scopes.issuperset(scopes):
        raise InsufficientScopeError(scopes=tuple(scopes))
    span = _seconds(max_age)
    if acr and not is_strong_enough(principal.acr, acr):
        raise _step_up("A stronger sign-in is needed for this.", acr, span)
    proved_at = principal.authenticated_at
    if span is not None and (proved_at is None or not now - proved_at <= span):
        raise _step_up("Please sign in again to do this.", acr, span)


def is_strong_enough(acr: str, wanted: Collection[str]) -> bool:
    """Tell whether a sign-in is one of those that are wanted, or on a higher level than one of them."""
    if acr in wanted:
        return True
    if acr not in ACR_VALUES:
        return False
    return any(level in wanted for level in ACR_VALUES[: ACR_VALUES.index(acr)])


def _seconds(max_age: float | timedelta | None) -> float | None:
    if max_age is None:
        return None
    span = max_age.total_seconds() if isinstance(max_age, timedelta) else max_age
    if not 0 <= span < inf:
        raise VerifierConfigurationError("'max_age' must be a timedelta or a number of seconds, 0 or more.")
    return span


def _step_up(message: str, acr: Collection[str], span: float | None) -> StepUpNeededError:
    return StepUpNeededError(message, acr_values=tuple(acr), max_age=None if span is None else int(span))
