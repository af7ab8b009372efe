"""From a ``User-Agent`` to a few known words.

Only words of these tables get into a mail: the header is the sender's to choose, and a mail must not carry their text.
"""

from __future__ import annotations

__all__ = ["browser_in_words"]

# The first that is found counts: many browsers also name those that they descend from.
_PROGRAMS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python-", "a Python program"),
    ("okhttp/", "an Android app"),
    ("CFNetwork/", "an Apple app"),
)
_SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)
_UNKNOWN = "an unknown browser or program"


def browser_in_words(user_agent: str) -> str:
    """Return what a ``User-Agent`` claims to be, such as ``Firefox on Windows``."""
    program = next((name for mark, name in _PROGRAMS if mark in user_agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    if system is None:
        return program or _UNKNOWN
    return f"{program or 'A browser'} on {system}"
