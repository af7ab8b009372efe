"""The answer when a browser's session has ended: apps hear of it by the browser, and it is sent on."""

from __future__ import annotations

from starlette.responses import Response

from ..flows.provider.logout import FrontChannel
from .exchange import Exchange
from .headers import form_target
from .pages.views import SignedOutOfView

__all__ = ["farewell"]


def farewell(
    exchange: Exchange, front_channel: FrontChannel, *, next_url: str = "", place: str = ""
) -> Response:
    """Return the answer after a session has ended.

    Args:
        exchange: The exchange.
        front_channel: What the browser is to load first (OpenID Connect Front-Channel Logout 1.0 section 2).
        next_url: Where to go on: a path of this site, or an address that was checked; ``""`` for nowhere.
        place: The same in words.
    """
    if next_url and not front_channel:
        return exchange.go_to(next_url)
    view = SignedOutOfView(
        frames=front_channel,
        # An origin, or where the grammar has no words for it the scheme, as for forms.
        frame_sources=tuple(dict.fromkeys(map(form_target, front_channel))),
        next=next_url,
        place=place,
        goes_on=True,
    )
    # Whoever was signed in is so no more: the page says nothing of them.
    return exchange.site.pages.render(view)
