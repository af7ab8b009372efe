"""The composition root: settings, and from them the storage, the flows and the web application.

It is the only part that reads the environment and files, and that knows every other part.
"""

from __future__ import annotations

from .server import Server, open_flows
from .settings import Secret, Settings, load_settings

__all__ = ["Secret", "Server", "Settings", "load_settings", "open_flows"]
