"""The tunables of a verifier. The usual values suit nearly everybody."""

from __future__ import annotations

import msgspec

from .errors import VerifierConfigurationError

__all__ = ["VerifierPolicy"]


class VerifierPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds and waiting times. Spans are seconds, sizes octets.

    Attributes:
        leeway: By how much clocks may differ, for the times of tokens; at most 60.
        cache_size: How many verified credentials are remembered, of each sort.
        longest_token: The longest token that is looked at, in characters.
        longest_remembered: The longest that is remembered.
        startup_timeout: How long the first use waits for keys and ledger.
        request_timeout: How long an answer of the server may take.
        silence: How long the stream of the ledger may be silent before it counts as broken.
        first_pause: How long to wait before the first attempt to connect again ...
        longest_pause: ... and at most, after many.
        key_cooldown: At most so often do tokens with an unknown key make the verifier fetch the keys.
        key_max_age: After how long the keys are fetched again in any case.
        answer_limit: The longest answer.
        line_limit: The longest line of the stream, which is the longest event.
        introspection_memory: For how long an answer about a session cookie is believed, at most. It must be less than
            the life of an entry of the ledger, or the end of a session could be forgotten before it was noticed.
        introspections: How many cookies are asked about at the same time.
        introspection_queue: How many more may wait for their turn, for ``request_timeout`` at most.
        refused_memory: For how long a cookie that stands for nothing is remembered as such.
    """

    leeway: float = 10.0
    cache_size: int = 16_384
    longest_token: int = 16_384
    longest_remembered: int = 4_096
    startup_timeout: float = 5.0
    request_timeout: float = 5.0
    silence: float = 7.0
    first_pause: float = 0.1
    longest_pause: float = 5.0
    key_cooldown: float = 30.0
    key_max_age: float = 900.0
    answer_limit: int = 262_144
    line_limit: int = 1_048_576
    introspection_memory: float = 3600.0
    introspections: int = 16
    introspection_queue: int = 1024
    refused_memory: float = 10.0

    def __post_init__(self) -> None:
        """Refuse what makes no sense. Raises ``VerifierConfigurationError``."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e9:
                raise VerifierConfigurationError(f"The tunable {name!r} must be a number, 0 or more.")
        if self.leeway > 60:
            raise VerifierConfigurationError("'leeway' is at most 60 seconds.")
        if self.introspection_memory > 3600:
            raise VerifierConfigurationError("'introspection_memory' is at most an hour.")
