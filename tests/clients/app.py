"""An app that is nothing but static files, on an origin of its own."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.clients.node import modules

PAGES = Path(__file__).parent / "pages"


class _Files(SimpleHTTPRequestHandler):
    def translate_path(self, path: str) -> str:
        """Answer with the app wherever it is come back to."""
        found = Path(super().translate_path(path))
        return str(found if found.is_file() else Path(self.directory) / "index.html")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(directory: Path, port: int) -> Iterator[str]:
    """Serve the app."""
    shutil.copytree(PAGES, directory, dirs_exist_ok=True)
    library = modules() / "oidc-client-ts" / "dist" / "browser" / "oidc-client-ts.js"
    shutil.copy(library, directory / library.name)
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Files, directory=str(directory)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{port}"
    finally:
        server.shutdown()
        server.server_close()
