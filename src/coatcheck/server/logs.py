"""The log of a server: as lines for people, or one JSON object a line for programs.

Whatever a client sends, it adds to a line and never makes one: control characters and line breaks are written as
escapes. The lines of a request carry its name.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from starlette.types import Scope
from uvicorn.logging import DefaultFormatter

from ..web.access_log import SecretMask, mask_query
from ..web.request_ids import current_request_id, current_trace_id
from .settings import Settings

__all__ = ["ACCESS_LOGGER", "JSONFormatter", "RequestNames", "TextFormatter", "access_fields", "log_config"]

ACCESS_LOGGER: Final = "coatcheck.access"

_encode: Final = json.JSONEncoder(separators=(",", ":")).encode

# Controls of C0 and C1, and what some readers take for the end of a line or for the direction of the next.
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


class RequestNames(logging.Filter):
    """Puts the names of the request and its trace on a record, where it is logged: later it may be another's turn."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Name them. Lets all records through."""
        record.request_id = current_request_id.get()
        record.trace_id = current_trace_id.get()
        return True


class JSONFormatter(logging.Formatter):
    """One JSON object a line, in ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as a line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, Any] = {
            "time": at.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_names(record),
            **_fields(record),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        # In ASCII no character beyond it can end a line; of those within, JSON leaves one as it is.
        return _encode(fields).replace("\x7f", "\\u007f")


class TextFormatter(DefaultFormatter):
    """A line for people: the level, the message, and the name of the request in brackets."""

    def __init__(self, *, use_colors: bool | None = None) -> None:
        """Take whether to colour the levels; by default a terminal gets colours."""
        super().__init__("%(levelprefix)s %(message)s", use_colors=use_colors)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """Return the line without what follows it."""
        name = _names(record).get("request_id")
        line = _UNSAFE.sub(_escaped, record.message)
        record.message = f"{line} [{name}]" if name else line
        if self.use_colors:
            return super().formatMessage(record)
        return f"{record.levelname + ':':9} {record.message}"  # the same, in half the time

    def formatException(self, ei: Any) -> str:  # noqa: N802 - likewise
        """Return a traceback, each line of it indented: none can be taken for one of the log's own."""
        lines = re.split("[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", super().formatException(ei))
        return "\n".join("    " + _UNSAFE.sub(_escaped, line) for line in lines)


def access_fields(scope: Scope, *, route: str, status: int, seconds: float, client: str) -> dict[str, Any]:
    """Return what is logged of a request.

    Args:
        scope: The request.
        route: The template of its path.
        status: What it was answered with.
        seconds: How long it took until the answer was complete.
        client: The address that it comes from, as far as proxies are believed.
    """
    return {
        "method": scope["method"],
        "path": mask_query(scope["path"]),
        "route": route,
        "status": status,
        "duration_ms": round(seconds * 1000, 3),
        "client": client,
    }


def log_config(settings: Settings) -> dict[str, Any]:
    """Return the configuration of logging for a server by itself (``logging.config.dictConfig``)."""
    level = "WARNING" if settings.mode == "development" else "INFO"
    formatter = JSONFormatter if settings.log_format == "json" else TextFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"names": {"()": RequestNames}, "mask": {"()": SecretMask}},
        "formatters": {"lines": {"()": formatter}},
        "handlers": {
            name: {
                "class": "logging.StreamHandler",
                "formatter": "lines",
                "filters": filters,
                "stream": f"ext://sys.{stream}",
            }
            for name, stream, filters in (
                ("errors", "stderr", ["names", "mask"]),
                ("requests", "stdout", ["names"]),  # what is to be masked there is masked already
            )
        },
        "root": {"handlers": ["errors"], "level": "WARNING"},
        "loggers": {
            "coatcheck": {"level": level},
            "uvicorn": {"level": level},
            ACCESS_LOGGER: {"handlers": ["requests"], "level": level, "propagate": False},
        },
    }


def _names(record: logging.LogRecord) -> dict[str, str]:
    named = {
        "request_id": getattr(record, "request_id", ""),
        "trace_id": getattr(record, "trace_id", ""),
    }
    return {name: value for name, value in named.items() if value}


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = getattr(record, "fields", {})
    return fields


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape", "surrogatepass").decode("ascii")
