"""What has to be there for the advice to be followed: where it is, and which parts of Coatcheck do it."""

from __future__ import annotations

import msgspec

from . import credentials as carry
from .model import Addresses, Case, ClientAdvice, Credential

__all__ = ["Plan", "plan_for"]

_APP = "https://app.example.com"
_SERVER = "https://id.example.com"
_API = "https://api.example.com"
_TOKENS = frozenset(
    {
        carry.GATEWAY_SESSION,
        carry.BROWSER_TOKENS,
        carry.NATIVE_TOKENS,
        carry.CLI_TOKENS,
        carry.MACHINE_KEY,
        carry.AGENT_TOKENS,
    }
)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A case with what follows from it.

    Attributes:
        case: The case, with nothing in it that cannot be had.
        held: All credentials that its clients carry.
        at: All addresses: given ones as they are, the others as examples that fit them.
        embedded: Whether the server runs inside of the application.
    """

    case: Case
    held: frozenset[Credential]
    at: Addresses
    embedded: bool

    @property
    def is_ours(self) -> bool:
        """Whether Coatcheck gives out any of the credentials."""
        return any(credential.ours for credential in self.held)

    @property
    def has_people(self) -> bool:
        """Whether people sign in here."""
        return any(credential.ours and credential != carry.MACHINE_KEY for credential in self.held)

    @property
    def has_own_api(self) -> bool:
        """Whether tokens are for the server's own API: the backend inside of it makes them."""
        return self.embedded and carry.GATEWAY_SESSION in self.held

    @property
    def has_services(self) -> bool:
        """Whether services of one's own verify what Coatcheck gives out."""
        return self.is_ours and not {"services", "downstream"}.isdisjoint(self.case.verifiers)

    @property
    def has_api(self) -> bool:
        """Whether something is called with tokens of Coatcheck's."""
        return bool(self.held & _TOKENS) or (carry.APP_SESSION in self.held and bool(self.case.verifiers))

    @property
    def takes_cookies(self) -> bool:
        """Whether verifiers take the session cookie: services on the host, and an app beside the server."""
        return carry.SESSION_COOKIE in self.held and (self.has_services or not self.embedded)

    @property
    def has_verifier(self) -> bool:
        """Whether ``coatcheck.verifier`` stands before something, which takes a key."""
        return self.is_ours and (self.has_api or self.has_services or self.takes_cookies)

    @property
    def puts_token_beside_cookie(self) -> bool:
        """Whether the browser carries a token for a verifier on its host that is not connected."""
        return carry.SESSION_COOKIE in self.held and self.case.offline == "verifiers"


def plan_for(case: Case, clients: tuple[ClientAdvice, ...]) -> Plan:
    """Return what follows from a case.

    Args:
        case: The case, with nothing in it that cannot be had.
        clients: The credential for each of its clients.
    """
    held = frozenset(each.credential for each in clients)
    given, on_one_host = case.addresses, case.hosts == "one"
    app = given.app or _APP
    # A server that has an address of its own runs there, and not inside of the app.
    at_home = given.server in {"", app}
    embedded = (
        case.framework == "fastapi" and at_home and bool(held & {carry.SESSION_COOKIE, carry.GATEWAY_SESSION})
    )
    shares_host = on_one_host or (embedded and carry.GATEWAY_SESSION in held)
    at = Addresses(
        app=app,
        server=given.server or (app if shares_host else _SERVER),
        api=given.api or (f"{app}/api" if on_one_host else _API),
    )
    return Plan(case=case, held=held, at=at, embedded=embedded)
