"""The cookies that are set, and for how long."""

from __future__ import annotations

from typing import Literal

import msgspec

from ..flows.model import SignedIn
from ..sessions.cookie import Cookie, find_cookie

__all__ = ["Cookies", "cookie_in"]

_YEAR = 365 * 24 * 3600
_SECURITY_MARGIN = 15


class Cookies(msgspec.Struct, frozen=True, kw_only=True):
    """The kinds of cookies, as values of ``Set-Cookie`` headers.

    Attributes:
        session: The session's secret. The credential.
        device: By which a device is known again. Gives no access.
        pending: By which the browser that asked for a sign-up is known when it opens the link.
        csrf: The anti-forgery token, where the token mode is on. Page scripts may read it.
        token: An access or ID token for other services on the same host, where that is switched on.
        persistent: Whether the session cookie outlives the browser's restart.
    """

    session: Cookie
    device: Cookie
    pending: Cookie
    csrf: Cookie
    token: Cookie
    persistent: bool

    @classmethod
    def make(cls, *, same_site: Literal["Lax", "Strict"], persistent: bool) -> Cookies:
        """Return the kinds, with one ``SameSite`` for those that carry the session."""
        return cls(
            session=Cookie(name="__Host-coatcheck", same_site=same_site),
            device=Cookie(name="__Host-coatcheck-device", same_site="Lax"),
            pending=Cookie(name="__Host-coatcheck-pending", same_site="Lax"),
            csrf=Cookie(name="__Host-coatcheck-csrf", same_site="Strict", http_only=False),
            token=Cookie(name="__Host-coatcheck-token", same_site=same_site),
            persistent=persistent,
        )

    def signed_in(self, signed_in: SignedIn, *, now: float) -> list[str]:
        """Return what to set after a sign-in: the session, and the device."""
        cookies = [self.known_device(signed_in.device)]
        if signed_in.secret is not None:
            lifetime = int(signed_in.session.expires_at - now) if self.persistent else None
            cookies.append(self.session.set(signed_in.secret, max_age=lifetime))
        return cookies

    def known_device(self, value: str) -> str:
        """Return what to set so that a device is known again."""
        return self.device.set(value, max_age=_YEAR)

    def signed_out(self) -> list[str]:
        """Return what to clear when a session has ended. The device stays known."""
        return [self.session.clear(), self.token.clear(), self.csrf.clear()]

    def with_token(self, token: str, *, lifetime: int) -> str:
        """Return the cookie with a token, which the browser forgets a moment before the token expires.

        Raises:
            CookieTooLargeError: If the browser would not keep it.
        """
        return self.token.set(token, max_age=max(lifetime - _SECURITY_MARGIN, 1))


def cookie_in(headers: list[tuple[bytes, bytes]], cookie: Cookie) -> str | None:
    """Return the value of a cookie of a request; ``None`` if it is not there, or there twice.

    HTTP/2 may split the cookies into several headers (RFC 9113 section 8.2.3).
    """
    found = [value for name, value in headers if name == b"cookie"]
    if not found:
        return None
    return find_cookie(found[0] if len(found) == 1 else b"; ".join(found), cookie.name)
