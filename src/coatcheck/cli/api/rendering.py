"""APIs as they are shown, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...oauth.model import API

__all__ = ["as_record", "render_secret", "scopes_of"]


def as_record(api: API) -> dict[str, Any]:
    """Return what programs are told of an API."""
    return {
        "audience": api.audience,
        "name": api.name,
        "scopes": [
            {"name": each.name, "description": each.description, "for_everybody": each.for_everybody}
            for each in api.scopes
        ],
        "algorithm": api.algorithm,
        "token_lifetime": api.token_lifetime,
        "created_at": api.created_at,
    }


def scopes_of(api: API) -> str:
    """Return the names of an API's scopes; a star is at those that every user has."""
    return " ".join(f"{each.name}*" if each.for_everybody else each.name for each in api.scopes)


def render_secret(api: API, secret: str | None, *, as_json: bool, word: str) -> None:
    """Print that an API was made or changed, and its secret if it has a new one."""
    from ..notices import notice
    from ..sinks import write_text
    from ..text import as_json as written
    from ..text import visible

    if as_json:
        record = as_record(api) | ({} if secret is None else {"secret": secret})
        write_text(written(record))
    elif secret is None:
        write_text(f"{word} {visible(api.audience)}.")
    else:
        write_text(f"API_TOKEN_SECRET={secret}")
        notice(
            f"{word} {api.audience}. What verifies its tokens is shown this once: paste it where the API runs."
        )
