"""All flows of one server, made once from what they share."""

from __future__ import annotations

from .account import Account
from .administration import Administration
from .authentication import Authentication
from .context import Context
from .ending import Ending
from .feed import Feed
from .housekeeping import Housekeeping
from .introspection import Introspection
from .key_rotation import KeyRotation
from .provider.service import Provider
from .re_authentication import ReAuthentication
from .recovery import Recovery
from .revoking import Revoking
from .services import Services
from .session_data import SessionData
from .session_policy import SessionPolicyChange
from .sign_in import SignIn
from .sign_up import SignUp
from .signal_polling import SignalPolling
from .signal_pushing import SignalPushing
from .signal_streams import SignalStreams
from .status_lists import StatusListPolicy, StatusLists
from .tokens import Tokens

__all__ = ["Flows"]


class Flows:
    """The flows, each under its name.

    Attributes:
        context: What they share.
        account: What people do to their own account.
        administration: What whoever runs the site does.
        authentication: From a credential to an identity.
        ending: Signing out, here and elsewhere.
        feed: The ledger on its way to other services.
        housekeeping: Forgetting what has expired.
        introspection: Telling services what a credential is worth.
        key_rotation: Replacing the keys that sign.
        provider: OAuth 2.1 and OpenID Connect for registered clients.
        re_authentication: Proving once more who one is.
        recovery: A new password for one that was forgotten.
        revoking: Revoking on purpose.
        services: The services that verify what this server issues.
        session_data: What the application attaches to a session.
        session_policy: A stricter policy, for sessions that began under another one.
        sign_in: Signing in.
        sign_up: Signing up.
        signal_polling: Security events that receivers come for.
        signal_pushing: Security events that are brought to them.
        signal_streams: What receivers ask for.
        status_lists: Telling everybody which tokens were revoked; ``None`` if that is off.
        tokens: Refreshing tokens.
    """

    def __init__(self, context: Context, *, status_lists: StatusListPolicy | None = None) -> None:
        """Make the flows. Without a policy for them there are no status lists."""
        self.context = context
        self.account: Account = Account(context)
        self.administration: Administration = Administration(context)
        self.authentication: Authentication = Authentication(context)
        self.ending: Ending = Ending(context)
        self.feed: Feed = Feed(context)
        self.housekeeping: Housekeeping = Housekeeping(context)
        self.introspection: Introspection = Introspection(context, self.authentication)
        self.key_rotation: KeyRotation = KeyRotation(context)
        self.provider: Provider = Provider(context, self.authentication)
        self.re_authentication: ReAuthentication = ReAuthentication(context)
        self.recovery: Recovery = Recovery(context)
        self.revoking: Revoking = Revoking(context, self.key_rotation)
        self.services: Services = Services(context)
        self.session_data: SessionData = SessionData(context)
        self.session_policy: SessionPolicyChange = SessionPolicyChange(context)
        self.sign_in: SignIn = SignIn(context)
        self.sign_up: SignUp = SignUp(context)
        self.signal_polling: SignalPolling = SignalPolling(context)
        self.signal_pushing: SignalPushing = SignalPushing(context)
        self.signal_streams: SignalStreams = SignalStreams(context)
        self.status_lists: StatusLists | None = None
        if status_lists is not None:
            self.status_lists = StatusLists(context, status_lists)
            context.access_tokens.place = self.status_lists.claim
        self.tokens: Tokens = Tokens(context)
