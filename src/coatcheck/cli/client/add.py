"""``coatcheck client add``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..configured import Config
from ..errors import UsageError
from ..options import AsJSON, Force, Out
from .options import (
    API,
    MORE,
    BackChannel,
    FrontChannel,
    IDTokenAlgorithm,
    PostLogout,
    RedirectURI,
    Scope,
    metadata_from,
)

if TYPE_CHECKING:
    from ...flows.service import Flows
    from ...server.settings_model import Settings
    from .rendering import Made

__all__ = ["add"]

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="What people are told it is called.", show_default=False)
]
Public = Annotated[bool, typer.Option("--public", help="It can keep no secret: an app in a browser (SPA).")]
SPA = Annotated[bool, typer.Option("--spa", help="The same as --public.")]
Native = Annotated[bool, typer.Option("--native", help="An app on a phone or a computer, without a secret.")]
Machine = Annotated[
    bool, typer.Option("--machine", help="A program that acts for itself (client_credentials).")
]
FirstParty = Annotated[
    bool, typer.Option("--first-party", help="It is yours: users are not asked for consent.")
]
WithKey = Annotated[bool, typer.Option("--key", help="Make a key for it, instead of a secret.")]
KeyFile = Annotated[
    str | None,
    typer.Option("--key-file", metavar="FILE", help="It has a key: this is its public JWK or JWK Set."),
]
KeyAlgorithm = Annotated[
    str | None, typer.Option("--key-alg", metavar="NAME", help="What the key signs by; ES256 unless given.")
]
Pairwise = Annotated[bool, typer.Option("--pairwise", help="It knows users by names of its own.")]


def add(
    name: Name,
    *,
    redirect_uri: RedirectURI = None,
    public: Public = False,
    spa: SPA = False,
    native: Native = False,
    machine: Machine = False,
    first_party: FirstParty = False,
    key: WithKey = False,
    key_file: KeyFile = None,
    key_alg: KeyAlgorithm = None,
    scope: Scope = None,
    api: API = None,
    post_logout_uri: PostLogout = None,
    backchannel_logout_uri: BackChannel = None,
    frontchannel_logout_uri: FrontChannel = None,
    id_token_alg: IDTokenAlgorithm = None,
    pairwise: Pairwise = False,
    more: MORE = None,
    out: Out = None,
    force: Force = False,
    as_json: AsJSON = False,
    config: Config = None,
) -> None:
    """Register an app, and print what it needs to sign people in.

    Without an option for its kind it is an app on a server, with a secret that
    is shown once. A machine with one --api is allowed its --scope there at once.
    """
    from .. import sinks
    from ..configured import administer
    from .rendering import render_made

    public = public or spa or native
    _check_kind(public=public, machine=machine, keys=(key, key_file is not None), scope=scope, api=api)
    sinks.check_target(out, force=force)
    metadata = metadata_from(
        more,
        client_name=name,
        redirect_uris=redirect_uri,
        scope=scope,
        audiences=api,
        post_logout_redirect_uris=post_logout_uri,
        backchannel_logout_uri=backchannel_logout_uri,
        frontchannel_logout_uri=frontchannel_logout_uri,
        id_token_signed_response_alg=id_token_alg,
        first_party=first_party or None,
        subject_type="pairwise" if pairwise else None,
        application_type="native" if native else None,
    )
    metadata = {**_of_kind(public=public, machine=machine, key=key or key_file is not None), **metadata}
    if key_file is not None:
        metadata["jwks"] = _read_keys(key_file)
    if key_alg is not None:
        metadata["token_endpoint_auth_signing_alg"] = key_alg

    async def action(settings: Settings, flows: Flows) -> Made:
        return await _make(flows, metadata, with_key=key, may=(api or [""])[0] if machine and scope else "")

    made = administer(config, action, begins=True)
    render_made(made, out=out, force=force, as_json=as_json)


async def _make(flows: Flows, metadata: dict[str, Any], *, with_key: bool, may: str) -> Made:
    from ...flows.ending import ADMINISTRATOR
    from ...oauth.registration import read_metadata
    from .rendering import made_of

    clients = flows.provider.clients
    if may:
        await flows.provider.permissions.check(may, metadata["scope"].split())
    client, secret = await clients.add(read_metadata(metadata), actor=ADMINISTRATOR)
    private = None
    if with_key:
        client, private = await clients.new_key(client.id)
    if may:
        await flows.provider.permissions.grant(
            "client", client.id, may, scopes=metadata["scope"].split(), actor=ADMINISTRATOR
        )
    return made_of(flows, client, secret=secret, key=private)


def _check_kind(
    *, public: bool, machine: bool, keys: tuple[bool, bool], scope: list[str] | None, api: list[str] | None
) -> None:
    if public and machine:
        raise UsageError("A machine acts in its own name, which takes a secret or a key: it is not public.")
    if all(keys) or (public and any(keys)):
        raise UsageError("Give one of --public, --key and --key-file.")
    if machine and scope and len(api or ()) != 1:
        raise UsageError("Say with --api at which API the machine is allowed this --scope.")


def _of_kind(*, public: bool, machine: bool, key: bool) -> dict[str, Any]:
    """Return the metadata that makes a kind of client."""
    method = "none" if public else "private_key_jwt" if key else "client_secret_basic"
    if machine:
        grant_types, response_types = ["client_credentials"], []
        if key:  # who has a key can sign a JWT of its own as well
            grant_types.append("urn:ietf:params:oauth:grant-type:jwt-bearer")
    else:
        grant_types, response_types = ["authorization_code", "refresh_token"], ["code"]
    return {
        "token_endpoint_auth_method": method,
        "grant_types": grant_types,
        "response_types": response_types,
    }


def _read_keys(path: str) -> dict[str, Any]:
    """Return a JWK Set out of a file with one, or with a single JWK."""
    import json

    from ..sources import named, read_source

    try:
        found = json.loads(read_source(path))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UsageError(f"{named(path)} holds no JWK: coatcheck key convert makes one.")
    return found if "keys" in found else {"keys": [found]}
