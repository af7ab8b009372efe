"""The composition root: from settings to a server that is ready to answer.

Nothing is global: every part is made here, once, and handed what it needs.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Literal

from .._core.clock import Clock, system_clock
from .._core.secrets import Sealer
from ..accounts.blocklist import load_blocklist
from ..accounts.hashing import HashingPool
from ..accounts.passwords import check_password
from ..accounts.policy import NIST_THROTTLE_POLICY, Argon2Parameters, PasswordPolicy, ThrottlePolicy
from ..flows.access_tokens import AccessTokens
from ..flows.context import Context, FlowPolicy
from ..flows.key_schedule import RotationPolicy
from ..flows.ledger import Ledger
from ..flows.ports import Storage
from ..flows.provider.policy import ProviderPolicy
from ..flows.service import Flows
from ..flows.signals import Signals
from ..flows.signing_keys import SigningKeys
from ..flows.status_lists import StatusListPolicy
from ..mail.delivery import Delivery
from ..mail.development import DevelopmentTransport, DiscardingTransport
from ..mail.mime import parse_sender
from ..mail.model import Letterhead, Transport
from ..mail.outbox import Outbox
from ..mail.smtp import SMTPTransport
from ..mail.smtp_url import parse_smtp_url
from ..sessions.policy import PROFILES, RefreshPolicy, SessionPolicy
from ..web.access_log import install_secret_mask
from ..web.app import AuthApp
from ..web.clients import Network
from ..web.cookies import Cookies
from ..web.gate import Gate, GateOptions
from ..web.options import WebOptions
from ..web.pages import Brand, Pages
from .documents import Documents
from .health import Health
from .logout_delivery import LogoutDelivery
from .secret import Secret, development_secret
from .settings import Settings, check_settings
from .signal_delivery import SignalDelivery
from .stopping import told_of_signals
from .storages import is_server, open_storage
from .tracing import TracedStorage, Tracing, open_tracing

__all__ = ["Server", "open_flows"]

_MOST_WORKERS = 4


class Server:
    """A server, composed. It answers from when it is made; ``running`` adds what goes on in the background.

    Attributes:
        settings: What it was made from.
        storage: Where the records are.
        flows: What it can do.
        gate: Tells who a request comes from.
        pages: Renders pages.
        app: The pages and endpoints, as an ASGI application that answers below the prefix.
        delivery: Sends mail.
        signals: Pushes security events.
        logouts: Tells clients that sessions ended.
        transport: How.
        hasher: Hashes passwords.
        health: Whether it should be asked.
        tracing: Makes spans; ``None`` if that is off.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        storage: Storage | None = None,
        transport: Transport | None = None,
        clock: Clock = system_clock,
    ) -> None:
        """Compose a server.

        Args:
            settings: The settings. They are checked.
            storage: Instead of the database that the settings name.
            transport: Instead of the way to send mail that the settings name.
            clock: The time.

        Raises:
            SettingsError: If the settings cannot be used.
            DevelopmentSecretError: If development's own secret cannot be read or made.
            StorageError: If the storage cannot be opened.
        """
        check_settings(settings)
        # Whoever runs it, inside of another application too: links in mails hold secrets, and requests are logged.
        install_secret_mask()
        self.settings = settings
        self.tracing: Tracing | None = _tracing(settings)
        self.storage: Storage = open_storage(settings) if storage is None else storage
        if self.tracing is not None:
            self.storage = TracedStorage(self.storage, self.tracing)
        sealer = Sealer(_master_key(settings))
        self.outbox: Outbox = Outbox(sealer, _letterhead(settings))
        self.transport: Transport = _transport(settings) if transport is None else transport
        self.delivery: Delivery = Delivery(self.outbox, self.storage, self.transport, clock=clock)
        self.hasher: HashingPool = _hasher(settings)
        context = _context(
            settings, self.storage, clock, sealer=sealer, hasher=self.hasher, outbox=self.outbox
        )
        self.flows: Flows = Flows(context, status_lists=_status_lists(settings))
        self.health: Health = Health(context)
        self.signals: SignalDelivery = SignalDelivery(
            self.flows.signal_pushing,
            self.storage,
            context.signals.bell,
            development=settings.mode == "development",
        )
        self.logouts: LogoutDelivery = LogoutDelivery(
            self.flows.provider.back_channel, development=settings.mode == "development"
        )
        cookies = Cookies.make(
            same_site="Strict" if settings.same_site == "strict" else "Lax",
            persistent=context.sessions.profile.persistent,
        )
        self.gate: Gate = Gate(self.flows, cookies, _gate_options(settings))
        self.pages: Pages = _pages(settings)
        self.app: AuthApp = AuthApp(
            self.flows,
            self.gate,
            self.pages,
            options=_web_options(settings),
            mails=self.transport if isinstance(self.transport, DevelopmentTransport) else None,
            # Development need not be told its port: links lead to where it was reached, which is this machine.
            on_origin=self.outbox.readdress if settings.mode == "development" else None,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Server]:
        """Deliver mail and forget what has expired, until the block ends. Then everything is closed.

        Raises:
            CoatcheckError: If it cannot start. Everything is closed then, too.
        """
        tasks: list[asyncio.Task[None]] = []
        try:
            await self.flows.context.access_tokens.key_set()  # a wrong secret is told now, not at a sign-in
            await self.flows.session_policy.apply()  # before anybody is answered by what it ends
            tasks += self._work_behind()
            with told_of_signals(self._answer_at_once):
                yield self
        finally:
            self._answer_at_once()
            try:
                await _stop(self.delivery, tasks)
            finally:
                await self.close()

    def _work_behind(self) -> list[asyncio.Task[None]]:
        return [
            asyncio.create_task(self.delivery.run(), name="coatcheck mail"),
            asyncio.create_task(self.flows.housekeeping.run(), name="coatcheck housekeeping"),
            asyncio.create_task(self.flows.key_rotation.run(), name="coatcheck keys"),
            asyncio.create_task(self.signals.run(), name="coatcheck signals"),
            asyncio.create_task(self.logouts.run(), name="coatcheck logouts"),
        ]

    def _answer_at_once(self) -> None:
        """End what is still being answered: whoever runs this waits for it before it ends the lifespan."""
        self.health.stop()
        self.flows.feed.close()
        self.flows.context.signals.bell.close()

    async def close(self) -> None:
        """Close the storage and end the threads that hash."""
        self.hasher.close()
        await self.storage.close()


