"""A page as a browser reads it, far enough to ask about its structure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "img", "input", "link", "br", "hr", "wbr"}
# What is in the page and not shown as text.
_SILENT = {"script", "style", "title", "noscript"}


@dataclass(eq=False)
class Element:
    """An element.

    Attributes:
        tag: Its name; empty for the page itself.
        attributes: None for those without a value.
        children: Elements and text, in order.
    """

    tag: str
    attributes: dict[str, str | None]
    children: list[Element | str] = field(default_factory=list)

    def walk(self) -> Iterator[Element]:
        """Itself and everything in it, in order."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def find(self, *tags: str) -> list[Element]:
        """Elements of these names within."""
        return [element for element in self.walk() if element.tag in tags]

    def of_class(self, name: str) -> list[Element]:
        """Elements of a class within."""
        return [e for e in self.walk() if name in (e.attributes.get("class") or "").split()]

    def by_id(self, name: str) -> Element:
        """The element of an identifier."""
        [found] = [e for e in self.walk() if e.attributes.get("id") == name]
        return found

    @property
    def text(self) -> str:
        """What a reader sees."""
        return "".join(self._iter_text())

    @property
    def source(self) -> str:
        """What stands between the tags of a script."""
        return "".join(child for child in self.children if isinstance(child, str))

    def _iter_text(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag not in _SILENT:
                yield from child._iter_text()

    @property
    def words(self) -> str:
        """The text with its spaces as a browser shows them."""
        return " ".join(self.text.split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute of <{tag}> twice"
        element = Element(tag, dict(attrs))
        self.open[-1].children.append(element)
        if tag not in _VOID and not self._is_drawing(tag):
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    @staticmethod
    def _is_drawing(tag: str) -> bool:
        return tag in {"rect", "line"}


def read_page(text: str) -> Element:
    """The page; an element that is not closed in its place, a comment, or an attribute twice is an error."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == [reader.root], f"<{reader.open[-1].tag}> is not closed"
    return reader.root


def read_table(table: Element) -> list[list[str]]:
    """Cells of every row, as a reader sees them."""
    return [[cell.words for cell in row.find("th", "td")] for row in table.find("tr")]
