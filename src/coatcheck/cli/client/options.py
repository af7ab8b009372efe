"""What can be said of a client, as options; each is a member of its metadata (RFC 7591 section 2)."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer

from ..options import not_empty

__all__ = [
    "API",
    "MORE",
    "BackChannel",
    "ClientId",
    "FrontChannel",
    "IDTokenAlgorithm",
    "Name",
    "PostLogout",
    "RedirectURI",
    "Scope",
    "metadata_from",
]

ClientId = Annotated[
    str, typer.Argument(metavar="ID", help="The client's identifier (client_id).", show_default=False)
]
Name = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="What people are told it is called.", show_default=False),
]
RedirectURI = Annotated[
    list[str] | None,
    typer.Option("--redirect-uri", metavar="URI", help="Where people come back to; may be repeated."),
]
PostLogout = Annotated[
    list[str] | None,
    typer.Option(
        "--post-logout-uri", metavar="URI", help="Where they go after signing out; may be repeated."
    ),
]
BackChannel = Annotated[
    str | None, typer.Option("--backchannel-logout-uri", metavar="URI", help="Told when a session ends.")
]
FrontChannel = Annotated[
    str | None,
    typer.Option("--frontchannel-logout-uri", metavar="URI", help="Loaded by the browser that signs out."),
]
Scope = Annotated[
    list[str] | None,
    typer.Option("--scope", metavar="NAME", help="What it may ask for; without, anything. May be repeated."),
]
API = Annotated[
    list[str] | None,
    typer.Option("--api", metavar="URI", help="The APIs it may ask for; without, any. May be repeated."),
]
IDTokenAlgorithm = Annotated[
    str | None, typer.Option("--id-token-alg", metavar="NAME", help="What signs its ID tokens.")
]
MORE = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Any other member of RFC 7591 metadata; may be repeated."
    ),
]

_LISTS: Final = frozenset(
    {
        "contacts",
        "default_acr_values",
        "grant_types",
        "post_logout_redirect_uris",
        "redirect_uris",
        "response_types",
    }
)
_NUMBERS: Final = frozenset({"default_max_age"})
_WORDS: Final[dict[str, bool]] = {"true": True, "yes": True, "false": False, "no": False}
_SWITCHES: Final = frozenset(
    {
        "backchannel_logout_session_required",
        "frontchannel_logout_session_required",
        "require_auth_time",
        "require_pushed_authorization_requests",
    }
)


def metadata_from(more: list[str] | None, /, **given: Any) -> dict[str, Any]:
    """Return metadata out of options, those that were given. Raises ``UsageError`` for one that is none.

    Args:
        more: Members as ``name=value``; nothing after the sign takes a member away, spaces separate those of a list.
        given: Members by their names.
    """
    not_empty(
        **{name.replace("_", "-"): each for name, each in given.items() if isinstance(each, list | str)}
    )
    found = {name: each for name, each in given.items() if each is not None}
    for name, value in map(_pair, more or ()):
        found[name] = _value(name, value)
    if isinstance(found.get("scope"), list):
        found["scope"] = " ".join(found["scope"])
    return found


def _pair(text: str) -> tuple[str, str]:
    from ...oauth.registration import ClientMetadata
    from ..errors import UsageError

    name, sign, value = text.partition("=")
    if not sign or name not in ClientMetadata.__struct_fields__ or name == "jwks":
        raise UsageError("--set takes NAME=VALUE, where NAME is one of RFC 7591, like tos_uri=https://…")
    return name, value


def _value(name: str, value: str) -> Any:
    from ..errors import UsageError

    if not value:
        return None
    if name in _LISTS:
        return value.split()
    if name in _SWITCHES:
        if value not in _WORDS:
            raise UsageError(f"--set {name} is true or false.")
        return _WORDS[value]
    if name in _NUMBERS:
        if not (value.isascii() and value.isdecimal() and len(value) < 12):
            raise UsageError(f"--set {name} is a number of seconds.")
        return int(value)
    return value
