"""``coatcheck revoke user``, ``session``, ``token``, ``client`` and ``key``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..configured import Config
from ..errors import UsageError
from ..options import TokenFile
from ..sources import STDIN

if TYPE_CHECKING:
    from ...flows.revoking import Revoked
    from ...flows.service import Flows
    from ...revocation.model import Kind
    from ...server.settings_model import Settings

__all__ = ["client", "key", "session", "token", "user"]

User = Annotated[
    str,
    typer.Argument(metavar="EMAIL|ID", help="The user's e-mail address or identifier.", show_default=False),
]
SessionId = Annotated[
    str, typer.Argument(metavar="ID", help="The session's identifier, as it is listed.", show_default=False)
]
JTI = Annotated[
    str | None,
    typer.Argument(
        metavar="JTI|-",
        help="The token's identifier (jti); - reads the token itself from standard input.",
        show_default=False,
    ),
]
ClientId = Annotated[
    str, typer.Argument(metavar="ID", help="The client's identifier (client_id).", show_default=False)
]
KeyId = Annotated[str, typer.Argument(metavar="KID", help="The key's identifier.", show_default=False)]


def user(email_or_id: User, *, config: Config = None) -> None:
    """End all sessions of a user, and whatever else was issued for them until now.

    They can sign in again: to keep them out, use coatcheck user disable.
    """
    ended = _revoke("user", email_or_id, config).ended_sessions
    _tell(f"Revoked; sessions ended: {ended}.")


def session(session_id: SessionId, *, config: Config = None) -> None:
    """End one session, with all its tokens."""
    _revoke("session", session_id, config)
    _tell("Revoked; sessions ended: 1.")


def token(jti: JTI = None, *, file: TokenFile = None, config: Config = None) -> None:
    """Void one access token.

    Its session lives on: whoever holds the refresh token gets another one. To end that too, revoke the session.
    """
    from ..sources import one_of, read_token

    one_of([("JTI (- for standard input)", jti), ("--file", file)])

    # Whoever can list the processes of a machine reads their arguments.
    if jti is not None and jti != STDIN and "." in jti:
        raise UsageError("This looks like a whole token: give that on standard input, or by --file.")
    value = read_token(jti, file, None) if jti is None or jti == STDIN else jti
    _tell(f"Revoked: the token {_revoke('token', value, config).value}.")


def client(client_id: ClientId, *, config: Config = None) -> None:
    """Void all access tokens that were issued to a client until now.

    Sessions live on, and can refresh theirs.
    """
    _tell(f"Revoked: what was issued to {_revoke('client', client_id, config).value} until now.")


def key(kid: KeyId, *, config: Config = None) -> None:
    """Void whatever a signing key has signed, and replace it: the same as coatcheck key rotate --compromised.

    Sessions live on, and can refresh their access tokens.
    """
    _tell(f"Revoked: the key {_revoke('key', kid, config).value}. Another one signs from now on.")


def _revoke(kind: Kind, value: str, config: str | None) -> Revoked:
    from ..configured import administer

    async def action(settings: Settings, flows: Flows) -> Revoked:
        from ...flows.ending import ADMINISTRATOR

        return await flows.revoking.one(kind, value, actor=ADMINISTRATOR)

    return administer(config, action)


def _tell(line: str) -> None:
    from ..sinks import write_text

    write_text(line)
