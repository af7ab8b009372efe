"""A readable name for a ``User-Agent`` header.

Whoever sends the header chooses its text, so none of it is repeated: the answer is put together from the names in
these tables, and what is not in them is unknown. No versions either, for they help nobody to recognise a device.
"""

from __future__ import annotations

import re

__all__ = ["describe_user_agent"]

_LONGEST = 512  # what comes after that is not looked at

# First match wins: most browsers also claim to be those further down.
_PROGRAMS = (
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("Ddg/", "DuckDuckGo"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("curl/", "curl"),
    ("Wget/", "Wget"),
    ("HTTPie/", "HTTPie"),
    ("PostmanRuntime/", "Postman"),
    ("insomnia/", "Insomnia"),
    ("python-requests/", "Python"),
    ("python-httpx/", "Python"),
    ("aiohttp/", "Python"),
    ("Python-urllib/", "Python"),
    ("Go-http-client/", "Go"),
    ("okhttp/", "OkHttp"),
    ("Dart/", "Dart"),
    ("axios/", "axios"),
    ("node-fetch/", "Node.js"),
    ("CFNetwork/", "Apple app"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows NT", "Windows"),
    ("Macintosh", "Mac"),
    ("Mac OS X", "Mac"),
    ("Darwin/", "an Apple device"),
    ("FreeBSD", "FreeBSD"),
    ("OpenBSD", "OpenBSD"),
    ("Linux", "Linux"),
)


def _compile(table: tuple[tuple[str, str], ...]) -> list[tuple[re.Pattern[str], str]]:
    # A mark counts only where a word begins: "NotFirefox/" is not Firefox.
    return [(re.compile(rf"(?<![A-Za-z0-9._-]){re.escape(mark)}"), name) for mark, name in table]


_PROGRAM_MARKS, _SYSTEM_MARKS = _compile(_PROGRAMS), _compile(_SYSTEMS)
_SAFARI = re.compile(r"(?<!\S)Version/[0-9.]+ (?:Mobile/\S+ )?Safari/")


def describe_user_agent(text: str) -> str:
    """Return the name of the program and its system, ``Firefox on Linux`` for example.

    Args:
        text: The header as it came; anything at all.

    Returns:
        Words of our own, ``Unknown program`` if nothing is recognised.
    """
    text = text[:_LONGEST]
    program = _first(_PROGRAM_MARKS, text) or ("Safari" if _SAFARI.search(text) else None)
    system = _first(_SYSTEM_MARKS, text)
    if program is None:
        return f"Unknown program on {system}" if system else "Unknown program"
    return f"{program} on {system}" if system else program


def _first(marks: list[tuple[re.Pattern[str], str]], text: str) -> str | None:
    return next((name for mark, name in marks if mark.search(text)), None)
