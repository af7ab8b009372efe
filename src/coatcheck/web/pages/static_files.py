"""Static files under names that hold the hash of their content, so that browsers may keep them for ever."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from .brand import Brand
from .palette import readable_on, theme

__all__ = ["STYLE_SHEET", "StaticFiles"]

STYLE_SHEET = "coatcheck.css"
_MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


class StaticFiles:
    """The style sheet (with the brand's colours in it), the script and the icon.

    Args:
        brand: The colours.
        base: The path that the files are served below, ``/auth/static`` for example.
    """

    def __init__(self, brand: Brand, *, base: str) -> None:
        self._paths: dict[str, str] = {}
        self._files: dict[str, tuple[bytes, str]] = {}
        for name, text in _read_files(brand).items():
            body = text.encode()
            stem, _, kind = name.rpartition(".")
            hashed = f"{stem}.{_short_hash(body)}.{kind}"
            self._paths[name] = f"{base}/{hashed}"
            self._files[hashed] = (body, _MEDIA_TYPES[kind])

    def path(self, name: str) -> str:
        """Return the path of a file by its plain name.

        Raises:
            KeyError: If there is no such file: a mistake in a template.
        """
        return self._paths[name]

    def find(self, hashed_name: str) -> tuple[bytes, str] | None:
        """Return content and media type of a file by its name with the hash; ``None`` if there is no such."""
        return self._files.get(hashed_name)


def _read_files(brand: Brand) -> dict[str, str]:
    files = {
        item.name: item.read_text(encoding="utf-8")
        for item in (resources.files(__package__) / "static").iterdir()
        if item.name.rpartition(".")[2] in _MEDIA_TYPES
    }
    files[STYLE_SHEET] = theme(brand) + files[STYLE_SHEET]
    accent, on_accent = brand.accent.lower(), readable_on(brand.accent)
    files["icon.svg"] = files["icon.svg"].replace("#1d5b4c", accent).replace("#ffffff", on_accent)
    return files


def _short_hash(body: bytes) -> str:
    # 96 bits: no two versions of a file will ever share a name, and nothing rests on its being hard to forge.
    return base64.b32encode(hashlib.sha256(body).digest()[:12]).decode("ascii").rstrip("=").lower()