@asynccontextmanager
async def open_flows(settings: Settings) -> AsyncIterator[Flows]:
    """Give the flows of a server that answers nobody: for commands, beside a server or without one.

    Mail that they queue is delivered before the block ends where there is no server to do it: in development.

    Raises:
        CoatcheckError: What ``Server`` raises.
    """
    server = Server(settings)
    try:
        yield server.flows
        if settings.mode == "development":
            await server.delivery.deliver_pending()
    finally:
        await server.close()


async def _stop(delivery: Delivery, tasks: Sequence[asyncio.Task[None]]) -> None:
    delivery.stop()
    for task in tasks[1:]:  # the first is the delivery, which ends what it has begun
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task


def _master_key(settings: Settings) -> bytes:
    secret: Secret | None = settings.secret
    if secret is None:
        secret = development_secret("coatcheck" if is_server(settings.database) else settings.database)
    # A text of any length becomes a key of the right one; its entropy is what the settings' check demands.
    return hashlib.sha256(b"coatcheck master key\0" + secret.reveal().encode("utf-8")).digest()


def _letterhead(settings: Settings) -> Letterhead:
    return Letterhead(
        name=settings.name, base_url=settings.base_url, prefix=settings.prefix, accent=settings.accent
    )


def _transport(settings: Settings) -> Transport:
    if settings.mail == "off":
        return DiscardingTransport()
    if settings.smtp_url is None or settings.mail_from is None:
        return DevelopmentTransport()
    return SMTPTransport(parse_smtp_url(settings.smtp_url.reveal()), parse_sender(settings.mail_from))


def _hasher(settings: Settings) -> HashingPool:
    parameters = Argon2Parameters(
        time_cost=settings.argon2_time_cost,
        memory_kib=settings.argon2_memory_kib,
        parallelism=settings.argon2_parallelism,
    )
    workers = settings.hashing_workers or min(_MOST_WORKERS, os.cpu_count() or 1)
    return HashingPool(parameters, workers=workers, queue=settings.hashing_queue)


