"""What tests look at in a picture: its texts, and how much room each takes at most."""

from __future__ import annotations

from itertools import pairwise
from typing import cast
from xml.etree import ElementTree as ET

import msgspec

from coatcheck.comparison.plots.lettering import SIZES, Kind, text_width

__all__ = ["Written", "overlapping", "read_picture", "texts_of", "unordered"]


class Written(msgspec.Struct, frozen=True):
    """A text and its box."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    def covers(self, other: Written) -> bool:
        return (
            self.left < other.right - 0.1
            and other.left < self.right - 0.1
            and self.top < other.bottom - 0.1
            and other.top < self.bottom - 0.1
        )


def read_picture(svg: str) -> ET.Element:
    """Parse it as XML: what is not well-formed fails."""
    return ET.fromstring(svg)  # noqa: S314 - our own output, without a document type


def texts_of(picture: ET.Element) -> list[Written]:
    return [_written(each) for each in picture.iter() if each.tag.endswith("text") and each.text]


def _written(text: ET.Element) -> Written:
    kind = cast("Kind", text.attrib["class"].split()[0])
    content = text.text or ""
    width = text_width(content, kind)
    x, y = float(text.attrib["x"]), float(text.attrib["y"])
    left = x - {"start": 0.0, "middle": width / 2, "end": width}[text.attrib.get("text-anchor", "start")]
    return Written(content, left, y - SIZES[kind] * 0.8, left + width, y + SIZES[kind] * 0.22)


def overlapping(texts: list[Written]) -> list[tuple[str, str]]:
    """Return pairs of texts that touch each other."""
    return [
        (one.text, other.text) for n, one in enumerate(texts) for other in texts[n + 1 :] if one.covers(other)
    ]


def unordered(values: list[float]) -> bool:
    return any(one >= other for one, other in pairwise(values))
