"""Names and addresses of what lies beside the page."""

from __future__ import annotations

from urllib.parse import quote

from detectattn.report.explanation import PictureExplained
from detectattn.sources.naming import to_one_line


def name_picture(picture: PictureExplained) -> str:
    """A picture as people call it: ``street/bus.jpg``, ``clip.mp4, frame 25``."""
    source = to_one_line(picture.source)
    return f"{source}, frame {picture.index}" if picture.index else source


def to_url(path: str) -> str:
    """The address of a file relative to the page; whatever the path looks like, it is a path."""
    return f"./{quote(path, safe='/', errors='surrogateescape')}"
