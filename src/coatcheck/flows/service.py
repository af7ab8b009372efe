"""All flows of one server, made once from what they share."""

from __future__ import annotations

from .account import Account
from .administration import Administration
from .authentication import Authentication
from .context import Context
from .ending import Ending
from .housekeeping import Housekeeping
from .re_authentication import ReAuthentication
from .recovery import Recovery
from .session_data import SessionData
from .sign_in import SignIn
from .sign_up import SignUp
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
        housekeeping: Forgetting what has expired.
        re_authentication: Proving once more who one is.
        recovery: A new password for one that was forgotten.
        session_data: What the application attaches to a session.
        sign_in: Signing in.
        sign_up: Signing up.
        tokens: Refreshing tokens.
    """

    def __init__(self, context: Context) -> None:
        """Make the flows."""
        self.context = context
        self.account: Account = Account(context)
        self.administration: Administration = Administration(context)
        self.authentication: Authentication = Authentication(context)
        self.ending: Ending = Ending(context)
        self.housekeeping: Housekeeping = Housekeeping(context)
        self.re_authentication: ReAuthentication = ReAuthentication(context)
        self.recovery: Recovery = Recovery(context)
        self.session_data: SessionData = SessionData(context)
        self.sign_in: SignIn = SignIn(context)
        self.sign_up: SignUp = SignUp(context)
        self.tokens: Tokens = Tokens(context)
