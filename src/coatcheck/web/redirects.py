"""Where a browser may be sent after a form: to a path on this site, and nowhere else (CWE-601, ASVS 5.0, 3.7.2).

What a browser makes of a ``Location`` is looser than RFC 3986: it drops tabs and line breaks, takes a backslash for a
slash, and two slashes for the start of another host. Whatever could be read in two ways is refused, not repaired.
"""

from __future__ import annotations

import re
from urllib.parse import quote

__all__ = ["HOME", "path_on_this_site"]

HOME = "/"
"""Where people go if nothing better is known."""

MAX_LENGTH = 2048
"""A longer target is not one that a page of ours was asked for."""

# A slash, not followed by what some reader takes for a second one, plain or percent-encoded.
_PATH = re.compile(r"/(?!/|\\|%2f|%5c)", re.IGNORECASE)
# C0, DEL, C1 and space: browsers and proxies strip some of them. The two separators end lines in scripts.
_FORBIDDEN = re.compile("[\\\\\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]")
# Pages that lead on themselves: to be sent back to one would go round in circles, or sign out who just signed in.
_NO_TARGETS = ("/sign-in", "/sign-up", "/sign-out", "/re-authenticate", "/forgotten", "/reset")


def path_on_this_site(target: str | None, *, prefix: str) -> str:
    """Return where to go: the target if it is a path on this site, else :data:`HOME`.

    Args:
        target: What a request asked for: untrusted.
        prefix: The path that the sign-in pages lie below; those that lead on themselves are no targets.

    Returns:
        A path with its query and fragment, in ASCII.
    """
    if not target or len(target) > MAX_LENGTH or not _PATH.match(target) or _FORBIDDEN.search(target):
        return HOME
    path = re.split(r"[?#]", target, maxsplit=1)[0]
    # "/.//host" and "/x/..//host" become "//host" for whoever removes the dots first.
    if "//" in path or any(_within(path, prefix + page) for page in _NO_TARGETS):
        return HOME
    location = quote(target, safe="/?#[]@!$&'()*+,;=:%-._~")
    return location if len(location) <= MAX_LENGTH else HOME


def _within(path: str, page: str) -> bool:
    return path == page or path.startswith(page + "/")
