"""What the routes are told, as a value."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["WebOptions"]


class WebOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The settings that the routes themselves need.

    Attributes:
        base_url: Where the site is reached: scheme, host and port.
        prefix: The path that all routes lie below, as browsers see it; ``""`` for none.
        sign_up: Whether visitors may make accounts.
        development: Whether this is development mode: answers to this machine only, and shows the mail.
        development_hosts: More host names to answer to in development.
        cors_origins: The origins whose scripts may read JSON answers, and send credentials.
    """

    base_url: str
    prefix: str = "/auth"
    sign_up: Literal["open", "closed"] = "open"
    development: bool = False
    development_hosts: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()

    @property
    def https(self) -> bool:
        """Whether the site is reached by https."""
        return self.base_url.startswith("https:")
