"""From an exception to one line on standard error and an exit status. Nobody sees a traceback for a wrong file."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from io import TextIOWrapper
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from ..errors import CoatcheckError
from .errors import UsageError
from .notices import end_line, notice

__all__ = ["IMPOSSIBLE", "REFUSED", "Commands", "complain"]

REFUSED = 1
IMPOSSIBLE = 2
_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
_BROKEN_PIPE = 141  # 128 + SIGPIPE

# The base of everything that typer says about wrong arguments has no public name in its older releases.
_WrongArguments: type[Exception] = typer.BadParameter.__mro__[2]


def complain(message: str, code: str | None = None) -> None:
    """Write one line to standard error, with the stable code of the error if there is one."""
    line = f"coatcheck: {message}"
    notice(line if code is None else f"{line} [{code}]")


class Commands(TyperGroup):
    """A tree of commands that ends every failure in one line."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """Run the command. Whoever closes the pipe has seen enough: that is no refusal of the token."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            raise typer.Exit(_silenced()) from None
        except KeyboardInterrupt:
            end_line()
            raise
        return result

    def main(self, *arguments: Any, **options: Any) -> NoReturn:
        """Run the command and exit with its status."""
        options["standalone_mode"] = False
        if sys.stdout is None or sys.stdout.closed:
            complain("There is no standard output.", "unwritable_output")
            sys.exit(IMPOSSIBLE)
        for stream in (sys.stdout, sys.stderr):
            # Where the terminal lacks a letter, an escape is shown in its place.
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        sys.exit(_exit_status(partial(super().main, *arguments, **options)))


def _exit_status(command: Callable[[], Any]) -> int:
    try:
        status = command()
    except CoatcheckError as error:
        return _refusal(error)
    except _WrongArguments as error:
        complain(f"{_message(error)} {_hint(error)}".rstrip(), UsageError.code)
        return IMPOSSIBLE
    except (typer.Abort, KeyboardInterrupt):
        complain("Interrupted.")
        return _INTERRUPTED
    except OSError as error:
        _silenced()  # what cannot be written now could not be at exit either
        complain(f"{error.strerror or 'The system refused'}.", "system_error")
        return IMPOSSIBLE
    return status if isinstance(status, int) else 0


def _refusal(error: CoatcheckError) -> int:
    from ..inspection.wording import in_commands
    from ..jose.errors import TokenError

    complain(in_commands(error.message), error.code)
    return REFUSED if isinstance(error, TokenError) else IMPOSSIBLE


def _message(error: Exception) -> str:
    shown = getattr(error, "format_message", error.__str__)()
    line = " ".join(str(shown).split())
    return line if line.endswith((".", "?")) else f"{line}."


def _hint(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    return "" if context is None else f"Try: {context.command_path} --help"


def _silenced() -> int:
    """Nobody reads any more. Point standard output at nothing, or flushing it at exit would fail once more."""
    with suppress(OSError, ValueError):  # not a real file: nothing will be flushed into a pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _BROKEN_PIPE
