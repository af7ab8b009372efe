"""The pages: HTML that works without JavaScript, rendered from typed views.

A route hands a view to :class:`Pages` and gets a response with every security header on it::

    pages = Pages(Brand(name="Example"), prefix="/auth", secure=True)
    response = pages.render(SignInView(next="/inbox"))
"""

from __future__ import annotations

from .brand import Brand
from .rendering import Pages

__all__ = ["Brand", "Pages"]
