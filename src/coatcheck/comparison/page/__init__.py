"""A report as one HTML file that needs nothing else: no script, no font, no picture from elsewhere.

``render`` is pure, and the same report gives the same text. The file forbids itself, by a policy in its head, to load
anything; its style is allowed by its digest.
"""

from __future__ import annotations

from .document import render

__all__ = ["render"]
