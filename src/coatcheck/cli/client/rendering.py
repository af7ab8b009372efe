"""Clients as they are shown, and as JSON; and what one needs, once it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...oauth.model import OAuthClient

__all__ = ["Made", "as_record", "kind_of", "made_of", "render_made", "state_of"]


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A client with what it is given once.

    Attributes:
        client_id: Its identifier.
        name: What it is called.
        issuer: The server.
        token_endpoint: Where it gets tokens.
        client_secret: Its secret, if it has a new one.
        key: Its private key, a JWK, if it has a new one.
        is_machine: Whether it acts for nobody but itself.
    """

    client_id: str
    name: str
    issuer: str
    token_endpoint: str
    client_secret: str | None
    key: dict[str, Any] | None
    is_machine: bool

    def __repr__(self) -> str:
        return f"<Made {self.client_id}>"


def made_of(
    flows: Flows, client: OAuthClient, *, secret: str | None = None, key: dict[str, Any] | None = None
) -> Made:
    """Return a client with what it is given once."""
    return Made(
        client_id=client.id,
        name=client.name,
        issuer=flows.context.access_tokens.issuer,
        token_endpoint=f"{flows.context.provider.base}/token",
        client_secret=secret,
        key=key,
        is_machine=not client.response_types,
    )


def render_made(made: Made, *, out: str | None, force: bool, as_json: bool, word: str = "Added") -> None:
    """Print what a client needs, as lines to paste or as JSON; a key goes to a file if one is named."""
    from ..notices import notice
    from ..sinks import write_file, write_text
    from ..text import as_json as written

    key = made.key
    if key is not None and out is not None:
        write_file(out, f"{written(key, indent=2)}\n".encode("ascii"), private=True, force=force)
        notice(f"Its private key is in {out}, for your eyes only.")
        key = None
    discovery = f"{made.issuer}/.well-known/openid-configuration"
    if as_json:
        record = {"client_id": made.client_id, "client_secret": made.client_secret, "key": key}
        record |= {"issuer": made.issuer, "discovery": discovery, "token_endpoint": made.token_endpoint}
        write_text(written({name: value for name, value in record.items() if value is not None}))
        return
    write_text(f"OAUTH_CLIENT_ID={made.client_id}")
    if made.client_secret is not None:
        write_text(f"OAUTH_CLIENT_SECRET={made.client_secret}")
    if key is not None:
        write_text(f"OAUTH_CLIENT_KEY='{written(key)}'")
    write_text(f"OAUTH_ISSUER={made.issuer}")
    write_text(f"OAUTH_DISCOVERY={discovery}")
    _say(made, word, once="" if made.client_secret is None and key is None else "shown this once")
    if made.is_machine:
        notice(f"It gets tokens at {made.token_endpoint} with grant_type=client_credentials.")


def _say(made: Made, word: str, *, once: str) -> None:
    from ..notices import notice

    what = "Its secret is" if made.client_secret is not None else "Its private key is"
    shown = f" {what} {once}:" if once else ""
    notice(f"{word} {made.name}.{shown} paste these lines where it runs." if once else f"{word} {made.name}.")


def kind_of(client: OAuthClient) -> str:
    """Return what kind of client it is, in a word or two."""
    if not client.response_types:
        return "machine"
    if client.application_type == "native":
        return "native app"
    return "public app" if client.is_public else "web app"


def state_of(client: OAuthClient) -> str:
    """Return whether the client works, and who registered it, in a word or two."""
    if client.disabled_at is not None:
        return "disabled"
    words = {"administrator": "active", "itself": "registered itself", "metadata-document": "by its document"}
    return words[client.registered_by]


def as_record(client: OAuthClient) -> dict[str, Any]:
    """Return what programs are told of a client: its metadata, and what is not in it."""
    from ...flows.provider.clients import trusted_metadata_of

    return {
        "client_id": client.id,
        **trusted_metadata_of(client),
        "first_party": client.first_party,
        "registered_by": client.registered_by,
        "created_at": client.created_at,
        "disabled_at": client.disabled_at,
    }
