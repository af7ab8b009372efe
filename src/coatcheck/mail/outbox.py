"""The outbox: letters, written and sealed, for the queue."""

from __future__ import annotations

import asyncio

import msgspec
from msgspec.structs import replace

from .._core.secrets import Sealer, SealError, new_identifier
from ..flows.messages import Message
from ..flows.model import QueuedMail
from .errors import MailRefusedError
from .layout import render
from .messages import content_of
from .model import Letter, Letterhead

__all__ = ["Outbox"]

_CONTEXT = "mail"
_DECODER = msgspec.json.Decoder(Letter)


class Outbox:
    """Writes and seals letters (``flows.ports.MailComposer``), and opens them for whoever delivers.

    Attributes:
        waiting: Set when there may be something to deliver.
    """

    def __init__(self, sealer: Sealer, letterhead: Letterhead) -> None:
        """Take what seals, and what all letters share."""
        self._sealer = sealer
        self._head = letterhead
        self.waiting: asyncio.Event = asyncio.Event()

    def readdress(self, base_url: str) -> None:
        """Let the links of further letters begin with another origin."""
        if base_url != self._head.base_url:
            self._head = replace(self._head, base_url=base_url)

    def compose(self, message: Message, *, now: float) -> QueuedMail:
        """Return the message written out, sealed and due at once."""
        letter = self.write(message, now=now)
        sealed = self._sealer.seal(msgspec.json.encode(letter), context=_CONTEXT)
        return QueuedMail(id=letter.id, sealed=sealed, created_at=now, due_at=now)

    def write(self, message: Message, *, now: float) -> Letter:
        """Return the message written out."""
        content = content_of(message, self._head)
        text, html = render(content, self._head)
        return Letter(
            id=f"{int(now * 1000):011x}-{new_identifier()}",
            at=now,
            to=message.to,
            subject=content.subject,
            text=text,
            html=html,
            links=tuple(link.url for link in (content.link, content.other_link) if link is not None),
            useless_after=None if content.lifetime is None else now + content.lifetime,
        )

    def open(self, mail: QueuedMail) -> Letter:
        """Return the letter in a queued mail.

        Raises:
            MailRefusedError: If it does not open: it was sealed under another secret, or changed.
        """
        try:
            return _DECODER.decode(self._sealer.open(mail.sealed, context=_CONTEXT))
        except (SealError, msgspec.DecodeError):
            raise MailRefusedError("It does not open: it was sealed under another secret.") from None

    def wake(self) -> None:
        """Note that mail was queued and committed."""
        self.waiting.set()
