"""What all flows share: the storage, the policies, and the few things that reach outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec

from .._core.clock import Clock
from .._core.secrets import Sealer
from ..accounts.policy import ThrottlePolicy
from ..accounts.ports import PasswordHasher
from ..oauth.documents import NoDocuments
from ..oauth.ports import DocumentFetcher
from ..sessions.policy import RefreshPolicy, SessionPolicy
from .access_tokens import AccessTokens
from .counts import Counts
from .ledger import Ledger
from .owners import Owners
from .ports import MailComposer, Storage
from .provider.assertion_verifiers import AssertionVerifiers
from .provider.document_cache import DocumentCache
from .provider.exact_cache import ExactCache
from .provider.logout_bell import LogoutBell
from .provider.policy import ProviderPolicy
from .provider.read_keys import ReadKeys
from .signals import Signals

__all__ = ["Context", "FlowPolicy"]


class FlowPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The tunables of the flows.

    Attributes:
        sign_up_open: Whether people may sign up by themselves.
        recent: How old a sign-in may be for what needs a recent one.
        sign_up_link: How long the link of a sign-up works.
        reset_link: How long the link to a new password works (ASVS 5.0, 6.5.5: at most 10 minutes).
        email_link: How long the link works that confirms another address.
        notify_new_device: Whether to mail somebody whose account is signed in to from a device not seen before.
        failure_quantum: What the time of a failed sign-in is rounded up to, so that it does not tell which kind of
            hash an account has, or whether there is one.
    """

    sign_up_open: bool = True
    recent: timedelta = timedelta(minutes=5)
    sign_up_link: timedelta = timedelta(hours=24)
    reset_link: timedelta = timedelta(minutes=10)
    email_link: timedelta = timedelta(hours=1)
    notify_new_device: bool = True
    failure_quantum: timedelta = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a flow needs, handed to it once.

    Attributes:
        storage: Where the records are.
        ledger: What has ended.
        signals: Tells others of it.
        clock: The time.
        sealer: The server's secret at work.
        hasher: Hashes passwords.
        check_password: Refuses what is no good password, for the owner of an address.
        mail: Writes mail.
        access_tokens: Signs and verifies access tokens.
        sessions: The policy of sessions.
        refresh: The policy of refresh tokens.
        throttles: The limits on attempts.
        policy: The flows' own policy.
        provider: The policy of the provider.
        documents: Fetches documents that clients name.
        document_cache: Keeps them.
        cache: Keeps records for as long as nothing is committed.
        client_keys: The keys in them, read.
        assertion_verifiers: What verifies with them.
        logout_bell: Wakes what tells clients that sessions ended.
        counts: What happened, counted.
        owners: Whose sessions are, for those who have to say whose their transaction is.
    """

    storage: Storage
    ledger: Ledger
    signals: Signals
    clock: Clock
    sealer: Sealer
    hasher: PasswordHasher
    check_password: Callable[[str, str], None]
    mail: MailComposer
    access_tokens: AccessTokens
    sessions: SessionPolicy
    refresh: RefreshPolicy
    throttles: ThrottlePolicy
    policy: FlowPolicy
    provider: ProviderPolicy = field(default_factory=ProviderPolicy)
    documents: DocumentFetcher = field(default_factory=NoDocuments)
    document_cache: DocumentCache = field(default_factory=DocumentCache)
    cache: ExactCache = field(default_factory=ExactCache)
    client_keys: ReadKeys = field(default_factory=ReadKeys)
    assertion_verifiers: AssertionVerifiers = field(default_factory=AssertionVerifiers)
    logout_bell: LogoutBell = field(default_factory=LogoutBell)
    counts: Counts = field(default_factory=Counts)
    owners: Owners = field(default_factory=Owners)
