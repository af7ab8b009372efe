"""What can go wrong before a key or a token is even looked at."""

from __future__ import annotations

from typing import ClassVar

from ..errors import CoatcheckError

__all__ = ["CommandError", "InputError", "OutputError", "UsageError"]


class CommandError(CoatcheckError):
    """Base of what the command line itself refuses."""

    code: ClassVar[str] = "command_error"


class UsageError(CommandError):
    """The arguments do not go together."""

    code: ClassVar[str] = "wrong_usage"


class InputError(CommandError):
    """A file, standard input or a variable cannot be read."""

    code: ClassVar[str] = "unreadable_input"


class OutputError(CommandError):
    """A file cannot be written, or must not be overwritten."""

    code: ClassVar[str] = "unwritable_output"
