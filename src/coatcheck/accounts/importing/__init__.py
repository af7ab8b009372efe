"""Reading accounts out of a file of another system: CSV with a header, JSON lines, or one JSON document.

It owns what such files look like and what is accepted of them: the exports of Auth0, Firebase, better-auth and Django,
and plain columns ``email``, ``password_hash``, ``scopes``, ``email_verified``, ``disabled`` and ``created_at``. It
takes octets and returns values; it opens no file and knows no storage.

A file comes from somewhere, so everything in it is bounded: the length of a row, the depth of JSON, the work that a
hash may ask for. Nothing but the addresses that were seen is kept in memory.
"""

from __future__ import annotations

from ..hashes.firebase import FirebaseParameters
from .containers import Container, detect
from .model import ImportedUser
from .reader import UserReader

__all__ = ["Container", "FirebaseParameters", "ImportedUser", "UserReader", "detect"]
