"""Mail in development: printed to the terminal, and kept for the page that shows it. Nothing leaves the machine."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable

import msgspec

from .model import Letter

__all__ = ["DevelopmentMail", "DevelopmentTransport", "DiscardingTransport"]

_KEPT = 50
_RULE = "─" * 72


class DevelopmentMail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that was not sent.

    Attributes:
        to: Whom it would have gone to.
        subject: Its subject.
        text: Its plain text.
        links: The links in it, the most important first.
        at: When it was written, in seconds since 1970.
    """

    to: str
    subject: str
    text: str
    links: tuple[str, ...]
    at: float


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


class DevelopmentTransport:
    """Prints letters and keeps the last fifty. For development only: they hold links that work."""

    def __init__(self, write: Callable[[str], object] = _print) -> None:
        """Take what prints."""
        self._write = write
        self._kept: deque[DevelopmentMail] = deque(maxlen=_KEPT)

    @property
    def mails(self) -> list[DevelopmentMail]:
        """The mails of this process, the newest first."""
        return list(reversed(self._kept))

    async def send(self, letter: Letter) -> None:
        """Print and keep a letter."""
        mail = DevelopmentMail(
            to=letter.to, subject=letter.subject, text=letter.text, links=letter.links, at=letter.at
        )
        self._kept.append(mail)
        self._write(_shown(mail))


def _shown(mail: DevelopmentMail) -> str:
    lines = [_RULE, f"Mail to {mail.to}: {mail.subject}", "", *mail.text.splitlines(), _RULE, ""]
    return "\n".join(map(_harmless, lines))


def _harmless(line: str) -> str:
    """Return a line that cannot steer the terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line)


class DiscardingTransport:
    """Sends nothing, for a site whose mail is switched off."""

    async def send(self, letter: Letter) -> None:
        """Forget a letter."""
