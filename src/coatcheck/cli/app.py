"""The tree of commands."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

import typer

from .advise import advise
from .api import commands as api
from .audit import audit
from .client import commands as client
from .compare import compare
from .demo import demo
from .dev import dev
from .doctor import doctor
from .failures import Commands
from .key import commands as key
from .migrate import migrate
from .permission import commands as permission
from .revoke import commands as revoke
from .role import commands as role
from .serve import serve
from .service import commands as service
from .session import commands as session
from .token import commands as token
from .user import commands as user

__all__ = ["app"]

app: typer.Typer = typer.Typer(
    name="coatcheck",
    cls=Commands,
    help="Run a sign-in server and look after its users; make keys, and make, check and look into tokens.",
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in (dev, demo, serve, doctor, migrate, compare, advise, audit):
    app.command()(_command)
app.add_typer(user, name="user")
app.add_typer(session, name="session")
app.add_typer(client, name="client")
app.add_typer(api, name="api")
app.add_typer(permission, name="permission")
app.add_typer(role, name="role")
app.add_typer(revoke, name="revoke")
app.add_typer(service, name="service")
app.add_typer(token, name="token")
app.add_typer(key, name="key")


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False,  # noqa: FBT002
) -> None:
    if show_version:
        print(f"coatcheck {version('coatcheck')}")
    elif context.invoked_subcommand is None:
        print(context.get_help())
