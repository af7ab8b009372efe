"""What all routes of one site share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

from ..flows.service import Flows
from .gate import Gate
from .options import WebOptions
from .pages import Pages

__all__ = ["KeptMail", "KeptMails", "Site"]


class KeptMail(Protocol):
    """A mail that was not sent because this is development."""

    @property
    def to(self) -> str:
        """Whom it would have gone to."""
        ...

    @property
    def subject(self) -> str:
        """Its subject."""
        ...

    @property
    def text(self) -> str:
        """Its plain text."""
        ...

    @property
    def links(self) -> tuple[str, ...]:
        """The links in it, the most important first."""
        ...

    @property
    def at(self) -> float:
        """When it was written."""
        ...


class KeptMails(Protocol):
    """Whoever keeps the mails of development."""

    @property
    def mails(self) -> Sequence[KeptMail]:
        """The mails, the newest first."""
        ...


def _ignore(_: str) -> None:
    """Most sites know their origin from the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The parts that routes hand requests on to.

    Attributes:
        flows: What people do.
        gate: Who they are.
        pages: What they see.
        options: The settings of the routes.
        mails: The mails that development mode keeps; ``None`` where mail is sent.
        on_origin: Told, in development, by which origin of this machine the site was reached.
    """

    flows: Flows
    gate: Gate
    pages: Pages
    options: WebOptions
    mails: KeptMails | None = None
    on_origin: Callable[[str], None] = _ignore

    @property
    def shows_mail(self) -> bool:
        """Whether there is a page that lists the mails: in development, if they are not sent."""
        return self.options.development and self.mails is not None

    def path(self, page: str, **query: str) -> str:
        """Return the path of a page below the prefix, with the query's parameters that are not empty."""
        given = {name: value for name, value in query.items() if value}
        return self.options.prefix + page + (f"?{urlencode(given)}" if given else "")
