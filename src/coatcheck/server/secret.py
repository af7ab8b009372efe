"""A secret among the settings, and the one that development makes for itself."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from .._core import secrets
from .errors import DevelopmentSecretError

__all__ = ["DEVELOPMENT_PREFIX", "Secret", "development_secret"]

DEVELOPMENT_PREFIX = "development-"
_MASK = "********"
_MOST_OCTETS = 4096
_WRITABLE_BY_OTHERS = 0o022


class Secret:
    """A text that is not shown by accident: neither ``repr`` nor ``str`` nor a format tells it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Take the text."""
        self._value = value

    def reveal(self) -> str:
        """Return the text itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret('{_MASK}')"

    def __str__(self) -> str:
        return _MASK

    def __eq__(self, other: object) -> bool:
        return secrets.equal(self._value, other._value) if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._value)


def development_secret(database: str | os.PathLike[str]) -> Secret:
    """Return the secret that is kept beside a development database, in ``<database>.secret``; make it if need be.

    The file is made as a whole or not at all and readable for its owner alone. Of several processes that start at
    once, one makes it, and all return the same.

    Raises:
        DevelopmentSecretError: If the file cannot be read or made, or holds something else.
    """
    path = Path(f"{os.fspath(database)}.secret")
    try:
        if not path.exists():
            _make_file(path, DEVELOPMENT_PREFIX + secrets.new_token())
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _WRITABLE_BY_OTHERS:
                raise DevelopmentSecretError(
                    f"Others may write the development secret in {str(path)!r}: delete the file, or forbid it."
                )
            text = file.read(_MOST_OCTETS).decode("utf-8", "replace").strip()
    except OSError as error:
        reason = error.strerror or "the system refused"
        raise DevelopmentSecretError(
            f"The development secret in {str(path)!r} cannot be read or made: {reason}."
        ) from None
    if not text.startswith(DEVELOPMENT_PREFIX) or len(text) < len(DEVELOPMENT_PREFIX) + 32:
        raise DevelopmentSecretError(
            f"{str(path)!r} holds no development secret. Delete the file together with the database, or restore it."
        )
    return Secret(text)


def _make_file(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name[:64]}."
    )  # mode 0600 from the start
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)  # unlike a rename, this fails if another process was first
    except FileExistsError:
        pass  # its secret is as good
    finally:
        Path(temporary).unlink(missing_ok=True)
