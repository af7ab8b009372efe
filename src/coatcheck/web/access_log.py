"""Keeps secrets that stand in addresses out of the server's access log.

The links in mails carry one-use secrets in their query. They are dead once used, but a log is read by many and kept
for long, and one that was never used is alive. What apps send browsers with tells who their users are, and an ID token
among it is enough to sign its user out.
"""

from __future__ import annotations

import logging
import re
from urllib.parse import unquote_plus

__all__ = ["MASK", "SecretMask", "install_secret_mask", "mask_query"]

MASK = "***"
_SECRET = re.compile(
    r"(?:^|[?&=])\s*(?:\w*token|code|\w*password|secret|id_token_hint|login_hint|ticket)\s*=", re.IGNORECASE
)


def mask_query(target: str) -> str:
    """Return the target of a request with the values of parameters that may be secret replaced by ``***``."""
    path, mark, query = target.partition("?")
    return path + mark + "&".join(map(_masked, query.split("&")))


def _masked(pair: str) -> str:
    # Decoded, because "%74oken=" is read as "token=", and because a path to come back to may hold another query.
    name, mark, _ = pair.partition("=")
    return f"{name}={MASK}" if mark and _SECRET.search(unquote_plus(pair)) else pair


class SecretMask(logging.Filter):
    """Masks the query in every argument of a record that has one. Lets all records through."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask the record's arguments in place."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                mask_query(each) if isinstance(each, str) and "?" in each else each for each in record.args
            )
        return True


def install_secret_mask(logger_name: str = "uvicorn.access") -> None:
    """Add the filter to a logger, once, however often this is called."""
    logger = logging.getLogger(logger_name)
    if not any(isinstance(each, SecretMask) for each in logger.filters):
        logger.addFilter(SecretMask())
