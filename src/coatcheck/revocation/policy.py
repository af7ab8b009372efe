"""The tunables of the ledger."""

from __future__ import annotations

from datetime import timedelta

import msgspec

__all__ = ["LONGEST_TOKEN", "LedgerPolicy"]

LONGEST_TOKEN = timedelta(hours=1)
"""How long an access token can be good for, whatever the settings say."""


class LedgerPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How long entries are kept.

    Attributes:
        longest_token: The longest life of any token that may be alive. It is the limit of the setting rather than its
            value: the value may have been another one when the tokens were issued that an entry concerns.
        margin: By how much longer: verifiers accept a token for a moment after its end, for the sake of their clocks.
    """

    longest_token: timedelta = LONGEST_TOKEN
    margin: timedelta = timedelta(minutes=2)

    def until(self, now: float) -> float:
        """Return when everything has expired that was issued by now."""
        return now + self.longest_token.total_seconds() + self.margin.total_seconds()
