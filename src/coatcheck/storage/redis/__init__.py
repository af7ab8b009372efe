"""A layer over another storage that keeps in Redis or Valkey what is hot, short-lived, and no harm if it is lost.

The limits on attempts are counted there, which is most of what a sign-in writes; and what one node commits is told to
the others by a stream. Everything else goes to the database, which is the truth: no session, token or one-use marker is
ever found in Redis, so none can come back from there. Without Redis, limits are counted in the database.
"""

from __future__ import annotations

from .addresses import check_address
from .storage import RedisStorage

__all__ = ["RedisStorage", "check_address"]
