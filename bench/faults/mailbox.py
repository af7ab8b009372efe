"""A mail server that keeps what it is handed, and nothing else of SMTP than that needs (RFC 5321)."""

from __future__ import annotations

import asyncio
import quopri
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_TOKEN = re.compile(rb"token=3?D?([A-Za-z0-9_-]{20,})")
_RECIPIENT = re.compile(rb"RCPT TO:<([^>]*)>", re.IGNORECASE)


class Mailbox:
    """Links by the address that they were sent to."""

    def __init__(self) -> None:
        self.port = 0
        self.tokens: dict[str, list[str]] = {}
        """What the links in its mails carry, the oldest first."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._talk(reader, writer)
        except (OSError, EOFError):
            pass  # whoever sends was killed
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipients = list[str]()
        writer.write(b"220 bench\r\n")
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                mail = await reader.readuntil(b"\r\n.\r\n")
                for recipient in recipients:
                    self._keep(recipient, mail)
                recipients = []
            elif word == b"RCPT" and (found := _RECIPIENT.match(line)):
                recipients.append(found[1].decode("utf-8", "replace").lower())
            elif word == b"EHLO":
                writer.write(b"250-bench\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n")
            writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
            if word == b"QUIT":
                return

    def _keep(self, recipient: str, mail: bytes) -> None:
        found = _TOKEN.search(quopri.decodestring(mail))
        if found:
            self.tokens.setdefault(recipient, []).append(found[1].decode())


@asynccontextmanager
async def mailbox() -> AsyncIterator[Mailbox]:
    """Listen until the block ends."""
    box = Mailbox()
    server = await asyncio.start_server(box._serve, "127.0.0.1", 0, limit=1 << 22)  # noqa: SLF001 -- of this module
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
