"""Every error that ``coatcheck.server`` raises.

::

    CoatcheckError
    └─ ServerError
       ├─ AddressInUseError          another program listens at the address
       ├─ PublicDevelopmentError     development is to listen at more than this machine's own addresses
       ├─ SettingsError              settings that cannot be used; ``problems`` names each
       ├─ DevelopmentSecretError     the development secret's file cannot be used
       ├─ PublicDevelopmentError     development is to listen beyond this machine
       └─ AddressInUseError          another program listens there already
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ..errors import CoatcheckError

__all__ = [
    "AddressInUseError",
    "DevelopmentSecretError",
    "PublicDevelopmentError",
    "ServerError",
    "SettingProblem",
    "SettingsError",
]


class SettingProblem(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one setting. Never quotes the value of a secret.

    Attributes:
        key: The setting's name, as it is written as an argument and in TOML.
        source: Where its value comes from, in words: ``"the environment variable COATCHECK_MODE"``.
        message: What is wrong and what to do, as a sentence.
    """

    key: str
    source: str
    message: str

    def __str__(self) -> str:
        return f"{self.key} ({self.source}): {self.message}"


class ServerError(CoatcheckError):
    """Base of what the composition of a server refuses."""

    code = "server_error"


class SettingsError(ServerError):
    """The settings cannot be used.

    Attributes:
        problems: All that is wrong, as far as it can be told at once; at least one.
    """

    code = "wrong_settings"

    def __init__(self, problems: Sequence[SettingProblem]) -> None:
        super().__init__(" ".join(map(str, problems)))
        self.problems: tuple[SettingProblem, ...] = tuple(problems)


class DevelopmentSecretError(ServerError):
    """The file that keeps the development secret cannot be read or made."""

    code = "development_secret"


class PublicDevelopmentError(ServerError):
    """Development is to listen at an address that others may reach."""

    code = "public_development"

    def __init__(self, host: str) -> None:
        super().__init__(
            f"Development serves this machine only, and {host[:80]!r} is more than that: leave the host out, or set "
            "mode to production."
        )


class AddressInUseError(ServerError):
    """The address cannot be listened at: as a rule, because another program does."""

    code = "address_in_use"

    def __init__(self, host: str, port: int, *, reason: str) -> None:
        super().__init__(f"{host[:80]} port {port} cannot be listened at: {reason}. Choose another port.")
