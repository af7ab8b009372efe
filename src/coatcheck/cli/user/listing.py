"""``coatcheck user list``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..configured import Config
from ..options import AsJSON

if TYPE_CHECKING:
    from ...accounts.model import User
    from ...flows.service import Flows
    from ...server.settings_model import Settings

__all__ = ["list_users"]

_PAGE = 500


def list_users(*, as_json: AsJSON = False, config: Config = None) -> None:
    """List all users in the order of their addresses.

    As JSON, there is one object on each line.
    """
    from ..configured import administer

    async def action(settings: Settings, flows: Flows) -> int:
        count, after = 0, ""
        while page := await flows.administration.list_users(after=after, limit=_PAGE):
            _write(page, as_json=as_json)
            count, after = count + len(page), page[-1].email_key
        return count

    count = administer(config, action)
    if count == 0 and not as_json:
        from ..sinks import write_text

        write_text("There are no users yet: coatcheck user add EMAIL")


def _write(page: list[User], *, as_json: bool) -> None:
    from .. import times
    from ..sinks import write_text
    from ..terminal import cell, grid, make_console
    from ..text import as_json as written
    from .rendering import as_record, state_of

    if as_json:
        for user in page:
            write_text(written(as_record(user)))
        return
    rows = [
        (
            cell(user.email),
            cell(state_of(user), "dim"),
            cell((times.iso(user.created_at) or "")[:10], "dim"),
            cell(" ".join(sorted(user.scopes))),
        )
        for user in page
    ]
    make_console().print(grid(rows, fixed=3))
