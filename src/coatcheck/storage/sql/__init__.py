"""The records of databases that speak SQL: one text of each statement for all engines.

What the engines have in common is enough: named parameters, ``RETURNING``, ``ON CONFLICT``. What they call differently
(the smaller of two values, say) is written in words that both know (``CASE``). How a statement gets to the database is
the engine's: see ``Access``.
"""

from __future__ import annotations

from .access import Access, Parameters, Row
from .records import SQLRecords

__all__ = ["Access", "Parameters", "Row", "SQLRecords"]
