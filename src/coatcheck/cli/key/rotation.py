"""``coatcheck key rotate`` and ``list``: the keys that a server signs with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from ..configured import Config
from ..options import AsJSON

if TYPE_CHECKING:
    from ...flows.key_rotation import KeyState, Rotation
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["list_keys", "rotate"]

Compromised = Annotated[
    bool,
    typer.Option(
        "--compromised", help="Somebody else may have the keys: trust none of them any more, from now on."
    ),
]


def rotate(*, compromised: Compromised = False, config: Config = None) -> None:
    """Replace the keys that a server signs with.

    A new key is published first, signs some twenty minutes later, and nobody notices. With --compromised it signs now,
    the others are trusted no more, and every access token that they signed is refused; nobody is signed out. A server
    that runs takes part by itself.
    """
    from ..configured import administer
    from ..sinks import write_text

    async def action(settings: Settings, flows: Flows) -> tuple[Rotation, float]:
        return await flows.key_rotation.rotate(compromised=compromised), flows.context.clock()

    rotation, now = administer(config, action)
    told = list(_told_of_compromise(rotation) if compromised else _told(rotation, now))
    told[-1:-1] = [_told_of_other(each) for each in rotation.others]
    write_text("\n".join(told))


def list_keys(*, as_json: AsJSON = False, config: Config = None) -> None:
    """List the keys that a server signs with, the newest first.

    As JSON, there is one object on each line.
    """
    from ..configured import administer
    from ..sinks import write_text
    from ..text import as_json as written

    async def action(settings: Settings, flows: Flows) -> tuple[list[KeyState], float]:
        return await flows.key_rotation.list(), flows.context.clock()

    keys, now = administer(config, action)
    if not as_json:
        _render(keys, now)
        return
    import msgspec

    for key in keys:
        write_text(written(msgspec.structs.asdict(key)))


def _told(rotation: Rotation, now: float) -> Iterator[str]:
    from .. import times

    new = "A new key is published" if rotation.is_new else "A new key has been published before"
    yield f"{new}: {rotation.signer}"
    yield (
        f"It signs from {times.iso(rotation.signs_from)} on ({times.relative(rotation.signs_from, now)}): by then, "
        "whoever caches the keys has it."
    )
    if rotation.retired is not None:
        yield (
            f"Until then {rotation.before} signs. It stays published until {times.iso(rotation.retired)}, "
            "when the last token that it signed has expired."
        )
    yield "Nobody is signed out, and no token is refused. Servers that run take part by themselves."


def _told_of_other(rotation: Rotation) -> str:
    from .. import times

    out = f" Trusted no more: {', '.join(rotation.removed)}." if rotation.removed else ""
    return f"For {rotation.algorithm}, {rotation.signer} signs from {times.iso(rotation.signs_from)} on.{out}"


def _told_of_compromise(rotation: Rotation) -> Iterator[str]:
    from datetime import timedelta

    from ...flows.key_schedule import KEY_SET_CACHE
    from .. import times

    yield f"A new key signs from now on: {rotation.signer}"
    yield f"Trusted no more, and taken out of the published keys: {', '.join(rotation.removed)}"
    yield (
        "Every access token that they signed is refused: by servers that run and by services that follow the ledger at "
        "once. Others, which only cache the keys, may accept such tokens until they fetch the keys again: "
        f"{times.in_words(KEY_SET_CACHE / timedelta(seconds=1))} by what this server asks for, longer if they keep "
        "them longer."
    )
    yield (
        "Nobody is signed out: sessions and refresh tokens live on, and clients get new access tokens by refreshing."
    )
    yield (
        "How did the keys get out? They are encrypted in the database: whoever can read them has its secret too, and "
        "that one is not replaced by this."
    )


def _render(keys: list[KeyState], now: float) -> None:
    from .. import times
    from ..terminal import cell, grid, make_console

    def moment(key: KeyState) -> str:
        if key.state == "published":
            return f"signs {times.relative(key.signs_from, now)}"
        if key.verifies_until is not None:
            return f"trusted until {times.iso(key.verifies_until)}"
        return f"since {times.iso(max(key.signs_from, key.created_at))}"

    rows = [(cell(key.kid), cell(key.algorithm), cell(key.state), cell(moment(key), "dim")) for key in keys]
    make_console().print(grid(rows, fixed=3))
