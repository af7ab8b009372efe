"""Coatcheck: sign-in for Python web apps and APIs, with sessions and JSON Web Tokens from one ledger.

This is the door, and it opens no room by itself: import what you need from the part that owns it,
for example ``from coatcheck.jose import Key, jwt``.
"""

from coatcheck.errors import CoatcheckError

__all__ = ["CoatcheckError", "__version__"]

__version__ = "0.1.0"
