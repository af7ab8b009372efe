"""The values of mail: what all letters share, a letter, and whoever can send one."""

from __future__ import annotations

from typing import Protocol

import msgspec

__all__ = ["Letter", "Letterhead", "Transport"]


class Letterhead(msgspec.Struct, frozen=True, kw_only=True):
    """What all letters of a site share.

    Attributes:
        name: The name of the site.
        base_url: Its origin, without a slash at the end. Every link begins with it.
        prefix: The path that the pages stand below.
        accent: The colour of the button, as ``#rrggbb``.
    """

    name: str
    base_url: str
    prefix: str
    accent: str


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A message, written out. It holds links that work: it is kept sealed, and never logged.

    Attributes:
        id: The identifier that the queue has for it.
        at: When it was written, in seconds since 1970.
        to: The address it goes to, as its owner spelled it.
        subject: The subject.
        text: All of it as plain text.
        html: The same as HTML.
        links: The links that it offers, the most important first.
        useless_after: When its link has expired and sending makes no sense any more; ``None`` for never.
    """

    id: str
    at: float
    to: str
    subject: str
    text: str
    html: str
    links: tuple[str, ...] = ()
    useless_after: float | None = None

    def __repr__(self) -> str:
        return f"<Letter {self.id}>"


class Transport(Protocol):
    """A way to send letters."""

    async def send(self, letter: Letter) -> None:
        """Send a letter.

        Raises:
            MailRefusedError: If it can never be delivered.
            MailDelayedError: If it may be later.
        """
        ...
