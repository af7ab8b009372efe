"""What the background asks its driver to do. The logic yields these; a driver does them and sends the outcome back.

What goes wrong on the way comes back as a ``ConnectionFailedError``, raised where the action was yielded.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from threading import Event
from typing import Any, TypeAlias, TypeVar

import msgspec

__all__ = ["Action", "Answer", "Bell", "Close", "Fetch", "Open", "Read", "Steps", "T", "Wait"]

T = TypeVar("T")


class Bell:
    """Wakes those who wait for something, in threads and in event loops. It stays rung until it is cleared."""

    __slots__ = ("_event", "_listeners")

    def __init__(self) -> None:
        self._event = Event()
        self._listeners: list[Callable[[], None]] = []

    @property
    def rung(self) -> bool:
        """Whether it was rung since it was last cleared."""
        return self._event.is_set()

    def ring(self) -> None:
        """Wake all who wait, and those who come to wait later."""
        self._event.set()
        for listener in tuple(self._listeners):
            listener()

    def clear(self) -> None:
        """Let those who come from now on wait."""
        self._event.clear()

    def wait(self, seconds: float | None) -> bool:
        """Wait in this thread. Tells whether it was rung."""
        return self._event.wait(seconds)

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have something called, in whichever thread rings, whenever it rings. Returns how to end that."""
        self._listeners.append(listener)
        if self.rung:
            listener()
        return lambda: self._listeners.remove(listener)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the server answered.

    Attributes:
        status: The status.
        headers: The headers, by lower-case names.
        body: The content; empty for a stream.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class Fetch(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for something and read all of the answer. Comes to an ``Answer``.

    Attributes:
        url: What.
        headers: With which headers.
        form: The fields of a form to post, if it is one.
        limit: How much of an answer to take.
        timeout: How long the whole may take, in seconds.
    """

    url: str
    limit: int
    timeout: float
    headers: Mapping[str, str] = {}
    form: Mapping[str, str] | None = None


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for a stream. Comes to an ``Answer`` without a body.

    Attributes:
        url: Which.
        headers: With which headers.
        timeout: How long the answer may take, in seconds.
        silence: How long nothing may come.
    """

    url: str
    headers: Mapping[str, str]
    timeout: float
    silence: float


class Read(msgspec.Struct, frozen=True):
    """Read on in the stream. Comes to octets; to none at its end."""


class Close(msgspec.Struct, frozen=True):
    """Close the stream, if one is open."""


class Wait(msgspec.Struct, frozen=True):
    """Wait.

    Attributes:
        seconds: For how long.
        bell: What ends it sooner.
    """

    seconds: float
    bell: Bell


Action: TypeAlias = Fetch | Open | Read | Close | Wait

Steps: TypeAlias = Generator[Action, Any, T]
"""Logic that yields actions, and comes to something."""
