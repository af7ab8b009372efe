"""What the demonstration is about: one user, signed in with a browser and with a phone, and the services they use."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ...accounts.importing import ImportedUser
from ...errors import CoatcheckError
from ...flows.ending import Reason, end_all_sessions
from ...flows.ending import by_user as actor_of
from ...flows.model import SignedIn
from ...flows.opening import Credential as Carrier
from ...flows.opening import Request, hand_out, open_session
from ...flows.service import Flows
from ...identity import Client
from .observation import Credential, Observed, ask, observe

__all__ = ["EMAIL", "Answer", "NotSignedInError", "Stage"]

EMAIL = "ada@example.com"
_PHONE = Client(address="127.0.0.1", user_agent="Coatcheck demonstration, a phone")
_COOKIE, _TOKEN = "the browser's cookie", "the phone's token"


class NotSignedInError(CoatcheckError):
    """Nobody is signed in to the demonstration."""

    code = "demonstration_not_signed_in"

    def __init__(self) -> None:
        super().__init__("Nobody is signed in to the demonstration.")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a service answers at this moment.

    Attributes:
        service: Its name.
        credential: What it was shown.
        status: The status of its answer.
    """

    service: str
    credential: str
    status: int


class Stage:
    """The user, their credentials, and the services.

    Attributes:
        browser: The session of the browser, as it was opened last.
        phone: That of the phone.
    """

    def __init__(self, flows: Flows, *, services: Sequence[tuple[str, int]], cookie_name: str) -> None:
        self._flows = flows
        self._services = services
        self._cookie_name = cookie_name
        self.browser: SignedIn | None = None
        self.phone: SignedIn | None = None

    async def sign_in(self, client: Client) -> SignedIn:
        """Sign the user in with both, without asking for a password: this is a play. Returns the browser's session."""
        await self._add_user()
        self.browser = await self._open("cookie", client)
        self.phone = await self._open("tokens", _PHONE)
        return self.browser

    async def answers(self) -> list[Answer]:
        """Ask each service once with each credential."""
        return [
            Answer(service=name, credential=credential.name, status=(await ask(name, port, credential))[0])
            for name, port in self._services
            for credential in self.credentials()
        ]

    async def sign_out_everywhere(self) -> list[Observed]:
        """End all sessions of the user, while all services are being asked with both credentials.

        Raises:
            NotSignedInError: If nobody is signed in.
            NoAnswerError: If a service does not answer.
        """
        credentials = self.credentials()
        if not credentials:
            raise NotSignedInError
        return await observe(self._services, credentials, self._end)

    def credentials(self) -> list[Credential]:
        """Return what the browser and the phone present."""
        if self.browser is None or self.phone is None or self.phone.tokens is None:
            return []
        cookie = f"{self._cookie_name}={self.browser.secret}"
        bearer = f"Bearer {self.phone.tokens.access_token}"
        return [
            Credential(name=_COOKIE, header="cookie", value=cookie),
            Credential(name=_TOKEN, header="authorization", value=bearer),
        ]

    async def _end(self) -> None:
        assert self.browser is not None  # noqa: S101 - there are credentials
        user_id = self.browser.user.id
        context = self._flows.context
        async with context.storage.transaction() as records:
            await end_all_sessions(
                context, records, user_id, reason=Reason.ENDED_BY_USER, actor=actor_of(user_id)
            )

    async def _add_user(self) -> None:
        row = ImportedUser(
            row=1, email=EMAIL, key=EMAIL, password_hash=None, scopes=frozenset({"orders:read"})
        )
        await self._flows.administration.import_users([row])

    async def _open(self, carrier: Carrier, client: Client) -> SignedIn:
        context = self._flows.context
        user = await self._flows.administration.find_user(EMAIL)
        async with context.storage.transaction() as records:
            opened = await open_session(
                context, records, user, request=Request(client=client, credential=carrier)
            )
        return await hand_out(context, opened, device=None)
