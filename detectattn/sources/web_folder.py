"""A folder that a web server lists on a plain page of links, such as nginx, Apache and `python -m http.server` make.

Followed are links of the same host that lie right below the page, and those of folders in turn. Where the address gives
no such page, it is what every other address is: a picture or a video.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

from detectattn.errors import FetchError
from detectattn.fetch import FetchLimits, open_body, redact_url
from detectattn.sources.base import ReadCounts
from detectattn.sources.naming import to_distinct_names, to_record_name, to_url_output_name
from detectattn.sources.recognise import SourceRequest
from detectattn.sources.remote_names import judge_suffix
from detectattn.sources.url import UrlSource
from detectattn.types import FrameFailure, Media

_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_PAGE_LIMITS = FetchLimits(max_bytes=100_000_000, total_s=120.0)
_DEEPEST = 16
_RUN_FILE = "run.json"
# Whole, or in parts.
_RECORDS = frozenset({"predictions.jsonl", "predictions/"})
_AT_TOP = PurePosixPath()


@dataclass(frozen=True, slots=True)
class WebFolder:
    """The media that a server lists below an address, ordered by their names.

    Attributes:
        url: The address, with a slash at its end.
        record_prefix: What precedes a name in records: nothing, or the address.
        output_root: Where the tree is mirrored, relative to the run's outputs.
        offline: Refuse every request.
        may_stream: Whether the address itself may be a live stream, where it lists nothing.
    """

    url: str
    record_prefix: str = ""
    output_root: PurePosixPath = _AT_TOP
    offline: bool = False
    may_stream: bool = False

    def iter_media(self, counts: ReadCounts) -> Iterator[Media | FrameFailure]:
        """Yield the media, page by page; a page further down that cannot be read is a failure in its place."""
        page = _Page(self.url, "", self.output_root, 0)
        try:
            links = _read_links(page, self.offline)
        except FetchError:
            links = None  # Reading it as a picture will say what is wrong with it.
        listed = None if not links else self._iter_page(page, links, counts)
        first = None if listed is None else next(listed, None)
        if listed is None or first is None:
            for media in UrlSource(self.url, self.may_stream).iter_media(counts):
                if isinstance(media, Media):
                    media = replace(media, output=self.output_root / media.output)
                yield media
            return
        yield first
        yield from listed

    def count(self) -> int | None:
        """Not known beforehand."""
        return None

    def under(self, output_root: PurePosixPath) -> WebFolder:
        """The same folder, mirrored elsewhere."""
        return replace(self, output_root=output_root)

    def _iter_page(self, page: _Page, links: dict[str, str], counts: ReadCounts) -> Iterator[Media | FrameFailure]:
        if _RUN_FILE in links and not _RECORDS.isdisjoint(links) and page.depth:
            return
        names = sorted(links)
        outputs = to_distinct_names(name.removesuffix("/") for name in names)
        for name in names:
            source = self.record_prefix + to_record_name(f"{page.name}{name}")
            output = page.output / outputs[name.removesuffix("/")]
            if name.endswith("/"):
                below = _Page(links[name], f"{page.name}{name}", output, page.depth + 1)
                yield from self._iter_below(below, counts, source)
            elif judge_suffix(name):
                yield Media(source, "url", links[name], output)
            else:
                counts.skip(Path(name))

    def _iter_below(self, page: _Page, counts: ReadCounts, source: str) -> Iterator[Media | FrameFailure]:
        if page.depth > _DEEPEST:
            return
        try:
            links = _read_links(page, self.offline)
        except FetchError as error:
            yield FrameFailure(source, None, error.code, str(error))
        else:
            yield from self._iter_page(page, links or {}, counts)


@dataclass(frozen=True, slots=True)
class _Page:
    url: str
    name: str
    output: PurePosixPath
    depth: int


def open_web_folder(request: SourceRequest) -> WebFolder:
    """An address that ends with a slash. Nothing is asked yet."""
    if request.alone:
        return WebFolder(request.text, offline=request.options.offline, may_stream=True)
    try:
        name = to_url_output_name(request.text)
    except ValueError:
        name = "url"  # No usable address, which reading it will say.
    prefix = to_record_name(redact_url(request.text))
    return WebFolder(request.text, prefix, PurePosixPath(name), request.options.offline)


def _read_links(page: _Page, offline: bool) -> dict[str, str] | None:
    """Addresses by name of what a page lists right below itself, those of folders with a slash; None for no page.

    Raises:
        FetchError: It cannot be read.
    """
    with open_body(page.url, _PAGE_LIMITS, offline=offline) as body:
        if body.content_type not in _PAGE_TYPES:
            return None
        text = b"".join(body.chunks).decode("utf-8", "replace")
        base = body.final_url
    parser = _Links()
    parser.feed(text)
    parser.close()
    found: dict[str, str] = {}
    for link in parser.found:
        segment = _segment_below(base, link)
        name = unquote(segment)
        if name.removesuffix("/") and not name.startswith(".") and "/" not in name.removesuffix("/"):
            # Below the address that was given, so that its credentials and no others are used.
            found[name] = page.url + segment
    return found


def _segment_below(base: str, link: str) -> str:
    """The one component, still quoted, that a link adds to the page's address; empty for links elsewhere."""
    try:
        target, page = urlsplit(urljoin(base, link)), urlsplit(base)
        is_near = (target.scheme, target.hostname, target.port) == (page.scheme, page.hostname, page.port)
    except ValueError:
        return ""
    if not is_near or target.query or target.fragment or not target.path.startswith(page.path):
        return ""
    segment = target.path[len(page.path) :]
    return "" if "/" in segment.removesuffix("/") else segment


class _Links(HTMLParser):
    """Gathers where the links of a page lead."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a link."""
        if tag == "a":
            self.found += [value.strip() for name, value in attrs if name == "href" and value]
