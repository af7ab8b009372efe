"""Records in PostgreSQL: the storage of several nodes.

Statements go through a pool of connections, prepared, one round trip each. What the single writer of a file gives for
nothing is done by locks that are named after what they protect; what other nodes commit is told by ``NOTIFY``, and the
tables are the truth: a message that is lost costs the time until the next look.
"""

from __future__ import annotations

from .storage import PostgresStorage

__all__ = ["PostgresStorage"]
