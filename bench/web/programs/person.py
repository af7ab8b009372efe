"""The one person who signs in everywhere."""

from __future__ import annotations

EMAIL = "ada.lovelace@example.com"
PASSWORD = "analytical engine no. 1"
