"""What was recorded, whatever the file it comes from."""

from __future__ import annotations

from functools import partial
from typing import Literal

import msgspec

from .addresses import Address
from .set_cookie import SetCookie

__all__ = ["Exchange", "Headers", "Message", "Recording"]


class Headers(msgspec.Struct, frozen=True):
    """The fields of a message, in their order, with names in small letters."""

    fields: tuple[tuple[str, str], ...] = ()

    def all(self, name: str) -> list[str]:
        """Return every value of a field."""
        return [value for each, value in self.fields if each == name]

    def get(self, name: str) -> str:
        """Return the values of a field as one (RFC 9110 section 5.2); empty if there is none."""
        return ", ".join(self.all(name))

    @property
    def size(self) -> int:
        """The octets of all fields, as HTTP/1.1 writes them."""
        return sum(len(name) + len(value) + 4 for name, value in self.fields)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A request or an answer.

    Attributes:
        headers: Its fields.
        content_type: The media type of its body, in small letters, without parameters.
        body: Its body as text; empty if it has none, is no text, or was not recorded.
        fields: The pairs of a form.
    """

    headers: Headers = Headers()
    content_type: str = ""
    body: str = ""
    fields: tuple[tuple[str, str], ...] = ()


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """A request and its answer; of saved headers perhaps only one of them.

    Attributes:
        entry: Its number, from 1, in the order of the file.
        method: In capital letters; empty if only the answer is known.
        address: Where the request went.
        request: The request.
        response: The answer.
        status: That of the answer; 0 if it is not known.
        cookies_sent: The cookies of the request.
        cookies_set: The cookies that the answer sets.
        started: When the request began, in seconds since 1970; ``None`` if it is not told.
        ended: When the answer was complete.
        by_script: Whether a script of a page made the request; ``None`` if it is not told.
    """

    entry: int
    method: str = ""
    address: Address = Address()
    request: Message = msgspec.field(default_factory=partial(Message))
    response: Message = msgspec.field(default_factory=partial(Message))
    status: int = 0
    cookies_sent: tuple[tuple[str, str], ...] = ()
    cookies_set: tuple[SetCookie, ...] = ()
    started: float | None = None
    ended: float | None = None
    by_script: bool | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the answer is what was asked for."""
        return 200 <= self.status < 300

    @property
    def endpoint(self) -> str:
        """The method, and where it leads."""
        return f"{self.method} {self.address.endpoint}".strip() or "the answer"


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a file holds.

    Attributes:
        kind: What the file is.
        creator: What made it.
        exchanges: In the order in which they began, as far as that is told.
        token: The token, if the file is nothing else.
        notes: What was passed over.
    """

    kind: Literal["HAR", "headers", "token"]
    creator: str = ""
    exchanges: tuple[Exchange, ...] = ()
    token: str = ""
    notes: tuple[str, ...] = ()