def _context(
    settings: Settings, storage: Storage, clock: Clock, *, sealer: Sealer, hasher: HashingPool, outbox: Outbox
) -> Context:
    passwords = PasswordPolicy(
        minimum=settings.password_minimum, context_words=frozenset({settings.name, *settings.context_words})
    )
    blocklist = load_blocklist()
    ledger = Ledger(storage, clock=clock)
    return Context(
        storage=storage,
        ledger=ledger,
        signals=Signals(storage, issuer=settings.base_url, clock=clock),
        clock=clock,
        sealer=sealer,
        hasher=hasher,
        check_password=lambda password, email: check_password(
            password, passwords, email=email, blocklist=blocklist
        ),
        mail=outbox,
        access_tokens=AccessTokens(
            SigningKeys(
                storage,
                sealer,
                ledger,
                issuer=settings.base_url,
                clock=clock,
                policy=RotationPolicy(period=settings.key_rotation, tokens=ledger.policy),
            ),
            ledger.registry,
            issuer=settings.base_url,
            audience=settings.audience or settings.base_url,
            lifetime=settings.access_token_lifetime,
            clock=clock,
        ),
        sessions=SessionPolicy(
            profile=PROFILES[settings.session_profile],
            max_sessions=settings.max_sessions,
            at_limit=settings.at_session_limit,
            binding=settings.session_binding,
        ),
        refresh=RefreshPolicy(
            idle_timeout=settings.refresh_token_idle, lifetime=settings.refresh_token_lifetime
        ),
        throttles=ThrottlePolicy() if settings.session_profile == "relaxed" else NIST_THROTTLE_POLICY,
        policy=_flow_policy(settings),
        provider=_provider_policy(settings),
        documents=Documents(development=settings.mode == "development"),
    )


def _provider_policy(settings: Settings) -> ProviderPolicy:
    usual: Literal["open", "off"] = "open" if settings.mode == "development" else "off"
    return ProviderPolicy(
        base=settings.base_url + settings.prefix,
        registration=settings.registration or usual,
        development=settings.mode == "development",
        hybrid=settings.hybrid,
        pkce=settings.pkce,
        assertion_audience=settings.assertion_audience,
    )


def _flow_policy(settings: Settings) -> FlowPolicy:
    return FlowPolicy(
        sign_up_open=settings.sign_up == "open",
        recent=settings.recent_sign_in,
        sign_up_link=settings.sign_up_link_lifetime,
        reset_link=settings.reset_link_lifetime,
        email_link=settings.email_link_lifetime,
        notify_new_device=settings.notify_new_device,
    )


def _status_lists(settings: Settings) -> StatusListPolicy | None:
    if settings.status_lists == "off":
        return None
    return StatusListPolicy(uri=f"{settings.base_url}{settings.prefix}/statuses")


def _tracing(settings: Settings) -> Tracing | None:
    return open_tracing(_proxies(settings)) if settings.tracing == "on" else None


def _gate_options(settings: Settings) -> GateOptions:
    return GateOptions(
        own_origin=None if settings.mode == "development" else settings.base_url,
        trusted_origins=frozenset(settings.trusted_origins) | frozenset(settings.cors_origins),
        csrf=settings.csrf,
        csrf_exempt=frozenset(settings.csrf_exempt),
        token_cookie=settings.token_cookie,
        trusted_proxies=_proxies(settings),
    )


def _proxies(settings: Settings) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(network, strict=False) for network in settings.trusted_proxies)


def _web_options(settings: Settings) -> WebOptions:
    return WebOptions(
        base_url=settings.base_url,
        prefix=settings.prefix,
        sign_up=settings.sign_up,
        development=settings.mode == "development",
        development_hosts=settings.development_hosts,
        cors_origins=settings.cors_origins,
    )


def _pages(settings: Settings) -> Pages:
    brand = Brand(
        name=settings.name, logo=settings.logo, accent=settings.accent, accent_dark=settings.accent_dark
    )
    return Pages(
        brand,
        prefix=settings.prefix,
        secure=settings.base_url.startswith("https:"),
        sign_up_open=settings.sign_up == "open",
        password_minimum=settings.password_minimum,
    )
