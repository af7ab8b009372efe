"""The look that a site may configure."""

from __future__ import annotations

import re

import msgspec

from ...errors import CoatcheckError

__all__ = ["Brand", "InvalidBrandError"]

_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})", re.ASCII)
_PATH = re.compile(r"/(?!/)[!#-;=?-\[\]^_a-z~]*", re.ASCII)  # no //host, no backslash, no quotes or brackets


class InvalidBrandError(CoatcheckError):
    """A name, a logo or a colour is none that a page can show."""

    code = "invalid_brand"


class Brand(msgspec.Struct, frozen=True, kw_only=True):
    """Name, logo and colours of a site.

    Any colour will do: the text on it, and its shade where it is text itself, are chosen so that they can be read
    (WCAG 2.2, 4.5 : 1).

    Attributes:
        name: The name of the site.
        logo: Path of an image on this site, ``/logo.svg`` for example; ``None`` for a coat hanger. It stands next to
            the name, on ground of the accent colour.
        accent: The colour of buttons and links on light ground: ``#rgb`` or ``#rrggbb``.
        accent_dark: The same on dark ground.

    Raises:
        InvalidBrandError: If the name is empty, the logo is not a path on this site, or a colour is not one.
    """

    name: str = "Coatcheck"
    logo: str | None = None
    accent: str = "#1d5b4c"
    accent_dark: str = "#86d1b7"

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InvalidBrandError("The name of the site is empty.")
        if self.logo is not None and not _PATH.fullmatch(self.logo):
            raise InvalidBrandError(
                "The logo is not a path on this site. Serve the image yourself and name it like /logo.svg."
            )
        for field, colour in (("accent", self.accent), ("accent_dark", self.accent_dark)):
            if not _COLOUR.fullmatch(colour):
                raise InvalidBrandError(f"{field} is not a colour. Write it like #1d5b4c.")
