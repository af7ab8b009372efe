"""What is stale once a client or a user has changed: tokens that say more than they may, and answers of users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...oauth.model import OAuthClient
from ..ending import Reason, void_earlier
from ..ports import Records

if TYPE_CHECKING:
    from ..context import Context

__all__ = ["forget_consents", "void_tokens_of_client", "void_tokens_of_user"]


async def void_tokens_of_user(context: Context, records: Records, user_id: str, *, actor: str) -> None:
    """Void what was issued for a user until now, inside the transaction of what changes what they may do."""
    await void_earlier(context, records, ("user", user_id), reason=Reason.PERMISSIONS_CHANGED, actor=actor)


async def void_tokens_of_client(context: Context, records: Records, client_id: str, *, actor: str) -> None:
    """Void what was issued to a client until now, inside the transaction of what changes what it may do."""
    await void_earlier(
        context, records, ("client", client_id), reason=Reason.PERMISSIONS_CHANGED, actor=actor
    )


async def forget_consents(records: Records, before: OAuthClient, after: OAuthClient) -> None:
    """Forget what users allowed a client, if its answers can go elsewhere now: they did not say yes to that.

    Inside the transaction of the change.
    """
    if not set(after.redirect_uris).issubset(before.redirect_uris):
        await records.delete_consents(after.id)
