"""Reads a page as a list of elements, for tests that ask about its structure."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"input", "link", "meta", "img", "path", "br"})


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    parents: tuple[str, ...]
    text: str = ""

    def get(self, name: str) -> str | None:
        return self.attributes.get(name)


@dataclass
class _Reader(HTMLParser):
    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice: {names}"
        parents = tuple(each.tag for each in self.open)
        element = Element(tag, {name: value or "" for name, value in attrs}, parents)
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop().tag == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data


def read(html: str | bytes | memoryview) -> list[Element]:
    """Return all elements in order; fails if they are not closed properly."""
    reader = _Reader()
    reader.feed(html if isinstance(html, str) else bytes(html).decode())
    reader.close()
    assert not reader.open
    return reader.elements


def every(elements: list[Element], *tags: str) -> list[Element]:
    return [element for element in elements if element.tag in tags]
