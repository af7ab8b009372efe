"""Records in an SQLite file: the storage of a single machine, for one process or several.

The standard library's driver is called inline on the event loop: a keyed read takes a few microseconds, a tenth of
what handing it to a thread would. Two connections, in WAL mode: one reads what is committed, one writes.
"""

from __future__ import annotations

from .storage import SQLiteStorage

__all__ = ["SQLiteStorage"]
