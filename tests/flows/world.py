"""A server's flows over a real storage, with a clock that stands still, a mailbox, and a hasher that counts."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import wraps
from typing import Any, ParamSpec

import msgspec

from coatcheck._core.secrets import Sealer
from coatcheck.accounts.blocklist import load_blocklist
from coatcheck.accounts.hashing import HashingPool
from coatcheck.accounts.passwords import check_password
from coatcheck.accounts.policy import Argon2Parameters, PasswordPolicy, ThrottlePolicy
from coatcheck.flows.access_tokens import AccessTokens
from coatcheck.flows.context import Context, FlowPolicy
from coatcheck.flows.errors import InvalidTokenError
from coatcheck.flows.ledger import Ledger
from coatcheck.flows.model import SignedIn
from coatcheck.flows.opening import Credential, Request
from coatcheck.flows.ports import Storage
from coatcheck.flows.service import Flows
from coatcheck.flows.signal_policy import SignalPolicy
from coatcheck.flows.signals import Signals
from coatcheck.flows.signing_keys import SigningKeys
from coatcheck.identity import Client, Identity
from coatcheck.mail.delivery import Delivery
from coatcheck.mail.model import Letter, Letterhead
from coatcheck.mail.outbox import Outbox
from coatcheck.sessions.errors import InvalidRefreshTokenError, InvalidSessionError
from coatcheck.sessions.policy import RefreshPolicy, SessionPolicy

NOW = 1_800_000_000.25
ADA = "ada@example.com"
EVE = "eve@example.com"
PASSWORD = "correct horse battery staple"
OTHER_PASSWORD = "seven green bottles standing"
HOME = Client(address="192.0.2.1", user_agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0")
ELSEWHERE = Client(address="198.51.100.7", user_agent="curl/8.9")
MASTER = b"m" * 32
ISSUER = "https://example.com"
PARAMETERS = Argon2Parameters(time_cost=1, memory_kib=64)

P = ParamSpec("P")


def asynchronous(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


class ManualClock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Letters:
    """A transport that keeps what it is given."""

    def __init__(self) -> None:
        self.all: list[Letter] = []

    async def send(self, letter: Letter) -> None:
        self.all.append(letter)


@dataclass
class CountingHasher:
    """A real pool; beside it, how often it was asked, and what is to happen while it computes."""

    pool: HashingPool
    verified: int = 0
    hashed: int = 0
    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def _let_happen(self) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()

    async def hash(self, password: str) -> str:
        self.hashed += 1
        return await self.pool.hash(password)

    async def verify(self, password: str, encoded: str | None) -> bool:
        self.verified += 1
        matches = await self.pool.verify(password, encoded)
        await self._let_happen()
        return matches

    def needs_rehash(self, encoded: str) -> bool:
        return self.pool.needs_rehash(encoded)


@dataclass(frozen=True)
class Tunables:
    sessions: SessionPolicy = field(default_factory=SessionPolicy)
    refresh: RefreshPolicy = field(default_factory=RefreshPolicy)
    throttles: ThrottlePolicy = field(default_factory=ThrottlePolicy)
    flows: FlowPolicy = field(default_factory=lambda: FlowPolicy(failure_quantum=timedelta(0)))
    signals: SignalPolicy = field(default_factory=SignalPolicy)


class World:
    """One process: the flows of a server on a storage."""

    def __init__(
        self, storage: Storage, *, clock: ManualClock | None = None, tunables: Tunables | None = None
    ) -> None:
        self.storage = storage
        self.clock = clock or ManualClock()
        self.sealer = Sealer(MASTER)
        self.letters = Letters()
        self.outbox = Outbox(
            self.sealer, Letterhead(name="Example", base_url=ISSUER, prefix="/auth", accent="#2f5bd7")
        )
        self.delivery = Delivery(self.outbox, storage, self.letters, clock=self.clock)
        self.hasher = CountingHasher(HashingPool(PARAMETERS, workers=2, queue=500))
        self.tune(tunables or Tunables())

    def tune(self, tunables: Tunables) -> None:
        self.tunables = tunables
        ledger = Ledger(self.storage, clock=self.clock, ticks=self.clock)
        self.context = Context(
            storage=self.storage,
            ledger=ledger,
            signals=Signals(self.storage, issuer=ISSUER, clock=self.clock, policy=tunables.signals),
            clock=self.clock,
            sealer=self.sealer,
            hasher=self.hasher,
            check_password=lambda password, email: check_password(
                password, PasswordPolicy(), email=email, blocklist=load_blocklist()
            ),
            mail=self.outbox,
            access_tokens=AccessTokens(
                SigningKeys(self.storage, self.sealer, ledger, issuer=ISSUER, clock=self.clock),
                ledger.registry,
                issuer=ISSUER,
                audience=ISSUER,
                lifetime=timedelta(minutes=5),
                clock=self.clock,
            ),
            sessions=tunables.sessions,
            refresh=tunables.refresh,
            throttles=tunables.throttles,
            policy=tunables.flows,
        )
        self.flows = Flows(self.context)

    def allow(self, **policy: Any) -> None:
        """Change the flows' policy."""
        flows = FlowPolicy(**({"failure_quantum": timedelta(0)} | policy))
        self.tune(replace(self.tunables, flows=flows))

    def sibling(self, storage: Storage | None = None) -> "World":
        """Return another process on the same records, or on those of a storage that stands for them."""
        return World(storage or self.storage, clock=self.clock, tunables=self.tunables)

    def with_storage(self, storage: Storage) -> Flows:
        return Flows(replace(self.context, storage=storage))

    # --- mail ------------------------------------------------------------------------------------------

    async def post(self) -> list[Letter]:
        """Deliver what is queued, and return it."""
        before = len(self.letters.all)
        await self.delivery.deliver_pending()
        return sorted(self.letters.all[before:], key=lambda letter: letter.to)

    async def subjects(self) -> list[tuple[str, str]]:
        return [(letter.to, letter.subject) for letter in await self.post()]

    async def token(self) -> str:
        """Deliver what is queued, and return the secret in the one link that can be used."""
        links = [link for letter in await self.post() for link in letter.links if "token=" in link]
        (link,) = links
        return link.partition("token=")[2]

    # --- people ----------------------------------------------------------------------------------------

    async def signed_up(
        self, email: str = ADA, *, password: str = PASSWORD, credential: Credential = "cookie"
    ) -> SignedIn:
        """Sign somebody up and in, in one browser."""
        await self.post()
        binding = await self.flows.sign_up.request(email, password, client=HOME)
        return await self.flows.sign_up.confirm(
            await self.token(), binding=binding, password=None, request=asks(credential)
        )

    async def signed_in(
        self,
        email: str = ADA,
        *,
        password: str = PASSWORD,
        credential: Credential = "cookie",
        client: Client = HOME,
        **asked: str | None,
    ) -> SignedIn:
        request = asks(credential, client=client, **asked)
        return await self.flows.sign_in.with_password(email, password, request=request)

    async def identity(self, signed_in: SignedIn) -> Identity:
        """Return whom the credential of a sign-in stands for."""
        authentication = self.flows.authentication
        if signed_in.secret is not None:
            return (await authentication.by_cookie(signed_in.secret)).identity
        token = access_token(signed_in)
        return (await authentication.by_token(token, presented_as=token.encode())).identity

    async def is_in(self, signed_in: SignedIn) -> bool:
        """Tell whether the credential of a sign-in works at this moment."""
        try:
            await self.identity(signed_in)
        except (InvalidSessionError, InvalidTokenError):
            return False
        return True

    async def can_refresh(self, signed_in: SignedIn) -> bool:
        try:
            await self.flows.tokens.refresh(refresh_token(signed_in), client=signed_in.session.client)
        except InvalidRefreshTokenError:
            return False
        return True

    async def refreshed(self, signed_in: SignedIn) -> SignedIn:
        """Return a sign-in with the tokens that its refresh token gives."""
        tokens = await self.flows.tokens.refresh(refresh_token(signed_in), client=signed_in.session.client)
        return msgspec.structs.replace(signed_in, tokens=tokens)

    async def settled(self) -> None:
        """Wait until the storage knows what was committed, and has heard of it: where nodes are told, it is, too."""
        version = None
        while version != (version := self.storage.version()):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.03)

    async def close(self) -> None:
        self.hasher.pool.close()
        await self.storage.close()


def asks(credential: Credential = "cookie", *, client: Client = HOME, **asked: str | None) -> Request:
    return Request(client=client, credential=credential, **asked)


def access_token(signed_in: SignedIn) -> str:
    assert signed_in.tokens is not None
    return signed_in.tokens.access_token


def refresh_token(signed_in: SignedIn) -> str:
    assert signed_in.tokens is not None
    return signed_in.tokens.refresh_token


def cookie(signed_in: SignedIn) -> str:
    assert signed_in.secret is not None
    return signed_in.secret
